import { readFileSync } from 'node:fs'

/** What the kernel counts of a process. */
export interface ProcessFigures {
  /** CPU seconds, user and system. */
  readonly cpuSeconds: number
  readonly rssAnonBytes: number
  readonly rssBytes: number
}

const ticksPerSecond = 100

export function figuresOf(pid: number | 'self'): ProcessFigures {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024
  return {
    cpuSeconds: (Number(stat[11]) + Number(stat[12])) / ticksPerSecond,
    rssAnonBytes: kib('RssAnon'),
    rssBytes: kib('VmRSS'),
  }
}

/** CPU seconds of the whole machine that were not idle: tells how quiet it was. */
export function machineBusySeconds(): number {
  const fields = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').split(/\s+/).slice(1).map(Number)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

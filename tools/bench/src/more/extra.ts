import type { LoadOptions } from '../load.ts'
import { runLoad } from '../load.ts'
import { figuresOf } from '../process-figures.ts'
import type { Contender, Settings } from '../servers.ts'

/** A situation that is measured once: a server of its own, and a sentence of what was found. */
export interface Extra {
  readonly name: string
  readonly settings?: Settings
  /** Skua alone: there is nothing to compare. */
  readonly skuaOnly?: boolean
  run(contender: Contender): Promise<string>
}

export const MiB = 1024 ** 2
export const sleep = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000))
export const count = (value: number): string => Math.round(value).toLocaleString('en-US')

type Shape = Partial<LoadOptions> & Pick<LoadOptions, 'kind'>

export const load = (contender: Contender, shape: Shape) =>
  runLoad({
    namesrv: contender.namesrv,
    pid: contender.pid,
    topic: 'More',
    queues: 8,
    connections: 16,
    window: shape.kind === 'send' ? 16 : 1,
    bodyBytes: 128,
    batch: 1,
    form: 'json',
    seconds: 3,
    warmupSeconds: 1,
    ...shape,
  })

/** `12.34 µs/message, 123,456/s`. */
export async function loadText(contender: Contender, shape: Shape): Promise<string> {
  const result = await load(contender, shape)
  if (result.errors > 0) return `${count(result.errors)} errors`
  const p99 = `p99 ${(result.p99Us / 1000).toFixed(1)} ms`
  return `${result.brokerCpuUsPerMessage?.toFixed(2)} µs/message, ${count(result.messagesPerSecond)}/s, ${p99}`
}

/** Share of a core that a process uses while nothing is asked of it. */
export async function idleCores(pid: number, seconds: number): Promise<number> {
  const before = figuresOf(pid).cpuSeconds
  await sleep(seconds)
  return (figuresOf(pid).cpuSeconds - before) / seconds
}

import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import process from 'node:process'
import type { ProcessFacts, ProcessUse } from '../process.ts'

/** One for all that runs in this process. */
const instance = randomUUID()

/** Facts from /proc; elsewhere than on Linux only the pid and whether a process lives. */
export class NodeProcessFacts implements ProcessFacts {
  readonly pid = process.pid
  readonly instance = instance
  readonly bootId = (read('/proc/sys/kernel/random/boot_id') ?? '').trim()

  /** Node raises the soft limit to the hard one when it starts, so that this is read from the process itself. */
  get descriptorLimit(): number | undefined {
    const limit = Number(/^Max open files +(\d+)/m.exec(read('/proc/self/limits') ?? '')?.[1])
    return Number.isSafeInteger(limit) ? limit : undefined
  }

  use(): ProcessUse {
    const { rss, heapUsed, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    return {
      residentBytes: rss,
      heapBytes: heapUsed,
      externalBytes: external,
      cpuSeconds: (user + system) / 1_000_000,
    }
  }

  startedAt(pid: number): string | undefined {
    const stat = read(`/proc/${pid}/stat`)
    // The second field is the name in parentheses, which may hold anything; the 22nd is the start time.
    if (stat !== undefined) return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
    if (fs.existsSync('/proc/self/stat')) return undefined
    try {
      process.kill(pid, 0)
      return 'alive'
    } catch {
      return undefined
    }
  }

  lockHolder(path: string): number | undefined {
    const stat = fs.statSync(path, { throwIfNoEntry: false })
    const locks = read('/proc/locks')
    if (stat === undefined || locks === undefined) return undefined
    for (const line of locks.split('\n')) {
      const [, holder, major, minor, inode] =
        /(?:POSIX|OFDLCK).* (-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /.exec(line) ?? []
      if (Number(inode) !== stat.ino) continue
      // On some file systems (overlay, btrfs) the device here is not the one that stat tells; then Java must be the holder.
      const isSameDevice =
        Number.parseInt(major!, 16) === majorOf(stat.dev) && Number.parseInt(minor!, 16) === minorOf(stat.dev)
      if (isSameDevice || read(`/proc/${holder}/comm`)?.trim() === 'java') return Number(holder)
    }
    return undefined
  }
}

/** Linux packs both numbers into one (gnu_dev_major, gnu_dev_minor), here within 32 bits. */
function majorOf(device: number): number {
  return (device >>> 8) & 0xfff
}

function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00)
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

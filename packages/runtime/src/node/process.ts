import fs from 'node:fs'
import process from 'node:process'
import type { ProcessFacts } from '../process.ts'

/** Facts from /proc; elsewhere than on Linux only the pid and whether a process lives. */
export class NodeProcessFacts implements ProcessFacts {
  readonly pid = process.pid
  readonly bootId = (read('/proc/sys/kernel/random/boot_id') ?? '').trim()

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
    // Device numbers of /proc/locks and stat differ on some file systems (overlay, btrfs), so the inode decides.
    const line = locks.split('\n').find(text => /POSIX|OFDLCK/.test(text) && text.includes(`:${stat.ino} `))
    const pid = line === undefined ? Number.NaN : Number(/(-?\d+) [0-9a-f]+:[0-9a-f]+:\d+ /.exec(line)?.[1])
    return Number.isNaN(pid) ? undefined : pid
  }
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

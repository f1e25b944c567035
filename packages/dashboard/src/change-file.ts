import { dirname } from 'node:path'
import type { Disk } from '@skua-mq/runtime'
import type { Change } from './change-log.ts'

/** Largest file; what is older is in one more of this size beside it, and what is older than that is gone. */
export const maxChangeFileBytes = 1024 * 1024

/** Changes in a file: a JSON object a line, oldest first. With `.1` at its end the one before. */
export class ChangeFile {
  readonly path: string
  /** Why the last change is not in it. */
  problem: string | undefined
  private readonly disk: Disk

  /** Throws where it cannot be written: better at the start than when something was changed. */
  constructor(disk: Disk, path: string) {
    this.disk = disk
    this.path = path
    disk.makeDirectory(dirname(path))
    disk.open(path, 'create private').closeSync()
  }

  private get older(): string {
    return `${this.path}.1`
  }

  /** The last ones, at most `max`. Lines that are none (one that a crash cut) are passed by. */
  read(max: number): Change[] {
    const lines = [this.older, this.path].flatMap(path => this.linesOf(path))
    const changes: Change[] = []
    for (let i = lines.length - 1; i >= 0 && changes.length < max; i--) {
      const change = changeOf(lines[i]!)
      if (change !== undefined) changes.push(change)
    }
    return changes.reverse()
  }

  /** On the medium when it returns. What goes wrong is kept as `problem`: the change itself is done. */
  add(change: Change): void {
    try {
      this.write(change)
      this.problem = undefined
    } catch (error) {
      this.problem = error instanceof Error ? error.message : String(error)
    }
  }

  private write(change: Change): void {
    const line = Buffer.from(`${JSON.stringify(change)}\n`)
    const size = this.disk.stat(this.path)?.size ?? 0
    if (size > 0 && size + line.length > maxChangeFileBytes) {
      this.disk.rename(this.path, this.older)
      this.disk.syncDirectory(dirname(this.path))
    }
    const file = this.disk.open(this.path, 'create private')
    try {
      const end = file.size()
      // Behind a line that a crash cut there is a new one.
      const last = Buffer.alloc(1)
      const isCut = end > 0 && file.readSync(last, 0, 1, end - 1) === 1 && last[0] !== 0x0a
      const bytes = isCut ? Buffer.concat([Buffer.from('\n'), line]) : line
      file.writeSync(bytes, 0, bytes.length, end)
      file.syncDataSync()
    } finally {
      file.closeSync()
    }
  }

  /** Of a file that is larger than ours are, its end. */
  private linesOf(path: string): string[] {
    const stat = this.disk.stat(path)
    if (stat === undefined) return []
    const file = this.disk.open(path, 'read')
    try {
      const length = Math.min(stat.size, 2 * maxChangeFileBytes)
      const bytes = Buffer.alloc(length)
      const read = file.readSync(bytes, 0, length, stat.size - length)
      return bytes.toString('utf8', 0, read).split('\n')
    } finally {
      file.closeSync()
    }
  }
}

function changeOf(line: string): Change | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { atMs, who, from, cluster, action, what, problem } = value as Partial<Record<keyof Change, unknown>>
  const texts = [who, from, cluster, action, what]
  if (!Number.isSafeInteger(atMs) || texts.some(text => typeof text !== 'string')) return undefined
  if (problem !== null && typeof problem !== 'string') return undefined
  return { atMs, who, from, cluster, action, what, problem } as Change
}

import { parseJavaJson, printJavaJson } from '@skua-mq/protocol'
import { type Disk, defineEvent, type Events } from '@skua-mq/runtime'

export const tableDamaged = defineEvent<{ path: string; reason: string; used: string }>(
  'configuration file is damaged, its previous generation is used',
  'warn',
)

/**
 * One of the broker's small tables on disk, in Java's JSON dialect (store.md 5.2). Saved atomically, the previous
 * generation kept beside it; a damaged file falls back to that one with a warning, never silently to nothing.
 */
export class TableFile {
  private readonly disk: Disk
  private readonly events: Events
  private readonly path: string

  constructor({ disk, events, path }: { disk: Disk; events: Events; path: string }) {
    this.disk = disk
    this.events = events
    this.path = path
  }

  /** Undefined when there never was one. Throws when all generations are damaged. */
  load(): Record<string, unknown> | undefined {
    const found = this.read(this.path)
    if (found.value !== undefined) return found.value
    const previous = this.read(`${this.path}.bak`)
    if (previous.value === undefined) {
      if (found.problem === undefined && previous.problem === undefined) return undefined
      throw new Error(
        `${this.path} and ${this.path}.bak cannot be read: ${found.problem ?? 'missing'}; ${previous.problem ?? 'missing'}`,
      )
    }
    this.events.emit(tableDamaged({ path: this.path, reason: found.problem ?? 'missing', used: `${this.path}.bak` }))
    return previous.value
  }

  save(value: unknown): void {
    const { disk, path } = this
    const temporary = `${path}.tmp`
    disk.makeDirectory(path.slice(0, path.lastIndexOf('/')))
    const bytes = Buffer.from(printJavaJson(value, { style: 'file' }))
    const file = disk.open(temporary, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      file.syncDataSync()
    } finally {
      file.closeSync()
    }
    if (disk.stat(path) !== undefined) disk.rename(path, `${path}.bak`)
    disk.rename(temporary, path)
    disk.syncDirectory(path.slice(0, path.lastIndexOf('/')))
  }

  private read(path: string): { value?: Record<string, unknown>; problem?: string } {
    if (this.disk.stat(path) === undefined) return {}
    try {
      const bytes = this.disk.readFile(path)
      if (bytes.length === 0) return { problem: 'empty' }
      const value = parseJavaJson(bytes)
      if (typeof value !== 'object' || value === null) return { problem: 'not an object' }
      return { value: value as Record<string, unknown> }
    } catch (error) {
      return { problem: (error as Error).message }
    }
  }
}

/** The version of a table, which slaves and name servers compare (store.md 5.2). */
export class TableVersion {
  timestamp = 0
  counter = 0

  next(nowMs: number): void {
    this.timestamp = nowMs
    this.counter++
  }

  toJSON(): { counter: number; timestamp: number } {
    return { counter: this.counter, timestamp: this.timestamp }
  }

  read(value: unknown): void {
    const found = (value ?? {}) as { timestamp?: number; counter?: number }
    this.timestamp = Number(found.timestamp ?? 0)
    this.counter = Number(found.counter ?? 0)
  }
}

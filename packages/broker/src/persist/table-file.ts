import type { Codec } from '@skua-mq/protocol'
import { ConfigFile, type Disk, defineEvent, type Events } from '@skua-mq/runtime'

export const tableNotSaved = defineEvent<{ path: string; error: unknown }>('configuration file not saved', 'error')

export interface TableFileParts<T> {
  readonly disk: Disk
  readonly events: Events
  readonly path: string
  /** The file's form: Java's JSON dialect (store.md 5.2). */
  readonly codec: Codec<T>
}

/**
 * One of the broker's tables on disk, atomically and with its former generation (ConfigFile). `save` blocks
 * until it is on the medium and is for what is answered afterwards; `saveLater` leaves the waiting to the pool and is
 * for what is saved on a timer.
 */
export class TableFile<T> {
  private readonly parts: TableFileParts<T>
  private readonly file: ConfigFile
  /** What the newest good generation holds; undefined until this process has saved once. */
  private saved: Uint8Array | undefined
  /** Counts saves: one that began before another must not finish after it. */
  private round = 0

  constructor(parts: TableFileParts<T>) {
    this.parts = parts
    this.file = new ConfigFile(parts.path, parts)
  }

  /** Undefined when there never was one. A damaged file falls back to `.bak` with an event; ECONFIG when both are. */
  load(): T | undefined {
    return this.file.load(bytes => this.parts.codec.decode(bytes))
  }

  /** Throws DiskError; the file then is what it was. */
  save(value: T): void {
    this.round++
    const bytes = this.parts.codec.encode(value)
    this.makeDirectory()
    this.file.save(bytes)
    this.saved = bytes
  }

  /** At a stop: answers whether it was saved; an error is an event, since the rest has to stop too. */
  saveAtStop(value: T): boolean {
    try {
      this.save(value)
      return true
    } catch (error) {
      this.parts.events.emit(tableNotSaved({ path: this.parts.path, error }))
      return false
    }
  }

  /**
   * Answers whether it was saved; an error is an event, and the next try may do better. The first save of a process
   * is a blocking one, which makes the directory and looks after a damaged file.
   */
  async saveLater(value: T): Promise<boolean> {
    const { codec, path, disk, events } = this.parts
    try {
      if (this.saved === undefined) {
        this.save(value)
        return true
      }
      const round = ++this.round
      const bytes = codec.encode(value)
      await this.writeSynced(`${path}.former`, this.saved)
      await this.writeSynced(`${path}.new`, bytes)
      // A later save has overtaken this one: its bytes are the newer ones.
      if (round !== this.round) return true
      disk.rename(`${path}.former`, `${path}.bak`)
      disk.rename(`${path}.new`, path)
      this.saved = bytes
      return true
    } catch (error) {
      events.emit(tableNotSaved({ path, error }))
      return false
    }
  }

  /** A directory whose name is not synced in its parent takes its files with it in a power cut. */
  private makeDirectory(): void {
    const { disk, path } = this.parts
    const directory = parentOf(path)
    if (disk.stat(directory) !== undefined) return
    disk.makeDirectory(directory)
    disk.syncDirectory(parentOf(directory))
  }

  private async writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    const file = this.parts.disk.open(path, 'create')
    try {
      file.truncateSync(0)
      await file.write(bytes, 0, bytes.length, 0)
      await file.syncData()
    } finally {
      file.closeSync()
    }
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/'))) || '/'

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

  read({ timestamp, counter }: { readonly timestamp: number; readonly counter: number }): void {
    this.timestamp = timestamp
    this.counter = counter
  }
}

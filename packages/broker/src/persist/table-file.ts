import { type DataVersion, type Dialect, dialectOf, type SlicedCodec } from '@skua-mq/protocol'
import { ConfigFile, type Disk, defineEvent, type Events, Failure } from '@skua-mq/runtime'

export const tableNotSaved = defineEvent<{ path: string; error: unknown }>('configuration file not saved', 'error')

export const tableDropped = defineEvent<{ path: string; error: string }>(
  'a configuration file that is derived is damaged, and begun again',
  'warn',
)

export interface TableFileParts<T> {
  readonly disk: Disk
  readonly events: Events
  readonly path: string
  /** The file's form: Java's JSON dialect (store.md 5.2). */
  readonly codec: SlicedCodec<T>
}

/**
 * One of the broker's tables on disk, atomically and with its former generation (ConfigFile). `save` blocks
 * until it is on the medium and is for a stop; `saveLater` encodes a slice at a time and leaves the waiting to the pool.
 */
export class TableFile<T> {
  private readonly parts: TableFileParts<T>
  private readonly file: ConfigFile
  constructor(parts: TableFileParts<T>) {
    this.parts = parts
    this.file = new ConfigFile(parts.path, parts)
  }

  /** Undefined when there never was one. A damaged file falls back to `.bak` with an event; ECONFIG when both are. */
  load(): T | undefined {
    return this.file.load(bytes => this.parts.codec.decode(bytes))
  }

  /**
   * The same of a table without which a broker does as well: that the file and its `.bak` are damaged is an event, and not ECONFIG.
   * `salvage`: what of a damaged file can be kept; default nothing.
   */
  loadDerived(salvage?: (bytes: Buffer) => T): T | undefined {
    const { disk, events, path } = this.parts
    try {
      return this.load()
    } catch (error) {
      if (!(error instanceof Failure && error.code === 'ECONFIG')) throw error
      events.emit(tableDropped({ path, error: error.message }))
      return salvage !== undefined && disk.stat(path) !== undefined ? salvage(disk.readFile(path)) : undefined
    }
  }

  /** Throws DiskError; the file then is what it was. */
  save(value: T): void {
    this.file.save(this.parts.codec.encode(value))
  }

  /** At a stop: returns whether it was saved; an error is an event, since the rest has to stop too. */
  saveAtStop(value: T): boolean {
    try {
      this.save(value)
      return true
    } catch (error) {
      this.parts.events.emit(tableNotSaved({ path: this.parts.path, error }))
      return false
    }
  }

  /** Returns whether it was saved; an error is an event, and the next try may do better. What changes meanwhile may be in it. */
  async saveLater(value: T): Promise<boolean> {
    const { codec, path, events } = this.parts
    try {
      await this.file.saveLater(codec.slices(value))
      return true
    } catch (error) {
      events.emit(tableNotSaved({ path, error }))
      return false
    }
  }
}

/** The version of a table, which slaves and name servers compare (store.md 5.2). */
export class TableVersion {
  timestamp = 0
  counter = 0
  private readonly rest: { readonly stateVersion?: 0 }

  /** Default: of 4.9. */
  constructor({ dataVersionHasStateVersion }: Pick<Dialect, 'dataVersionHasStateVersion'> = dialectOf()) {
    this.rest = dataVersionHasStateVersion ? { stateVersion: 0 } : {}
  }

  next(nowMs: number): void {
    this.timestamp = nowMs
    this.counter++
  }

  equals({ timestamp, counter }: { readonly timestamp: number; readonly counter: number }): boolean {
    return timestamp === this.timestamp && counter === this.counter
  }

  toJSON(): DataVersion {
    return { counter: this.counter, timestamp: this.timestamp, ...this.rest }
  }

  read({ timestamp, counter }: { readonly timestamp: number; readonly counter: number }): void {
    this.timestamp = timestamp
    this.counter = counter
  }
}

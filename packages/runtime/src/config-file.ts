import type { Disk, OpenMode } from './disk.ts'
import { Failure } from './error.ts'
import { defineEvent, type Events } from './event.ts'
import { makeDirectorySynced, parentOf } from './make-directory.ts'

export const configFileDamaged = defineEvent<{ path: string; error: string; usedInstead: string }>(
  'configuration file damaged',
  'warn',
)

/**
 * A file of metadata (topics.json, consumerOffset.json, kvConfig.json …; store.md 5.2, 11). The new bytes are written beside it,
 * synced, and renamed over it; the generation before stays as `.bak`. So at every moment one of the two is whole.
 */
export class ConfigFile {
  readonly path: string
  private readonly disk: Disk
  private readonly events: Events
  private readonly mode: OpenMode
  /** The newest generation could not be read: it must not take the place of a good `.bak`. */
  private isDamaged = false
  /** Counts blocking saves: one of the others that was asked for before must not finish after it. */
  private blocking = 0
  /** The last blocking save has failed, for this. */
  private blockingError: unknown
  private writing: Promise<void> = Promise.resolve()

  /** `isSecret`: only its owner may read it, and the generation before. */
  constructor(path: string, { disk, events, isSecret }: { disk: Disk; events: Events; isSecret?: boolean }) {
    this.path = path
    this.disk = disk
    this.events = events
    this.mode = isSecret === true ? 'create private' : 'create'
  }

  /**
   * What `parse` makes of the file; of `.bak`, with a warning, where the file is missing, empty or makes `parse` throw.
   * Undefined when both are missing. Throws ECONFIG when a file is there and none can be parsed: never silently empty.
   */
  load<T>(parse: (bytes: Buffer) => T): T | undefined {
    const newest = this.read(this.path, parse)
    if (newest.state === 'parsed') return newest.value
    const before = this.read(`${this.path}.bak`, parse)
    if (before.state === 'parsed') {
      const error = newest.state === 'damaged' ? newest.error : 'it is missing'
      this.isDamaged = newest.state === 'damaged'
      this.events.emit(configFileDamaged({ path: this.path, error, usedInstead: `${this.path}.bak` }))
      return before.value
    }
    const damaged = newest.state === 'damaged' ? newest : before
    if (damaged.state === 'missing') return undefined
    // Whoever goes on without it has no use for it as the generation before.
    this.isDamaged = true
    throw new Failure('ECONFIG', `${this.path} and its .bak cannot be read: ${damaged.error}`)
  }

  /** Throws DiskError; the file then is what it was. */
  save(bytes: Uint8Array): void {
    this.blocking++
    this.blockingError = undefined
    try {
      this.saveNow(bytes)
    } catch (error) {
      this.blockingError = error
      throw error
    }
  }

  private saveNow(bytes: Uint8Array): void {
    const { disk, path } = this
    const directory = parentOf(path)
    makeDirectorySynced(disk, directory)
    this.writeSynced(`${path}.tmp`, bytes)
    // The present file is copied, not moved, so that there is no moment without it.
    if (!this.isDamaged && this.hasBytes()) {
      this.writeSynced(`${path}.bak.tmp`, disk.readFile(path))
      disk.rename(`${path}.bak.tmp`, `${path}.bak`)
      disk.syncDirectory(directory)
    }
    disk.rename(`${path}.tmp`, path)
    this.isDamaged = false
    disk.syncDirectory(directory)
  }

  /**
   * As `save`, but leaves the waiting for the medium to the pool, and writes a slice at a time; when it resolves, this
   * generation is on it, or a later `save` has taken its place; where that one failed, it rejects with its error. One at a time, in their order; each reaches its end, so that
   * saves which are asked for faster than they are written are not all given up for the next one.
   */
  saveLater(slices: Iterable<Uint8Array>): Promise<void> {
    const { blocking } = this
    const save = this.writing.then(() => this.write(slices, blocking))
    this.writing = save.catch(() => {})
    return save
  }

  private async write(slices: Iterable<Uint8Array>, blocking: number): Promise<void> {
    if (this.isOvertaken(blocking)) return
    const { disk, path } = this
    makeDirectorySynced(disk, parentOf(path))
    const hasFormer = !this.isDamaged && this.hasBytes()
    if (hasFormer) await this.writeLater(`${path}.former`, slicesOf(disk, path))
    await this.writeLater(`${path}.new`, slices)
    if (this.isOvertaken(blocking)) return
    if (hasFormer) disk.rename(`${path}.former`, `${path}.bak`)
    disk.rename(`${path}.new`, path)
    this.isDamaged = false
    await disk.syncDirectoryLater(parentOf(path))
  }

  /** By a later save, which has what this one has, unless it failed: its error is thrown then. */
  private isOvertaken(blocking: number): boolean {
    if (blocking === this.blocking) return false
    if (this.blockingError !== undefined) throw this.blockingError
    return true
  }

  private hasBytes(): boolean {
    return (this.disk.stat(this.path)?.size ?? 0) > 0
  }

  private writeSynced(path: string, bytes: Uint8Array): void {
    const file = this.disk.open(path, this.mode)
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      file.syncDataSync()
    } finally {
      file.closeSync()
    }
  }

  private async writeLater(path: string, slices: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const file = this.disk.open(path, this.mode)
    try {
      file.truncateSync(0)
      let at = 0
      for await (const slice of slices) {
        await file.write(slice, 0, slice.length, at)
        at += slice.length
      }
      await file.syncData()
    } finally {
      file.closeSync()
    }
  }

  private read<T>(path: string, parse: (bytes: Buffer) => T): Read<T> {
    if (this.disk.stat(path) === undefined) return { state: 'missing' }
    const bytes = this.disk.readFile(path)
    if (bytes.length === 0) return { state: 'damaged', error: `${path} is empty` }
    try {
      return { state: 'parsed', value: parse(bytes) }
    } catch (error) {
      return { state: 'damaged', error: String(error) }
    }
  }
}

const sliceBytes = 256 * 1024

async function* slicesOf(disk: Disk, path: string): AsyncGenerator<Uint8Array> {
  const file = disk.open(path, 'read')
  try {
    for (let at = 0; ; ) {
      const bytes = Buffer.allocUnsafe(sliceBytes)
      const length = await file.read(bytes, 0, sliceBytes, at)
      if (length === 0) return
      yield bytes.subarray(0, length)
      at += length
    }
  } finally {
    file.closeSync()
  }
}

type Read<T> = { state: 'parsed'; value: T } | { state: 'missing' } | { state: 'damaged'; error: string }

import type { Disk } from './disk.ts'
import { Failure } from './error.ts'
import { defineEvent, type Events } from './event.ts'

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
  /** The newest generation could not be read: it must not take the place of a good `.bak`. */
  private isDamaged = false
  /** What the newest good generation holds, as this process read or wrote it. */
  private good: Uint8Array | undefined
  /** Counts saves: one that began before another must not finish after it. */
  private round = 0

  constructor(path: string, { disk, events }: { disk: Disk; events: Events }) {
    this.path = path
    this.disk = disk
    this.events = events
  }

  /**
   * What `parse` makes of the file; of `.bak`, with a warning, where the file is missing, empty or makes `parse` throw.
   * Undefined when both are missing. Throws ECONFIG when a file is there and none can be parsed: never silently empty.
   */
  load<T>(parse: (bytes: Buffer) => T): T | undefined {
    const newest = this.read(this.path, parse)
    if (newest.state === 'parsed') {
      this.good = newest.bytes
      return newest.value
    }
    const before = this.read(`${this.path}.bak`, parse)
    if (before.state === 'parsed') {
      const error = newest.state === 'damaged' ? newest.error : 'it is missing'
      this.isDamaged = newest.state === 'damaged'
      this.good = before.bytes
      this.events.emit(configFileDamaged({ path: this.path, error, usedInstead: `${this.path}.bak` }))
      return before.value
    }
    const damaged = newest.state === 'damaged' ? newest : before
    if (damaged.state === 'missing') return undefined
    throw new Failure('ECONFIG', `${this.path} and its .bak cannot be read: ${damaged.error}`)
  }

  /** Throws DiskError; the file then is what it was. */
  save(bytes: Uint8Array): void {
    const { disk, path } = this
    const directory = parentOf(path)
    this.round++
    makeSynced(disk, directory)
    this.writeSynced(`${path}.tmp`, bytes)
    // The present file is copied, not moved, so that there is no moment without it.
    if (!this.isDamaged && this.hasBytes()) {
      this.writeSynced(`${path}.bak.tmp`, disk.readFile(path))
      disk.rename(`${path}.bak.tmp`, `${path}.bak`)
      disk.syncDirectory(directory)
    }
    disk.rename(`${path}.tmp`, path)
    this.isDamaged = false
    this.good = bytes
    disk.syncDirectory(directory)
  }

  /**
   * As `save`, but leaves the waiting for the medium to the pool; when it resolves, this generation is on it, or a later
   * `save` has taken its place.
   */
  async saveLater(bytes: Uint8Array): Promise<void> {
    const { disk, path } = this
    const round = ++this.round
    makeSynced(disk, parentOf(path))
    const former = this.good ?? (this.hasBytes() ? disk.readFile(path) : undefined)
    if (former !== undefined) await this.writeLater(`${path}.former`, former)
    await this.writeLater(`${path}.new`, bytes)
    if (round !== this.round) return
    if (former !== undefined) disk.rename(`${path}.former`, `${path}.bak`)
    disk.rename(`${path}.new`, path)
    this.isDamaged = false
    this.good = bytes
    await disk.syncDirectoryLater(parentOf(path))
  }

  private hasBytes(): boolean {
    return (this.disk.stat(this.path)?.size ?? 0) > 0
  }

  private writeSynced(path: string, bytes: Uint8Array): void {
    const file = this.disk.open(path, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      file.syncDataSync()
    } finally {
      file.closeSync()
    }
  }

  private async writeLater(path: string, bytes: Uint8Array): Promise<void> {
    const file = this.disk.open(path, 'create')
    try {
      file.truncateSync(0)
      await file.write(bytes, 0, bytes.length, 0)
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
      return { state: 'parsed', value: parse(bytes), bytes }
    } catch (error) {
      return { state: 'damaged', error: String(error) }
    }
  }
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '.' : path.slice(0, at) || '/'
}

/** A directory with its parents; their names are on the medium when this returns. */
function makeSynced(disk: Disk, directory: string): void {
  if (directory === '.' || directory === '/' || disk.stat(directory) !== undefined) return
  const parent = parentOf(directory)
  makeSynced(disk, parent)
  disk.makeDirectory(directory)
  disk.syncDirectory(parent)
}

type Read<T> =
  | { state: 'parsed'; value: T; bytes: Uint8Array }
  | { state: 'missing' }
  | { state: 'damaged'; error: string }

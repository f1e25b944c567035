import { assert, type Disk, type DiskFile } from '@skua-mq/runtime'

/** A file that is held open. It is not closed while `pins` is above 0. */
export interface OpenFile {
  readonly path: string
  readonly file: DiskFile
  pins: number
  /** Known to have its full size. */
  isSized: boolean
  /** The file was removed from the directory: it is closed when nobody reads it any more. */
  gone: boolean
}

/** So many are given up when descriptors are short, so that the next ones to be opened find room, too. */
const closedAtOnce = 8

/**
 * All descriptors of the store, at most `limit` unless more are pinned at once; the least recently used goes first.
 * A file that is read in the pool is pinned, so that its descriptor cannot be closed, and used again, under the read.
 */
export class OpenFiles {
  private readonly open = new Map<string, OpenFile>()
  private readonly disk: Disk
  private readonly limit: number

  constructor(disk: Disk, limit: number) {
    this.disk = disk
    this.limit = limit
  }

  get count(): number {
    return this.open.size
  }

  /** Opens an existing file for reading and writing, and pins it. */
  acquire(path: string): OpenFile {
    const known = this.open.get(path)
    if (known !== undefined) {
      this.open.delete(path)
      this.open.set(path, known)
      known.pins++
      return known
    }
    return this.add(
      path,
      this.opened(() => this.disk.open(path, 'write')),
    )
  }

  /** As `acquire`, but makes the file with `size` zero bytes (sparse) when it is missing or too short. */
  acquireSized(path: string, size: number): OpenFile {
    const handle = this.open.has(path)
      ? this.acquire(path)
      : this.add(
          path,
          this.opened(() => this.disk.open(path, 'create')),
        )
    if (handle.isSized) return handle
    try {
      if (handle.file.size() < size) handle.file.truncateSync(size)
      handle.isSized = true
      return handle
    } catch (error) {
      this.release(handle)
      throw error
    }
  }

  release(handle: OpenFile): void {
    assert(handle.pins > 0, 'what is released is pinned')
    handle.pins--
    if (handle.gone && handle.pins === 0) handle.file.closeSync()
  }

  /** For a file that was, or is about to be, removed. */
  forget(path: string): void {
    const handle = this.open.get(path)
    if (handle === undefined) return
    this.open.delete(path)
    handle.gone = true
    if (handle.pins === 0) handle.file.closeSync()
  }

  closeAll(): void {
    for (const path of [...this.open.keys()]) this.forget(path)
  }

  /**
   * Runs what opens a file. Where the process or the machine has no descriptor left, idle ones are given up for it: the limit
   * is not ours alone.
   */
  opened<T>(open: () => T): T {
    try {
      return open()
    } catch (error) {
      if (!this.makesRoom(error)) throw error
      return open()
    }
  }

  /** The same for what opens a file by and by. */
  private async openedLater(open: () => Promise<void>): Promise<void> {
    try {
      await open()
    } catch (error) {
      if (!this.makesRoom(error)) throw error
      await open()
    }
  }

  private makesRoom(error: unknown): boolean {
    const { code } = error as { code?: string }
    return (code === 'EMFILE' || code === 'ENFILE') && this.closeIdle(closedAtOnce)
  }

  /** Makes new and removed names of a directory survive a power cut. Throws DiskError. */
  syncDirectory(path: string): void {
    this.opened(() => this.disk.syncDirectory(path))
  }

  /** The same in the pool, for what is done while others wait for the loop. */
  async syncDirectoryLater(path: string): Promise<void> {
    await this.openedLater(() => this.disk.syncDirectoryLater(path))
  }

  /** Closes up to `count` of those that nobody uses; false where there is none. */
  private closeIdle(count: number): boolean {
    const before = this.open.size
    for (const [path, handle] of this.open) {
      if (before - this.open.size >= count) break
      if (handle.pins === 0) this.forget(path)
    }
    return this.open.size < before
  }

  private add(path: string, file: DiskFile): OpenFile {
    const handle: OpenFile = { path, file, pins: 1, isSized: false, gone: false }
    this.open.set(path, handle)
    if (this.open.size > this.limit) this.closeOldest()
    return handle
  }

  private closeOldest(): void {
    for (const [path, handle] of this.open) {
      if (this.open.size <= this.limit) return
      if (handle.pins === 0) this.forget(path)
    }
  }
}

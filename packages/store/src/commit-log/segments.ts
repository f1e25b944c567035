import { assert, type Disk, Failure, makeDirectorySynced } from '@skua-mq/runtime'
import { fileName, fileOffset } from '../file/layout.ts'
import type { OpenFile, OpenFiles } from '../file/open-files.ts'

/** One file of the log: `size` bytes from physical offset `base` on. */
export interface Segment {
  readonly base: number
  readonly path: string
}

/** The files of the log, oldest first, without gaps. Files are made at full size, sparse, as Java makes them. */
export class Segments {
  readonly directory: string
  readonly size: number
  private readonly disk: Disk
  private readonly files: OpenFiles
  private list: Segment[] = []
  private hasUnsyncedRemoval = false
  /** What `load` found too short and made whole: below `to` its bytes are zeros now. */
  readonly padded: { readonly from: number; readonly to: number }[] = []

  constructor(parts: { disk: Disk; files: OpenFiles }, place: { directory: string; size: number }) {
    this.disk = parts.disk
    this.files = parts.files
    this.directory = place.directory
    this.size = place.size
  }

  get all(): readonly Segment[] {
    return this.list
  }

  get first(): Segment | undefined {
    return this.list[0]
  }

  get last(): Segment | undefined {
    return this.list.at(-1)
  }

  /** End of the last file; 0 without one. */
  get end(): number {
    return this.last === undefined ? 0 : this.last.base + this.size
  }

  /**
   * Reads the directory. Throws ESEGMENT for a file of another size (a store of another `mappedFileSizeCommitLog`) or
   * a gap. A file which a crash left short is made whole; a last one that is empty is removed, unless a crash left no other: then
   * it says where the log goes on, and that it was not taken away.
   */
  load({ crashed }: { crashed: boolean }): void {
    makeDirectorySynced(this.disk, this.directory)
    this.list = []
    const bases = this.disk.list(this.directory).map(fileOffset).filter(isNumber)
    for (const [at, base] of bases.entries()) {
      const path = this.pathOf(base)
      const length = this.disk.stat(path)?.size ?? 0
      const isLast = at === bases.length - 1
      if (isLast && length === 0 && !(crashed && this.list.length === 0)) {
        this.disk.remove(path)
        continue
      }
      if (length !== this.size && !(crashed && length < this.size)) {
        throw new Failure('ESEGMENT', `${path} has ${length} bytes; mappedFileSizeCommitLog is ${this.size}`)
      }
      const before = this.last
      if (base % this.size !== 0 || (before !== undefined && before.base + this.size !== base)) {
        throw new Failure('ESEGMENT', `${path} does not follow ${before?.path ?? 'a multiple of its size'}`)
      }
      if (length < this.size) {
        this.files.release(this.files.acquireSized(path, this.size))
        this.padded.push({ from: base + length, to: base + this.size })
      }
      this.list.push({ base, path })
    }
  }

  /** The segment that holds a physical offset. */
  find(offset: number): Segment | undefined {
    const first = this.list[0]
    return first === undefined ? undefined : this.list[Math.floor((offset - first.base) / this.size)]
  }

  /** Makes the segment that starts at `base`, the end of the last one, unless it is there. Throws a DiskError. */
  ensure(base: number): Segment {
    const known = this.find(base)
    if (known !== undefined) return known
    assert(this.list.length === 0 || base === this.end, 'a segment begins where the last one ends')
    assert(base % this.size === 0, 'a segment begins at a multiple of its size')
    const segment: Segment = { base, path: this.pathOf(base) }
    this.files.release(this.files.acquireSized(segment.path, this.size))
    this.files.syncDirectory(this.directory)
    this.list.push(segment)
    return segment
  }

  /** Opens a segment's file; the caller releases it. */
  acquire(segment: Segment): OpenFile {
    return this.files.acquire(segment.path)
  }

  release(handle: OpenFile): void {
    this.files.release(handle)
  }

  /**
   * Removes the oldest segment; its name is gone from the medium when this resolves, so that a power cut between two
   * removals leaves no gap. `syncRemoval` comes first. Throws DiskError.
   */
  async removeFirst(): Promise<void> {
    const segment = this.list[0]
    if (segment === undefined) return
    assert(!this.hasUnsyncedRemoval, 'one removal is on the medium before the next one')
    // A file that cannot be removed stays part of the log: without it the next removal would leave a gap.
    this.remove(segment)
    this.list.shift()
    this.hasUnsyncedRemoval = true
    await this.syncRemoval()
  }

  /** Brings a removal to the medium whose sync has failed: before the next one may go. Throws DiskError. */
  async syncRemoval(): Promise<void> {
    if (!this.hasUnsyncedRemoval) return
    await this.disk.syncDirectoryLater(this.directory)
    this.hasUnsyncedRemoval = false
  }

  /** Removes the segments that start at or after `offset`, the last one first, each for good before the one before it. */
  removeFrom(offset: number): void {
    for (let last = this.last; last !== undefined && last.base >= offset; last = this.last) {
      this.remove(last)
      this.list.pop()
      this.files.syncDirectory(this.directory)
    }
  }

  /** As `removeFrom`, and the files go into another directory of the same disk. */
  moveFrom(offset: number, directory: string): void {
    for (let last = this.last; last !== undefined && last.base >= offset; last = this.last) {
      this.files.forget(last.path)
      this.disk.rename(last.path, `${directory}/${fileName(last.base)}`)
      this.list.pop()
      this.files.syncDirectory(this.directory)
    }
  }

  /** Makes everything from `offset` to the end of its file zero, on the medium too. Throws DiskError. */
  async clearFrom(offset: number): Promise<void> {
    const segment = this.find(offset)
    if (segment === undefined) return
    const handle = this.acquire(segment)
    try {
      handle.file.truncateSync(offset - segment.base)
      handle.file.truncateSync(this.size)
      await handle.file.syncData()
    } finally {
      this.release(handle)
    }
  }

  lastWriteMs(segment: Segment): number {
    return this.disk.stat(segment.path)?.modifiedAtMs ?? 0
  }

  private remove(segment: Segment): void {
    this.files.forget(segment.path)
    this.disk.remove(segment.path)
  }

  private pathOf(base: number): string {
    return `${this.directory}/${fileName(base)}`
  }
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined
}

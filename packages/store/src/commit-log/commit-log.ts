import { blankRecordBytes, RecordMagic } from '@skua-mq/protocol'
import { assert } from '@skua-mq/runtime'
import { type Chunk, LogRing } from './log-ring.ts'
import type { Segment, Segments } from './segments.ts'

/**
 * The log. `reserve` and `commit` assign bytes in memory, `writeTurn` brings all bytes of the turn to the files, and
 * only then do they count as written. A turn that failed is taken back as a whole by `rollback`.
 */
export class CommitLog {
  readonly segments: Segments
  readonly ring: LogRing
  /** The next byte to be assigned. */
  end = 0
  /** All bytes below this are in the page cache, or further. */
  written = 0
  /** Store time of the last record that was written. */
  writtenStoredAtMs = 0
  /** Store time of the last record that was assigned; never goes back. */
  lastStoredAtMs = 0
  /** End of the bytes that a failed turn may have left in the files; at most `written` when there are none. */
  strayEnd = 0
  /** Where the end of a file begins of which only a part has come from the master; undefined where the log ends with a record. */
  paddingFrom: number | undefined

  constructor(segments: Segments, limits: { chunkBytes: number; ringBytes: number }) {
    this.segments = segments
    const chunkBytes = Math.min(limits.chunkBytes, segments.size)
    this.ring = new LogRing({ chunkBytes, limitBytes: limits.ringBytes })
  }

  /** The end where there is no file yet: a slave's disk may refuse the first one of a log that begins somewhere. */
  get minOffset(): number {
    return this.segments.first?.base ?? this.written
  }

  /** Bytes assigned in this turn and not yet written. */
  get unwritten(): number {
    return this.end - this.written
  }

  /** Where the records end of which all is written. */
  get recordsEnd(): number {
    return this.paddingFrom ?? this.written
  }

  /**
   * How many of the oldest segments are full and behind us: the next one may be there already when a turn that began it
   * has failed, so the last of the list says nothing. It is not among them even where the log ends with it: a log
   * without a file has no offsets to go on with.
   */
  sealedBelow(offset: number): number {
    const { first, size, all } = this.segments
    const below = Math.min(offset, this.recordsEnd)
    return first === undefined ? 0 : Math.max(0, Math.min(all.length - 1, Math.floor((below - first.base) / size)))
  }

  /** Sets the end that recovery found. */
  open(end: number, storedAtMs: number): void {
    this.ring.cut(0)
    this.end = end
    this.written = end
    this.strayEnd = end
    this.lastStoredAtMs = storedAtMs
    this.writtenStoredAtMs = storedAtMs
  }

  /** A chunk with room for `size` bytes at the end of the log, behind a blank record where the file is too full. Throws DiskError. */
  reserve(size: number): Chunk {
    const base = Math.floor(this.end / this.segments.size) * this.segments.size
    const room = base + this.segments.size - this.end
    if (size + blankRecordBytes > room) this.roll(base, room)
    else if (this.end === base) this.segments.ensure(base)
    return this.chunkFor(size)
  }

  /** The `size` bytes at the end of `chunk` are filled. */
  commit(chunk: Chunk, size: number): void {
    chunk.used += size
    this.end += size
  }

  /** Assigns a record that lies so in the master's log. Throws DiskError. */
  appendRecord(bytes: Buffer, at: number, size: number): void {
    this.segments.ensure(this.end - (this.end % this.segments.size))
    const chunk = this.chunkFor(size)
    bytes.copy(chunk.bytes, chunk.used, at, at + size)
    this.commit(chunk, size)
  }

  /** Assigns bytes of the end of one file, behind its last record, as they lie in the master's log. Throws DiskError. */
  appendPadding(bytes: Buffer): void {
    const { size } = this.segments
    for (let from = 0; from < bytes.length; ) {
      const inFile = this.end % size
      this.segments.ensure(this.end - inFile)
      const chunk = this.chunkFor(1)
      const length = Math.min(bytes.length - from, size - inFile, chunk.bytes.length - chunk.used)
      bytes.copy(chunk.bytes, chunk.used, from, from + length)
      this.commit(chunk, length)
      from += length
    }
  }

  /** Forgets what lies behind `end`; the files hold nothing there any more. */
  cut(end: number): void {
    this.ring.cut(end)
    this.end = this.written = this.strayEnd = end
    this.paddingFrom = undefined
  }

  /** Writes what the turn assigned. Throws DiskError; nothing counts as written then. */
  writeTurn(): void {
    assert(this.written >= this.minOffset, 'what is written lies in the segments')
    const { oldestOffset = Number.POSITIVE_INFINITY } = this.ring
    assert(oldestOffset <= this.written || this.end === this.written, 'all that is not written is in memory')
    this.ring.eachFrom(this.written, chunk => {
      const from = Math.max(this.written, chunk.base)
      this.strayEnd = Math.max(this.strayEnd, chunk.base + chunk.used)
      this.writeChunk(chunk, from)
    })
    this.written = this.end
    this.writtenStoredAtMs = this.lastStoredAtMs
  }

  /** Takes back what the turn assigned. */
  rollback(): void {
    this.ring.cut(this.written)
    this.end = this.written
    this.lastStoredAtMs = this.writtenStoredAtMs
  }

  private writeChunk(chunk: Chunk, from: number): void {
    const handle = this.segments.acquire(this.segmentAt(chunk.base))
    try {
      handle.file.writeSync(chunk.bytes, from - chunk.base, chunk.used, from % this.segments.size)
    } finally {
      this.segments.release(handle)
    }
  }

  private segmentAt(offset: number): Segment {
    return this.segments.ensure(Math.floor(offset / this.segments.size) * this.segments.size)
  }

  private roll(base: number, room: number): void {
    const next = base + this.segments.size
    if (this.end === base) this.segments.ensure(base)
    this.segments.ensure(next)
    const chunk = this.chunkFor(blankRecordBytes)
    chunk.bytes.writeInt32BE(room, chunk.used)
    chunk.bytes.writeInt32BE(RecordMagic.blank, chunk.used + 4)
    chunk.used += blankRecordBytes
    this.end = next
  }

  private chunkFor(size: number): Chunk {
    const newest = this.ring.newest
    // A chunk holds bytes of one segment only: a blank may end a segment exactly where the next one begins.
    const canGrow =
      newest !== undefined && newest.base + newest.used === this.end && this.end % this.segments.size !== 0
    if (canGrow && newest.bytes.length - newest.used >= size) return newest
    return this.ring.open(this.end, { size, keepFrom: this.written })
  }
}

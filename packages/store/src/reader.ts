import { blankRecordBytes, minRecordBytes, RecordMagic } from '@skua-mq/protocol'
import type { CommitLog } from './commit-log/commit-log.ts'

/** Reads stored records by physical offset: from memory, or from the files. */
export class LogReader {
  private readonly log: CommitLog

  constructor(log: CommitLog) {
    this.log = log
  }

  /** Reads `[offset, offset + length)` through the pool; fewer bytes where the segment is gone or ends. */
  async read(offset: number, length: number): Promise<Buffer> {
    const hot = this.hot(offset, length)
    if (hot !== undefined) return Buffer.from(hot)
    const segment = this.log.segments.find(offset)
    if (segment === undefined) return Buffer.alloc(0)
    const handle = this.log.segments.acquire(segment)
    try {
      const bytes = Buffer.allocUnsafe(Math.min(length, segment.base + this.log.segments.size - offset))
      return bytes.subarray(0, await handle.file.read(bytes, 0, bytes.length, offset - segment.base))
    } finally {
      this.log.segments.release(handle)
    }
  }

  /** Bytes of the log from an offset on, as they lie there: at most `maxBytes`, none of the next file; empty where nothing is. */
  async raw(offset: number, maxBytes: number): Promise<Buffer> {
    const { log } = this
    const { size } = log.segments
    if (offset < log.minOffset || offset >= log.written) return Buffer.alloc(0)
    const most = Math.min(maxBytes, log.written - offset, size - (offset % size))
    const chunk = log.ring.find(offset, 1)
    return this.read(offset, chunk === undefined ? most : Math.min(most, chunk.base + chunk.used - offset))
  }

  /** As `read`, into the start of `into`; returns how many bytes. */
  async readInto(into: Buffer, offset: number, length: number): Promise<number> {
    const hot = this.hot(offset, length)
    if (hot !== undefined) return hot.copy(into)
    const segment = this.log.segments.find(offset)
    if (segment === undefined) return 0
    const handle = this.log.segments.acquire(segment)
    try {
      const room = segment.base + this.log.segments.size - offset
      return await handle.file.read(into, 0, Math.min(length, room), offset - segment.base)
    } finally {
      this.log.segments.release(handle)
    }
  }

  readSync(offset: number, length: number): Buffer {
    const hot = this.hot(offset, length)
    if (hot !== undefined) return Buffer.from(hot)
    const segment = this.log.segments.find(offset)
    if (segment === undefined) return Buffer.alloc(0)
    const handle = this.log.segments.acquire(segment)
    try {
      const bytes = Buffer.allocUnsafe(Math.min(length, segment.base + this.log.segments.size - offset))
      return bytes.subarray(0, handle.file.readSync(bytes, 0, bytes.length, offset - segment.base))
    } finally {
      this.log.segments.release(handle)
    }
  }

  /** The record at an offset, or undefined. Most records fit the first read. */
  async record(offset: number): Promise<Buffer | undefined> {
    if (!this.mayHold(offset)) return undefined
    const first = await this.firstOf(offset)
    const size = recordSizeAt(first)
    if (size === undefined || offset + size > this.log.written) return undefined
    if (size <= first.length) return first.subarray(0, size)
    const whole = await this.read(offset, size)
    return whole.length === size ? whole : undefined
  }

  /** Where the disk has a bad place behind a record, its head can be read all the same. */
  private async firstOf(offset: number): Promise<Buffer> {
    try {
      return await this.read(offset, Math.min(firstReadBytes, this.log.written - offset))
    } catch (error) {
      const head = await this.read(offset, minRecordBytes).catch(() => undefined)
      if (head === undefined) throw error
      return head
    }
  }

  recordSync(offset: number): Buffer | undefined {
    if (!this.mayHold(offset)) return undefined
    const first = this.readSync(offset, Math.min(firstReadBytes, this.log.written - offset))
    const size = recordSizeAt(first)
    if (size === undefined || offset + size > this.log.written) return undefined
    if (size <= first.length) return first.subarray(0, size)
    const whole = this.readSync(offset, size)
    return whole.length === size ? whole : undefined
  }

  private mayHold(offset: number): boolean {
    return Number.isSafeInteger(offset) && offset >= this.log.minOffset && offset + blankRecordBytes <= this.log.written
  }

  private hot(offset: number, length: number): Buffer | undefined {
    const chunk = this.log.ring.find(offset, length)
    return chunk?.bytes.subarray(offset - chunk.base, offset - chunk.base + length)
  }
}

const firstReadBytes = 4096

/** The size of the record at `at` of `bytes`; undefined when none begins there. */
export function recordSizeAt(bytes: Buffer, at = 0): number | undefined {
  if (bytes.length - at < minRecordBytes) return undefined
  const magic = bytes.readInt32BE(at + 4)
  const size = bytes.readInt32BE(at)
  return (magic === RecordMagic.v1 || magic === RecordMagic.v2) && size >= minRecordBytes ? size : undefined
}

/** Store time of a record, from its first bytes. */
export function storedAtMsOf(record: Buffer): number {
  const at = (record.readInt32BE(36) & 0x10) === 0 ? 56 : 68
  return record.readInt32BE(at) * 0x1_0000_0000 + record.readUInt32BE(at + 4)
}

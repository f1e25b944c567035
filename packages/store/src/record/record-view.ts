import { bodyCrc, hasQueueEntry, minRecordBytes, RecordAt, RecordMagic, SysFlag } from '@skua-mq/protocol'
import { sectorBytes } from './zero-sector.ts'

/** A size above this is taken for damage. */
export const maxRecordBytes = 256 * 1024 * 1024

const word = 0x1_0000_0000

/** What `RecordView.parse` found at a place of the log. */
export type Parsed =
  /** A whole record. */
  | 'record'
  /** The blank record at the end of a file. */
  | 'blank'
  /** Zeros: nothing was written here. */
  | 'empty'
  /** Neither: a torn or damaged record. */
  | 'damaged'

/**
 * Where the parts of one stored record lie (store.md 2.1), found without an object per record: a scan of the log reuses
 * one view. Positions are into `bytes`.
 */
export class RecordView {
  bytes: Buffer = Buffer.alloc(0)
  at = 0
  size = 0
  queueId = 0
  queueOffset = 0
  physicalOffset = 0
  sysFlag = 0
  storedAtMs = 0
  bodyAt = 0
  bodyLength = 0
  topicAt = 0
  topicLength = 0
  propertiesAt = 0
  propertiesLength = 0
  readonly plainTail = 0

  /** Parses the record at `at` which ends by `limit`. The body is not looked at: see `crcMatches`. */
  parse(bytes: Buffer, at: number, limit: number): Parsed {
    if (limit - at < 8) return 'empty'
    const magic = bytes.readInt32BE(at + 4)
    this.size = bytes.readInt32BE(at)
    if (magic === RecordMagic.blank) return 'blank'
    if (magic !== RecordMagic.v1 && magic !== RecordMagic.v2)
      return magic === 0 && this.size === 0 ? 'empty' : 'damaged'
    if (this.size < minRecordBytes || this.size > limit - at) return 'damaged'
    this.bytes = bytes
    this.at = at
    return this.layOut(magic === RecordMagic.v2 ? 2 : 1) ? 'record' : 'damaged'
  }

  get topic(): string {
    return this.bytes.toString('utf8', this.topicAt, this.topicAt + this.topicLength)
  }

  /** Whether it has a place in a queue. */
  get hasQueueEntry(): boolean {
    return isQueued(this.sysFlag)
  }

  /** Whether the body is what its CRC says. */
  crcMatches(): boolean {
    if (this.bodyLength === 0) return true
    const stored = this.bytes.readInt32BE(this.at + RecordAt.bodyCrc)
    return bodyCrc(this.bytes, this.bodyAt, this.bodyAt + this.bodyLength) === stored
  }

  /**
   * Whether the end of the record was never written. No CRC covers topic and properties; bytes that were not written are
   * zero, and the store takes no message whose properties end so.
   */
  lacksEnd(): boolean {
    if (this.propertiesLength > 0) return this.bytes[this.at + this.size - 1] === 0
    return this.topicLength > 0 && this.bytes[this.topicAt + this.topicLength - 1] === 0
  }

  /**
   * Whether a sector lacks which holds some of the topic and the properties: no CRC covers them, and a disk writes whole
   * sectors. `fileOffset` is the record's place in its file, whose unwritten bytes are zero.
   */
  lacksSector(fileOffset: number): boolean {
    const end = this.at + this.size
    let from = this.topicAt
    while (from < end) {
      const place = fileOffset + from - this.at
      const to = Math.min(end, from + sectorBytes - (place % sectorBytes))
      let at = from
      while (at < to && this.bytes[at] === 0) at++
      if (at === to && to - from > 2) return true
      from = to
    }
    return false
  }

  private layOut(topicLengthBytes: 1 | 2): boolean {
    const { bytes, at } = this
    const end = at + this.size
    this.queueId = bytes.readInt32BE(at + 12)
    this.queueOffset = readLong(bytes, at + 20)
    this.physicalOffset = readLong(bytes, at + 28)
    this.sysFlag = bytes.readInt32BE(at + 36)
    let next = at + 48 + ((this.sysFlag & 0x10) === 0 ? 8 : 20)
    this.storedAtMs = readLong(bytes, next)
    next += 8 + ((this.sysFlag & 0x20) === 0 ? 8 : 20) + 12
    if (next + 4 > end) return false
    this.bodyLength = bytes.readInt32BE(next)
    this.bodyAt = next + 4
    if (this.bodyLength < 0) return false
    next = this.bodyAt + this.bodyLength
    if (next + topicLengthBytes + 2 > end) return false
    this.topicLength = topicLengthBytes === 1 ? bytes.readUInt8(next) : bytes.readUInt16BE(next)
    this.topicAt = next + topicLengthBytes
    next = this.topicAt + this.topicLength
    if (next + 2 > end) return false
    this.propertiesLength = bytes.readInt16BE(next)
    this.propertiesAt = next + 2
    return this.propertiesLength >= 0 && this.propertiesAt + this.propertiesLength === end
  }
}

/**
 * PREPARED and ROLLBACK records have no place in a queue (store.md 2.7), and inner batches of 5.x none in an ordinary
 * one (store.md 2.9).
 */
export function isQueued(sysFlag: number): boolean {
  return hasQueueEntry(sysFlag) && (sysFlag & SysFlag.innerBatch) === 0
}

export function readLong(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * word + bytes.readUInt32BE(at + 4)
}

export function writeLong(bytes: Buffer, value: number, at: number): void {
  bytes.writeInt32BE(Math.floor(value / word), at)
  bytes.writeInt32BE(value | 0, at + 4)
}

import { minRecordBytes } from '@skua-mq/protocol'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import type { QueueEntry } from '../message-store.ts'
import { type LogReader, recordSizeAt } from '../reader.ts'

/** Reads of the log while its records are walked through. */
const pieceBytes = 256 * 1024

/** A record of the log: where it begins, and behind its last byte. */
export interface RecordPlace {
  readonly begin: number
  readonly end: number
}

/** Where records begin, for whoever compares this log with another one. */
export class LogLandmarks {
  private readonly log: CommitLog
  private readonly queues: QueueTable
  private readonly reader: LogReader
  private readonly entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]

  constructor(parts: { log: CommitLog; queues: QueueTable; reader: LogReader }) {
    this.log = parts.log
    this.queues = parts.queues
    this.reader = parts.reader
  }

  /** Where the files of the log begin that have anything, oldest first. Each begins with a record. */
  get files(): readonly number[] {
    return this.log.segments.all.map(({ base }) => base).filter(base => base < this.log.written)
  }

  /** The last whole record; undefined where there is none. */
  async last(): Promise<RecordPlace | undefined> {
    const { files } = this
    for (let at = files.length - 1; at >= 0; at--) {
      const from = Math.max(files[at]!, at === files.length - 1 ? this.lastQueued() : 0)
      let last: RecordPlace | undefined
      await this.walk(from, place => {
        last = place
      })
      if (last !== undefined) return last
    }
    return undefined
  }

  /** The records of one file of the log, from its beginning or that of one of its records on. */
  async records(from: number): Promise<RecordPlace[]> {
    const places: RecordPlace[] = []
    await this.walk(from, place => places.push(place))
    return places
  }

  /** Where the last message of all queues begins: from there on there are few records. */
  private lastQueued(): number {
    let last = -1
    for (const queue of this.queues.all()) {
      if (queue.maxPhysicalOffset <= last || queue.entries(queue.maxOffset - 1, this.entry) === 0) continue
      if (this.entry[0]!.size > 0) last = Math.max(last, this.entry[0]!.physicalOffset)
    }
    return last
  }

  private async walk(from: number, found: (place: RecordPlace) => unknown): Promise<void> {
    const { log } = this
    const { size } = log.segments
    const to = Math.min(log.recordsEnd, from - (from % size) + size)
    let piece: Buffer = Buffer.alloc(0)
    let base = from
    for (let at = from; at + minRecordBytes <= to; ) {
      if (at + minRecordBytes > base + piece.length) {
        base = at
        piece = await this.reader.read(at, Math.min(pieceBytes, to - at))
        if (piece.length < minRecordBytes) return
      }
      const length = recordSizeAt(piece, at - base)
      if (length === undefined || at + length > to) return
      found({ begin: at, end: at + length })
      at += length
    }
  }
}

import { RecordMagic } from '@skua-mq/protocol'
import { defineEvent, type Events, Failure } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { queueAwaiting } from '../consume-queue/record-place.ts'
import type { Dispatch } from '../dispatch.ts'
import type { LogFlush } from '../flush/log-flush.ts'
import type { Health } from '../health.ts'
import { maxRecordBytes, type Parsed, RecordView } from '../record/record-view.ts'
import type { TurnWrite } from './turn-write.ts'

export const replicaDamaged = defineEvent<{ offset: number; to: number }>(
  'what the master sent holds no record; the rest of its file is skipped',
  'error',
)

export interface ReplicaParts {
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly dispatch: Dispatch
  readonly flush: LogFlush
  readonly turnWrite: TurnWrite
  readonly events: Events
  readonly health: Pick<Health, 'has' | 'fault'>
}

const headBytes = 8

/** Whether it says that it is a record. */
function isMarked(bytes: Buffer, at: number): boolean {
  const magic = bytes.readInt32BE(at + 4)
  return magic === RecordMagic.v1 || magic === RecordMagic.v2
}

interface Padding {
  readonly from: number
  readonly to: number
}

const noPadding: Padding = { from: 0, to: 0 }

/**
 * A slave's way into the log: the bytes of its master, as they lie there and cut anywhere (ha.md 2). A record is written when it
 * is whole, and in one write, as a master writes its own: a power cut leaves no sector of it as it was between two pieces. What came of
 * the next one is held in memory; the end of a file behind its last record is written as it comes.
 */
export class ReplicaAppend {
  private readonly parts: ReplicaParts
  private readonly view = new RecordView()
  /** The beginning of a record whose rest has not come; its first byte belongs at `heldFrom`. */
  private held: Buffer = Buffer.alloc(0)
  private heldBytes = 0
  private heldFrom = 0
  /** As many bytes are needed before it is worth looking again. */
  private needed = headBytes
  /** Between these the log holds no record: the end of a file behind its last one. */
  private padding: Padding = noPadding

  constructor(parts: ReplicaParts) {
    this.parts = parts
  }

  /**
   * Takes the bytes that follow those before, or the end of the log: what was held of a record is given up then; or the first ones of an
   * empty log. The whole records are in the page cache when it returns. Throws EREPLICA when the bytes do not follow or the disk does not take what
   * came before, or a DiskError: nothing of them is in the log then.
   */
  append(offset: number, bytes: Buffer): void {
    const { log, health } = this.parts
    // The probe makes zeros of what lies behind the end, and nobody may append there meanwhile.
    if (health.has('log write') || health.has('log sync') || health.has('fault'))
      throw new Failure('EREPLICA', 'the store is read-only until the commit log can be written again')
    // What queues and index cannot write stays in memory, and the master knows no end.
    if (health.has('queue write'))
      throw new Failure(
        'EREPLICA',
        'consume queues or index could not be written, and what waits for them is in memory',
      )
    if (this.heldBytes > 0 && offset === this.heldFrom + this.heldBytes) {
      this.hold(bytes)
      if (this.heldBytes >= this.needed) this.take(this.held.subarray(0, this.heldBytes))
      return
    }
    if (log.segments.first !== undefined && offset !== log.end)
      throw new Failure('EREPLICA', `bytes of the master begin at ${offset}, the log here ends at ${log.end}`)
    this.forget()
    this.heldFrom = offset
    this.take(bytes)
  }

  /**
   * Forgets what came of a record that is not whole, and takes the end of a file out of the log again, where that is not whole: both
   * are asked for anew. A master would write behind the mark that nothing follows there. Throws DiskError.
   */
  async cut(): Promise<void> {
    const { log, flush, health } = this.parts
    // Where it begins is a figure like others.
    if (health.has('fault')) return
    const { paddingFrom } = log
    this.forget()
    this.padding = noPadding
    if (paddingFrom === undefined) return
    try {
      await log.segments.clearFrom(paddingFrom)
    } catch (error) {
      flush.failed(error)
      throw error
    }
    log.cut(paddingFrom)
    flush.cut(paddingFrom)
  }

  private forget(): void {
    this.held = Buffer.alloc(0)
    this.heldBytes = 0
    this.needed = headBytes
  }

  /** The bytes belong to the caller: they are copied. */
  private hold(bytes: Buffer): void {
    const length = this.heldBytes + bytes.length
    if (length > this.held.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, Math.min(2 * this.held.length, this.needed)))
      this.held.copy(larger, 0, 0, this.heldBytes)
      this.held = larger
    }
    bytes.copy(this.held, this.heldBytes)
    this.heldBytes = length
  }

  private take(buffer: Buffer): void {
    const { log, turnWrite, health } = this.parts
    const { heldFrom: begin, padding } = this
    let used: number
    try {
      used = this.write(buffer, begin)
    } catch (error) {
      log.rollback()
      this.padding = padding
      this.forget()
      turnWrite.becomeReadOnly(error)
      throw error
    }
    try {
      this.dispatch(buffer.subarray(0, used), begin, padding)
      log.paddingFrom = this.padding.to > log.end ? this.padding.from : undefined
    } catch (error) {
      // The bytes are in the log, and their messages in no queue: only a start makes that good.
      health.fault(error)
      throw error
    }
    const { needed } = this
    this.forget()
    this.needed = needed
    this.heldFrom = begin + used
    this.hold(buffer.subarray(used))
    if (used > 0) this.parts.flush.written(false)
  }

  /** Writes the whole records in the buffer, whose first byte belongs at `begin`; returns how many bytes they are. Throws DiskError. */
  private write(buffer: Buffer, begin: number): number {
    const { log } = this.parts
    let at = 0
    while (at < buffer.length) {
      const padded = Math.min(buffer.length - at, this.padding.to - begin - at)
      if (padded > 0) {
        if (log.segments.first === undefined) log.open(begin, 0)
        log.appendPadding(buffer.subarray(at, at + padded))
        at += padded
        continue
      }
      this.needed = headBytes
      if (buffer.length - at < headBytes) break
      const found = this.parse(buffer, at, begin)
      if (found === 'record') {
        if (log.segments.first === undefined) log.open(begin, 0)
        log.appendRecord(buffer, at, this.view.size)
        at += this.view.size
      } else if (found === 'damaged' && isMarked(buffer, at) && this.mayFollow(begin + at, buffer.length - at)) {
        this.needed = this.view.size
        break
      } else this.pad(begin + at, found)
    }
    log.writeTurn()
    return at
  }

  /** `padding`: as it was before these bytes. */
  private dispatch(buffer: Buffer, begin: number, padding: Padding): void {
    let at = Math.max(0, padding.to - begin)
    while (at < buffer.length) {
      if (this.parse(buffer, at, begin) !== 'record') at = this.fileEnd(begin + at) - begin
      else {
        this.dispatchRecord()
        at += this.view.size
      }
    }
  }

  /** No record goes beyond the end of a file. */
  private parse(buffer: Buffer, at: number, begin: number): Parsed {
    return this.view.parse(buffer, at, Math.min(buffer.length, this.fileEnd(begin + at) - begin))
  }

  /** Whether the rest of the record is still to come. */
  private mayFollow(offset: number, have: number): boolean {
    const { size } = this.view
    return size > have && size <= maxRecordBytes && offset + size <= this.fileEnd(offset)
  }

  private pad(offset: number, found: 'blank' | 'empty' | 'damaged'): void {
    this.padding = { from: offset, to: this.fileEnd(offset) }
    if (found === 'damaged') this.parts.events.emit(replicaDamaged({ offset, to: this.padding.to }))
  }

  private fileEnd(offset: number): number {
    const { size } = this.parts.log.segments
    return offset - (offset % size) + size
  }

  private dispatchRecord(): void {
    const { view } = this
    const { log, queues, dispatch, turnWrite } = this.parts
    const topic = queues.topicNamed(view.bytes, view.topicAt, view.topicLength)
    const ended = queues.find(topic, view.queueId)?.maxOffset ?? 0
    const queue = queueAwaiting(queues, view, { topic, fillsGaps: true, begin: log.minOffset })
    if (typeof queue === 'object') {
      if (queue.maxOffset < ended) turnWrite.restarted(queue)
      dispatch.both(view, queue)
      turnWrite.arrived(queue)
    } else dispatch.toIndex(view, topic)
    log.lastStoredAtMs = log.writtenStoredAtMs = Math.max(log.lastStoredAtMs, view.storedAtMs)
  }
}

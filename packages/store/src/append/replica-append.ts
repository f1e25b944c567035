import { defineEvent, type Events, Failure } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { queueAwaiting } from '../consume-queue/record-place.ts'
import type { Dispatch } from '../dispatch.ts'
import type { LogFlush } from '../flush/log-flush.ts'
import type { Health } from '../health.ts'
import { RecordView } from '../record/record-view.ts'
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

/**
 * A slave's way into the log: the bytes of its master, as they lie there and cut anywhere. They are written as they come;
 * records are dispatched to queues and index when they are whole (ha.md 2).
 */
export class ReplicaAppend {
  private readonly parts: ReplicaParts
  private readonly view = new RecordView()
  /** The beginning of a record whose rest has not come, as it came. */
  private pieces: Buffer[] = []
  private pieceBytes = 0
  /** As many bytes are needed before it is worth looking again. */
  private needed = headBytes
  /** Between these the log holds no record: the end of a file behind its last one. */
  private paddedFrom = 0
  private paddedTo = 0

  constructor(parts: ReplicaParts) {
    this.parts = parts
  }

  /**
   * Takes the bytes that follow the end of the log, or the first ones of an empty log. They are in the page cache when it
   * returns. Throws EREPLICA when they do not follow or the disk does not take what came before, or a DiskError: nothing of them is in the log then.
   */
  append(offset: number, bytes: Buffer): void {
    const { log, flush, turnWrite, health } = this.parts
    // The probe makes zeros of what lies behind the end, and nobody may append there meanwhile.
    if (health.has('log write') || health.has('log sync') || health.has('fault'))
      throw new Failure('EREPLICA', 'the store is read-only until the commit log can be written again')
    // What queues and index cannot write stays in memory, and the master knows no end.
    if (health.has('queue write'))
      throw new Failure(
        'EREPLICA',
        'consume queues or index could not be written, and what waits for them is in memory',
      )
    if (log.segments.first === undefined) log.open(offset, 0)
    if (offset !== log.end)
      throw new Failure('EREPLICA', `bytes of the master begin at ${offset}, the log here ends at ${log.end}`)
    try {
      log.appendRaw(bytes)
    } catch (error) {
      log.rollback()
      turnWrite.becomeReadOnly(error)
      throw error
    }
    try {
      this.take(bytes)
    } catch (error) {
      // The bytes are in the log, and their messages in no queue: only a start makes that good.
      health.fault(error)
      throw error
    }
    flush.written(false)
  }

  /**
   * Takes a record that is not whole out of the log again, and the end of a file: it is asked for anew. A master would write
   * behind the mark that nothing follows there. Throws DiskError.
   */
  async cut(): Promise<void> {
    const { log, flush, health } = this.parts
    // Where it begins is a figure like others.
    if (health.has('fault')) return
    const { partialFrom } = log
    this.forget()
    this.paddedTo = 0
    if (partialFrom === undefined) return
    try {
      await log.segments.clearFrom(partialFrom)
    } catch (error) {
      flush.failed(error)
      throw error
    }
    log.cut(partialFrom)
    flush.cut(partialFrom)
  }

  private forget(): void {
    this.pieces = []
    this.pieceBytes = 0
    this.needed = headBytes
  }

  private take(bytes: Buffer): void {
    const { log } = this.parts
    // The bytes belong to the caller: what is kept is copied below.
    const whole = this.pieceBytes === 0 ? bytes : undefined
    if (whole === undefined) {
      this.pieces.push(Buffer.from(bytes))
      this.pieceBytes += bytes.length
      if (this.pieceBytes < this.needed) return
    }
    const buffer = whole ?? Buffer.concat(this.pieces)
    const begin = log.end - buffer.length
    const used = this.dispatch(buffer, begin)
    const rest = buffer.subarray(used)
    const { needed } = this
    this.forget()
    const padding = this.paddedTo > log.end ? this.paddedFrom : undefined
    log.partialFrom = rest.length > 0 ? begin + used : padding
    if (rest.length === 0) return
    this.needed = needed
    this.pieces = [Buffer.from(rest)]
    this.pieceBytes = rest.length
  }

  /** Dispatches the whole records in the buffer, whose first byte lies at `begin`; returns how many bytes are done. */
  private dispatch(buffer: Buffer, begin: number): number {
    let at = 0
    while (at < buffer.length) {
      const padding = Math.min(buffer.length - at, this.paddedTo - begin - at)
      if (padding > 0) {
        at += padding
        continue
      }
      this.needed = headBytes
      if (buffer.length - at < headBytes) return at
      const found = this.view.parse(buffer, at, buffer.length)
      if (found === 'record') {
        this.dispatchRecord()
        at += this.view.size
      } else if (found === 'damaged' && this.mayFollow(begin + at, buffer.length - at)) {
        this.needed = this.view.size
        return at
      } else this.pad(begin + at, found)
    }
    return at
  }

  /** Whether the rest of the record is still to come. */
  private mayFollow(offset: number, have: number): boolean {
    const { size } = this.view
    return size > have && offset + size <= this.fileEnd(offset)
  }

  private pad(offset: number, found: 'blank' | 'empty' | 'damaged'): void {
    this.paddedFrom = offset
    this.paddedTo = this.fileEnd(offset)
    if (found === 'damaged') this.parts.events.emit(replicaDamaged({ offset, to: this.paddedTo }))
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

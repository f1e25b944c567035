import {
  type BatchedSpan,
  blankRecordBytes,
  draftRecord,
  forEachBatched,
  maxPropertiesBytes,
  maxTopicBytesV1,
  maxTopicBytesV2,
  PropertyScan,
  propertySeparator,
  type RecordDraft,
  recordPropertiesLength,
  recordSize,
  scanProperties,
  writeRecord,
} from '@skua-mq/protocol'
import type { Clock, Turn, TurnSlot } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { Chunk } from '../commit-log/log-ring.ts'
import type { StoreConfig } from '../config.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { isPlain } from '../dispatch.ts'
import type { LogFlush } from '../flush/log-flush.ts'
import type { Health } from '../health.ts'
import type { AppendWaiter, Draft, PutStatus } from '../put.ts'
import { isQueued } from '../record/record-view.ts'
import { hasZeroSector } from '../record/zero-sector.ts'
import type { Answers, Replicas } from './answers.ts'
import type { PutSlot, SlotPool } from './put-slot.ts'
import type { TurnWrite } from './turn-write.ts'

/** What the appender works with; all of it lives as long as the store. */
export interface AppenderParts {
  readonly clock: Clock
  readonly turn: Turn
  readonly config: StoreConfig
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly flush: LogFlush
  readonly answers: Answers
  readonly replicas: Replicas | undefined
  readonly health: Health
  readonly pool: SlotPool
  readonly turnWrite: TurnWrite
}

/**
 * Takes messages: checks, assigns offsets, and lays the record into memory. The bytes reach the file at the end of the
 * turn (`TurnWrite`). Nothing is allocated per message: drafts, slots and records are reused.
 */
export class Appender {
  private readonly parts: AppenderParts
  private readonly record: RecordDraft
  private readonly maxTopicBytes: number
  private slot: TurnSlot | undefined
  /** Wall clock and monotonic clock, read once per turn; -1 before the first message of a turn. */
  private storedAtMs = -1
  private monotonicMs = 0
  /** Recovery would take the record, or one of the batch, for torn. */
  private seemsTorn = false
  private isAgain = false
  /** Of the properties of a record, bytes at their end which dispatch need not look at. */
  private plainTail = 0
  private readonly tailScan = new PropertyScan()

  constructor(parts: AppenderParts) {
    this.parts = parts
    this.maxTopicBytes = parts.config.autoMessageVersionOnTopicLen ? maxTopicBytesV2 : maxTopicBytesV1
    this.record = draftRecord({ storeHost: parts.config.storeHost })
  }

  start(): void {
    this.slot = this.parts.turn.join('write', () => this.endTurn())
  }

  /** Writes what is left of the turn. */
  stop(): void {
    this.endTurn()
    this.slot?.leave()
    this.slot = undefined
  }

  append(draft: Draft, waiter: AppendWaiter): void {
    const { record } = this
    this.begin(draft)
    record.flag = draft.flag
    record.bodyStart = draft.bodyStart
    record.bodyEnd = draft.bodyEnd
    record.properties = draft.properties
    record.propertiesStart = draft.propertiesStart
    record.propertiesEnd = draft.propertiesEnd
    record.tailEnd = record.tailStart = record.tailGap = 0
    this.plainTail = 0
    const size = recordSize(record)
    this.seemsTorn = this.hasZeros()
    if (this.refused(waiter, size, recordPropertiesLength(record))) return
    const chunk = this.reserve(size, waiter)
    if (chunk === undefined) return
    const queue = this.parts.queues.findOrCreate(draft.topic, draft.queueId)
    const slot = this.take(draft, waiter, size)
    place(slot, queue, chunk)
    this.write(queue, chunk)
    this.parts.turnWrite.add(slot)
  }

  appendBatch(draft: Draft, waiter: AppendWaiter): void {
    this.begin(draft)
    const range = { start: draft.bodyStart, end: draft.bodyEnd }
    let total = 0
    let longest = 0
    this.seemsTorn = false
    const { record } = this
    record.tail = draft.properties
    record.tailStart = draft.propertiesStart
    record.tailEnd = draft.propertiesEnd
    this.plainTail = this.plainLengthOf(draft)
    // Only measured here, and written below: the whole batch goes into one segment or is refused as a whole.
    const count = forEachBatched(draft.body, range, span => {
      this.fill(span)
      total += recordSize(record)
      longest = Math.max(longest, recordPropertiesLength(record))
      this.seemsTorn ||= this.hasZeros()
    })
    if (typeof count !== 'number') {
      this.refuse(waiter, 'messageIllegal', `the batch is damaged: ${count.remark} (byte ${count.position})`)
      return
    }
    this.record.bodyStart = draft.bodyStart
    this.record.bodyEnd = draft.bodyEnd
    if (count === 0) this.refuse(waiter, 'messageIllegal', 'the batch is empty')
    if (count === 0 || this.tooLong(waiter, total) || this.refused(waiter, total, longest)) return
    const chunk = this.reserve(total, waiter)
    if (chunk === undefined) return
    const queue = this.parts.queues.findOrCreate(draft.topic, draft.queueId)
    const slot = this.take(draft, waiter, total)
    place(slot, queue, chunk)
    const offsets: number[] = []
    forEachBatched(draft.body, range, span => {
      this.fill(span)
      offsets.push(this.parts.log.end)
      this.write(queue, chunk)
    })
    slot.result.count = count
    slot.result.batchOffsets = offsets
    this.parts.turnWrite.add(slot)
  }

  private begin(draft: Draft): void {
    if (this.storedAtMs < 0) this.monotonicMs = this.parts.clock.monotonic()
    // Asked for each message: with the time of a long turn's begin delayed messages would be delivered early.
    this.storedAtMs = Math.max(this.parts.clock.now(), this.parts.log.lastStoredAtMs)
    this.isAgain = draft.isAgain
    const { record } = this
    record.queueId = draft.queueId
    record.sysFlag = draft.sysFlag
    record.bornTimestamp = draft.bornAtMs
    record.bornHost = draft.bornHost
    record.storeTimestamp = this.storedAtMs
    record.reconsumeTimes = draft.reconsumeTimes
    record.preparedTransactionOffset = draft.preparedTransactionOffset
    record.body = draft.body
    record.topic = this.parts.queues.topicBytes(draft.topic)
  }

  /** The record of one message of a batch; its properties are its own, then the batch's (store.md 2.4). */
  private fill(span: BatchedSpan): void {
    const { record } = this
    record.flag = span.flag
    record.bodyStart = span.bodyStart
    record.bodyEnd = span.bodyEnd
    record.properties = span.bytes
    record.propertiesStart = span.propertiesStart
    record.propertiesEnd = span.propertiesEnd
    const isOpen = span.propertiesEnd > span.propertiesStart && span.bytes[span.propertiesEnd - 1] !== propertySeparator
    record.tailGap = isOpen && record.tailEnd > record.tailStart ? 1 : 0
  }

  /** How much of the end of each message of a batch dispatch need not look at: all that the batch has, or nothing. */
  private plainLengthOf({ properties, propertiesStart, propertiesEnd }: Draft): number {
    scanProperties(properties, propertiesStart, propertiesEnd, this.tailScan)
    return isPlain(this.tailScan) ? propertiesEnd - propertiesStart : 0
  }

  private endTurn(): void {
    this.storedAtMs = -1
    this.parts.turnWrite.run()
  }

  /** Lays `this.record` at the end of the log. */
  private write(queue: ConsumeQueue, chunk: Chunk): void {
    const { record, parts } = this
    record.queueOffset = isQueued(record.sysFlag) ? queue.nextOffset++ : 0
    record.physicalOffset = parts.log.end
    const end = writeRecord(chunk.bytes, chunk.used, record)
    parts.turnWrite.records.add(end - chunk.used, recordPropertiesLength(record), this.plainTail)
    parts.log.commit(chunk, end - chunk.used)
    parts.log.lastStoredAtMs = this.storedAtMs
  }

  /** A slot for the append, filled but for its place. */
  private take(draft: Draft, waiter: AppendWaiter, size: number): PutSlot {
    const { config, log, pool, replicas } = this.parts
    const slot = pool.take()
    slot.waiter = waiter
    slot.firstRecord = this.parts.turnWrite.records.count
    slot.sysFlag = draft.sysFlag
    slot.hasQueueEntry = isQueued(draft.sysFlag)
    slot.end = log.end + size
    slot.needsSync = draft.waitStored && config.flushDiskType === 'SYNC_FLUSH'
    slot.syncDeadline = this.monotonicMs + config.syncFlushTimeout
    const wantsSlave = draft.waitStored && config.brokerRole === 'SYNC_MASTER'
    slot.needsSlave = wantsSlave && replicas?.available === true
    slot.slaveDeadline = this.monotonicMs + config.slaveTimeout
    const { result } = slot
    result.status = wantsSlave && !slot.needsSlave ? 'slaveNotAvailable' : 'ok'
    result.physicalOffset = log.end
    result.size = size
    result.storedAtMs = this.storedAtMs
    result.count = 1
    result.remark = ''
    this.slot?.arm()
    return slot
  }

  private reserve(size: number, waiter: AppendWaiter): Chunk | undefined {
    try {
      if (this.parts.turnWrite.isLong) this.parts.turnWrite.run()
      if (this.parts.health.refusing === undefined) return this.parts.log.reserve(size)
      this.refuse(waiter, 'serviceNotAvailable', this.parts.health.refusing.remark)
    } catch (error) {
      this.parts.turnWrite.stuck(error)
      this.refuse(waiter, 'failed', `no room in the commit log: ${String(error)}`)
    }
    return undefined
  }

  private hasZeros(): boolean {
    const { properties, propertiesStart, propertiesEnd, tail, tailStart, tailEnd } = this.record
    const isTailed = tailEnd > tailStart
    const last = isTailed ? tail[tailEnd - 1] : properties[propertiesEnd - 1]
    if (last === 0 && (isTailed || propertiesEnd > propertiesStart)) return true
    return hasZeroSector(properties, propertiesStart, propertiesEnd) || hasZeroSector(tail, tailStart, tailEnd)
  }

  private refused(waiter: AppendWaiter, size: number, propertiesBytes: number): boolean {
    const { config, health, flush } = this.parts
    const { record } = this
    const bodyBytes = record.bodyEnd - record.bodyStart
    const topicBytes = record.topic.length
    health.watch?.()
    if (health.refusing !== undefined) this.refuse(waiter, health.refusing.status, health.refusing.remark)
    else if (flush.dirtyBytes > config.maxDirtyBytes) this.refuse(waiter, 'busy', flush.busyRemark())
    else if (topicBytes > this.maxTopicBytes || topicBytes === 0) {
      this.refuse(waiter, 'messageIllegal', `the topic has ${topicBytes} bytes; 1 to ${this.maxTopicBytes} are allowed`)
    } else if (bodyBytes > config.maxMessageSize && !this.isAgain) {
      this.refuse(
        waiter,
        'messageIllegal',
        `the body has ${bodyBytes} bytes; maxMessageSize is ${config.maxMessageSize}`,
      )
    } else if (propertiesBytes > maxPropertiesBytes) {
      const remark = `the properties have ${propertiesBytes} bytes; ${maxPropertiesBytes} are allowed`
      this.refuse(waiter, 'propertiesSizeExceeded', remark)
    } else if (this.seemsTorn) {
      // Recovery tells a torn record by zero bytes at its end, or in all of a sector.
      this.refuse(waiter, 'messageIllegal', 'the properties end with a zero byte, or hold 512 of them in a row')
    } else if (size + blankRecordBytes > config.mappedFileSizeCommitLog) {
      const remark = `the record has ${size} bytes; mappedFileSizeCommitLog is ${config.mappedFileSizeCommitLog}`
      this.refuse(waiter, 'messageIllegal', remark)
    } else return false
    return true
  }

  /** The properties of a batch are stored with each of its messages: a small one may become a thousand times as large. */
  private tooLong(waiter: AppendWaiter, total: number): boolean {
    const { maxBatchBytes } = this.parts.config
    if (total <= maxBatchBytes) return false
    this.refuse(
      waiter,
      'messageIllegal',
      `the batch has ${total} bytes as it is stored; maxBatchBytes is ${maxBatchBytes}`,
    )
    return true
  }

  private refuse(waiter: AppendWaiter, status: PutStatus, remark: string): void {
    const slot = this.parts.pool.take()
    const { result } = slot
    result.status = status
    result.remark = remark
    result.physicalOffset = -1
    result.queueOffset = 0
    result.size = 0
    result.count = 0
    result.storedAtMs = 0
    slot.waiter = waiter
    slot.answer()
    this.parts.pool.give(slot)
  }
}

/** Where the append will lie. Apart from `take`, so that neither needs an object for its arguments. */
function place(slot: PutSlot, queue: ConsumeQueue, chunk: Chunk): void {
  slot.queue = queue
  slot.chunk = chunk
  slot.at = chunk.used
  slot.result.queueOffset = slot.hasQueueEntry ? queue.nextOffset : 0
}

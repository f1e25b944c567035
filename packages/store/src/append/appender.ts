import type { Clock, Turn, TurnSlot } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { Chunk } from '../commit-log/log-ring.ts'
import type { StoreConfig } from '../config.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import type { LogFlush } from '../flush/log-flush.ts'
import type { Health } from '../health.ts'
import type { AppendWaiter, Draft, PutStatus } from '../put.ts'
import {
  Content,
  maxPropertiesBytes,
  maxTopicBytes,
  type Placement,
  type RecordParts,
  recordSize,
  writeRecord,
} from '../record/format.ts'
import type { Answers, Replicas } from './answers.ts'
import { BatchReader } from './batch-reader.ts'
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
  private readonly batch = new BatchReader()
  private readonly record: RecordParts
  private slot: TurnSlot | undefined
  /** Wall clock and monotonic clock, read once per turn; -1 before the first message of a turn. */
  private storedAtMs = -1
  private monotonicMs = 0

  constructor(parts: AppenderParts, emptyDraft: Draft) {
    this.parts = parts
    const topicBytes = new Uint8Array(0)
    const placement: Placement = {
      queueOffset: 0,
      physicalOffset: 0,
      storedAtMs: 0,
      storeHost: parts.config.storeHost,
      topicBytes,
    }
    this.record = { draft: emptyDraft, content: new Content(), placement, size: 0 }
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
    const { content, placement } = record
    this.begin(draft)
    content.flag = draft.flag
    setSpan(content.body, draft.body, { start: draft.bodyStart, end: draft.bodyEnd })
    setSpan(content.properties, draft.properties, { start: draft.propertiesStart, end: draft.propertiesEnd })
    content.tail.start = content.tail.end = 0
    record.size = recordSize(draft, content, placement)
    if (this.refused(waiter)) return
    const chunk = this.reserve(record.size, waiter)
    if (chunk === undefined) return
    const queue = this.parts.queues.findOrCreate(draft.topic, draft.queueId)
    const slot = this.take({ waiter, queue, chunk, size: record.size })
    this.write(queue, chunk)
    this.parts.turnWrite.add(slot)
  }

  appendBatch(draft: Draft, waiter: AppendWaiter): void {
    const { record, batch } = this
    this.begin(draft)
    const tail = record.content.tail
    setSpan(tail, draft.properties, { start: draft.propertiesStart, end: draft.propertiesEnd })
    const total = this.batchSize(draft)
    if (total === 0) {
      this.refuse(waiter, 'messageIllegal', `the batch is damaged at message ${batch.count}`)
      return
    }
    if (batch.longestProperties > maxPropertiesBytes) {
      this.refusePropertiesSize(waiter, batch.longestProperties)
      return
    }
    record.size = total
    setSpan(record.content.body, draft.body, { start: draft.bodyStart, end: draft.bodyEnd })
    record.content.properties.start = record.content.properties.end = 0
    if (this.refused(waiter)) return
    const chunk = this.reserve(total, waiter)
    if (chunk === undefined) return
    const queue = this.parts.queues.findOrCreate(draft.topic, draft.queueId)
    const slot = this.take({ waiter, queue, chunk, size: total })
    const offsets: number[] = []
    batch.open(draft)
    while (batch.next(record.content)) {
      record.size = recordSize(draft, record.content, record.placement)
      offsets.push(this.parts.log.end)
      this.write(queue, chunk)
    }
    slot.result.count = offsets.length
    slot.result.batchOffsets = offsets
    this.parts.turnWrite.add(slot)
  }

  private begin(draft: Draft): void {
    if (this.storedAtMs < 0) {
      this.storedAtMs = Math.max(this.parts.clock.now(), this.parts.log.lastStoredAtMs)
      this.monotonicMs = this.parts.clock.monotonic()
    }
    this.record.draft = draft
    this.record.placement.topicBytes = this.parts.queues.topicBytes(draft.topic)
  }

  private endTurn(): void {
    this.storedAtMs = -1
    this.parts.turnWrite.run()
  }

  private batchSize(draft: Draft): number {
    const { batch, record } = this
    let total = 0
    batch.open(draft)
    while (batch.next(record.content)) total += recordSize(draft, record.content, record.placement)
    return batch.damaged ? 0 : total
  }

  /** Lays `this.record` at the end of the log. */
  private write(queue: ConsumeQueue, chunk: Chunk): void {
    const { record, parts } = this
    const { placement } = record
    const transaction = record.draft.sysFlag & 0xc
    const hasEntry = transaction === 0 || transaction === 0x8
    placement.queueOffset = hasEntry ? queue.nextOffset++ : 0
    placement.physicalOffset = parts.log.end
    placement.storedAtMs = this.storedAtMs
    writeRecord(chunk.bytes, chunk.used, record)
    parts.log.commit(chunk, record.size)
    parts.log.lastStoredAtMs = this.storedAtMs
  }

  private take(append: { waiter: AppendWaiter; queue: ConsumeQueue; chunk: Chunk; size: number }): PutSlot {
    const { config, log, pool, replicas } = this.parts
    const { draft } = this.record
    const slot = pool.take()
    const transaction = draft.sysFlag & 0xc
    slot.waiter = append.waiter
    slot.queue = append.queue
    slot.chunk = append.chunk
    slot.at = append.chunk.used
    slot.end = log.end + append.size
    slot.needsSync = draft.waitStored && config.flushDiskType === 'SYNC_FLUSH'
    slot.syncDeadline = this.monotonicMs + config.syncFlushTimeout
    const wantsSlave = draft.waitStored && config.brokerRole === 'SYNC_MASTER'
    slot.needsSlave = wantsSlave && replicas?.available === true
    slot.slaveDeadline = this.monotonicMs + config.slaveTimeout
    const { result } = slot
    result.status = wantsSlave && !slot.needsSlave ? 'slaveNotAvailable' : 'ok'
    result.physicalOffset = log.end
    result.queueOffset = transaction === 0 || transaction === 0x8 ? append.queue.nextOffset : 0
    result.size = append.size
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

  private refused(waiter: AppendWaiter): boolean {
    const { config, health, flush } = this.parts
    const { content, placement, size } = this.record
    if (health.refusing !== undefined) this.refuse(waiter, health.refusing.status, health.refusing.remark)
    else if (flush.dirtyBytes > config.maxDirtyBytes) this.refuse(waiter, 'busy', flush.busyRemark())
    else if (placement.topicBytes.length > maxTopicBytes || placement.topicBytes.length === 0) {
      const remark = `the topic has ${placement.topicBytes.length} bytes; 1 to ${maxTopicBytes} are allowed`
      this.refuse(waiter, 'messageIllegal', remark)
    } else if (content.body.length > config.maxMessageSize) {
      const remark = `the body has ${content.body.length} bytes; maxMessageSize is ${config.maxMessageSize}`
      this.refuse(waiter, 'messageIllegal', remark)
    } else if (content.propertiesSize > maxPropertiesBytes) this.refusePropertiesSize(waiter, content.propertiesSize)
    else if (size + 8 > config.mappedFileSizeCommitLog) {
      const remark = `the record has ${size} bytes; mappedFileSizeCommitLog is ${config.mappedFileSizeCommitLog}`
      this.refuse(waiter, 'messageIllegal', remark)
    } else return false
    return true
  }

  private refusePropertiesSize(waiter: AppendWaiter, size: number): void {
    const remark = `the properties have ${size} bytes; ${maxPropertiesBytes} are allowed`
    this.refuse(waiter, 'propertiesSizeExceeded', remark)
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

function setSpan(
  span: { bytes: Uint8Array; start: number; end: number },
  bytes: Uint8Array,
  range: { start: number; end: number },
): void {
  span.bytes = bytes
  span.start = range.start
  span.end = range.end
}

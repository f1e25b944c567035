import { defineEvent, Failure, makeDirectorySynced, parentOf } from '@skua-mq/runtime'
import type { PutTimes } from './append/put-times.ts'
import type { StoreConfig } from './config.ts'
import type { ConsumeQueue } from './consume-queue/consume-queue.ts'
import { fillSize } from './consume-queue/unit.ts'
import type { StoreFigures } from './figures.ts'
import type { GetRequest, GetResult } from './get.ts'
import type {
  ArrivalListener,
  KeyQuery,
  KeyQueryResult,
  LogHolder,
  MessageQueue,
  MessageStore,
  QueueEntry,
  Refusing,
} from './message-store.ts'
import type { AppendWaiter, Draft } from './put.ts'
import { offsetByTime } from './queue-time.ts'
import { LogLandmarks } from './read/landmarks.ts'
import { storedAtMsOf } from './reader.ts'
import { forgetTailCut, readTailCut, type TailCut } from './recovery/tail-cut.ts'
import type { StoreNeeds } from './store-needs.ts'
import { type StoreParts, storeParts } from './store-parts.ts'

const headBytes = 80

export const stopFailed = defineEvent<{ what: string; error: string }>(
  'a part of the store did not stop cleanly',
  'error',
)

/**
 * The message store over one directory, interchangeable with RocketMQ's. `start` recovers what is on disk; `stop`
 * writes, syncs, and leaves the mark of a clean stop.
 */
export class Store implements MessageStore {
  readonly name = 'store'
  readonly landmarks: LogLandmarks
  private readonly parts: StoreParts
  private cut: TailCut | undefined
  private readonly entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]

  constructor(config: StoreConfig, needs: StoreNeeds) {
    this.parts = storeParts(config, needs)
    this.landmarks = new LogLandmarks(this.parts)
    this.parts.health.set('stopped', 'the store is not started')
  }

  get refusing(): Refusing | undefined {
    const { health, flush, config } = this.parts
    if (health.refusing !== undefined) return health.refusing
    return flush.dirtyBytes > config.maxDirtyBytes ? { status: 'busy', remark: flush.busyRemark() } : undefined
  }

  get putTimes(): string {
    return this.parts.putTimes.toString()
  }

  get puts(): PutTimes {
    return this.parts.putTimes
  }

  get figures(): StoreFigures {
    return this.parts.figures
  }

  get tailCut(): TailCut | undefined {
    return this.cut
  }

  cutSettled(): void {
    if (this.cut !== undefined) forgetTailCut(this.parts.disk, this.parts.layout)
    this.cut = undefined
  }

  setShortOfReplicas(remark: string | undefined): void {
    const { health } = this.parts
    if (remark === undefined) health.clear('replicas')
    else health.set('replicas', remark)
  }

  holdAppends(remark: string): () => void {
    const { health } = this.parts
    health.set('held', remark)
    return () => health.clear('held')
  }

  beforeAppends(run: (() => void) | undefined): void {
    this.parts.health.watch = run
  }

  get minPhysicalOffset(): number {
    return this.parts.log.minOffset
  }

  get maxPhysicalOffset(): number {
    return this.parts.log.written
  }

  /** Throws ESTORELOCKED, ESEGMENT, or a DiskError. */
  async start(): Promise<void> {
    const {
      disk,
      layout,
      lock,
      recovery,
      flush,
      answers,
      appender,
      turnWrite,
      dispatchFlush,
      retention,
      health,
      probe,
      suspicion,
      config,
    } = this.parts
    makeDirectorySynced(disk, layout.root)
    lock.acquire()
    try {
      disk.syncDirectory(parentOf(layout.root))
      const recovered = await recovery.run()
      this.cut = readTailCut(disk, layout)
      flush.start(recovered.syncedOffset)
      answers.start(recovered.syncedOffset)
      turnWrite.start()
      appender.start()
      if (suspicion.raised) await probe.rewriteUnsynced()
      if (recovered.crashed) await flush.syncAll()
      dispatchFlush.start(recovered.points)
      retention.start()
      if (config.brokerRole === 'SLAVE') health.set('slave', 'brokerRole is SLAVE: messages come from the master only')
      health.clear('stopped')
      flush.begin()
    } catch (error) {
      await this.abandon()
      throw error
    }
  }

  /** After a start that failed: nothing runs on, and nothing is written to what recovery may not have read. */
  private async abandon(): Promise<void> {
    const { probe, flush, answers, appender, turnWrite, dispatchFlush, retention, files, lock } = this.parts
    for (const part of [probe, retention]) await part.stop()
    await dispatchFlush.abandon()
    await flush.abandon()
    appender.stop()
    answers.stop()
    turnWrite.stop()
    files.closeAll()
    await this.attempt('the lock', () => lock.release())
  }

  /** What goes wrong is told as an event, and keeps nothing else from ending. */
  async stop(): Promise<void> {
    const { probe, flush, answers, appender, replica, turnWrite, dispatchFlush, retention, health, log, files, lock } =
      this.parts
    health.set('stopped', 'the store is stopping')
    appender.stop()
    await this.attempt('the probe of the disk', () => probe.stop())
    const isCut = await this.attempt('the end of the replica', () => replica.cut())
    await this.attempt('retention', () => retention.stop())
    await this.attempt('the commit log', () => flush.stop())
    answers.stop()
    turnWrite.stop()
    // What a failed turn left behind the end of the log is neither synced nor cleared: the next start must look at it.
    const isWhole = isCut && flush.synced === log.written && log.strayEnd <= log.written
    const isDispatched = await dispatchFlush.stop()
    if (isDispatched && isWhole) await this.attempt('the mark of a clean stop', () => this.markClean())
    files.closeAll()
    await this.attempt('the lock', () => lock.release())
  }

  private markClean(): void {
    const { disk, files, layout } = this.parts
    disk.remove(layout.abort)
    files.syncDirectory(layout.root)
  }

  private async attempt(what: string, work: () => Promise<unknown> | unknown): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      this.parts.events.emit(stopFailed({ what, error: String(error) }))
      return false
    }
  }

  append(draft: Draft, waiter: AppendWaiter): void {
    this.parts.appender.append(draft, waiter)
  }

  appendBatch(draft: Draft, waiter: AppendWaiter): void {
    this.parts.appender.appendBatch(draft, waiter)
  }

  appendReplicated(offset: number, bytes: Buffer): void {
    this.parts.replica.append(offset, bytes)
  }

  readLog(offset: number, maxBytes: number): Promise<Buffer> {
    return this.parts.reader.raw(offset, maxBytes)
  }

  get(request: GetRequest, result: GetResult): Promise<void> | undefined {
    return this.parts.queueRead.get(request, result)
  }

  readRecord(physicalOffset: number): Promise<Buffer | undefined> {
    return this.parts.reader.record(physicalOffset)
  }

  readRecordSync(physicalOffset: number): Buffer | undefined {
    return this.parts.reader.recordSync(physicalOffset)
  }

  queue(topic: string, queueId: number): MessageQueue | undefined {
    return this.parts.queues.find(topic, queueId)
  }

  queues(): Iterable<MessageQueue> {
    return this.parts.queues.all()
  }

  minOffset(topic: string, queueId: number): number {
    return this.parts.queues.find(topic, queueId)?.minOffset ?? 0
  }

  maxOffset(topic: string, queueId: number): number {
    return this.parts.queues.find(topic, queueId)?.maxOffset ?? 0
  }

  async offsetByTime(topic: string, queueId: number, atMs: number): Promise<number> {
    const queue = this.parts.queues.find(topic, queueId)
    if (queue === undefined) return 0
    return offsetByTime(queue, atMs, offset => this.storedAtIn(queue, offset))
  }

  async storedAt(topic: string, queueId: number, offset: number): Promise<number> {
    const queue = this.parts.queues.find(topic, queueId)
    return queue === undefined ? -1 : this.storedAtIn(queue, offset)
  }

  async earliestStoredAt(topic: string, queueId: number): Promise<number> {
    const queue = this.parts.queues.find(topic, queueId)
    return queue === undefined ? -1 : this.storedAtIn(queue, queue.minOffset)
  }

  firstMessageInMemory(topic: string, queueId: number): boolean {
    const queue = this.parts.queues.find(topic, queueId)
    if (queue === undefined || queue.minOffset > 0) return queue === undefined
    if (queue.entries(0, this.entry) === 0) return true
    const { config, log } = this.parts
    const near = (config.totalMemoryBytes * config.accessMessageInMemoryMaxRatio) / 100
    return log.written - this.entry[0]!.physicalOffset <= near
  }

  async query(query: KeyQuery): Promise<KeyQueryResult> {
    const { index, config } = this.parts
    const maxCount = Math.min(query.maxCount, config.maxMsgsNumBatch)
    return (
      (await index?.query({ ...query, maxCount })) ?? {
        physicalOffsets: [],
        indexUpdatedAtMs: 0,
        indexUpdatedOffset: 0,
      }
    )
  }

  deleteTopic(topic: string): void {
    // Its files may be another process's by now.
    if (this.parts.health.has('stopped')) throw new Failure('ESTOPPED', 'the store is not started, or stops')
    // What this turn has taken for it goes with it: units of a queue that is gone would lie in memory, and be written.
    this.parts.turnWrite.run()
    try {
      this.parts.queues.deleteTopic(topic)
    } finally {
      this.parts.dispatchFlush.deleted()
    }
  }

  deleteExpired(): void {
    this.parts.retention.ask()
  }

  hold(holder: LogHolder): void {
    this.parts.retention.hold(holder)
  }

  async sync(): Promise<boolean> {
    const { log, flush } = this.parts
    const end = log.written
    await flush.syncAll()
    return flush.synced >= end
  }

  onArrival(listener: ArrivalListener): void {
    this.parts.turnWrite.onArrival(listener)
  }

  private async storedAtIn(queue: ConsumeQueue, offset: number): Promise<number> {
    if (queue.entries(offset, this.entry) === 0) return -1
    const { physicalOffset, size } = this.entry[0]!
    if (size === fillSize) return -1
    const head = await this.parts.reader.read(physicalOffset, Math.min(headBytes, size))
    return head.length < headBytes ? -1 : storedAtMsOf(head)
  }
}

import type { TimerCounts } from '@skua-mq/protocol'
import type { TableFile } from '../persist/table-file.ts'
import { TableVersion } from '../persist/table-file.ts'

/** Topics that are counted; more are not. */
const maxTopics = 100_000

/** How many timers wait for each topic: config/timermetrics, as RocketMQ keeps it. */
export class TimerTopicCounts {
  private readonly topics = new Map<string, { count: number; timeStamp: number }>()
  private readonly version = new TableVersion()
  private readonly file: TableFile<TimerCounts>
  private readonly now: () => number
  private saved = 0

  constructor(file: TableFile<TimerCounts>, now: () => number) {
    this.file = file
    this.now = now
  }

  /** No broker stays down for its counts: what waits when they are lost is not counted. */
  load(): void {
    const table = this.file.loadDerived()
    if (table === undefined) return
    for (const [topic, { count, timeStamp }] of table.timingCount) this.topics.set(topic, { count, timeStamp })
    if (table.dataVersion !== undefined) this.version.read(table.dataVersion)
    this.saved = this.version.counter
  }

  count(topic: string, step: number): void {
    let entry = this.topics.get(topic)
    if (entry === undefined) {
      if (this.topics.size >= maxTopics) return
      entry = { count: 0, timeStamp: 0 }
      this.topics.set(topic, entry)
    }
    entry.count += step
    entry.timeStamp = this.now()
    this.version.next(entry.timeStamp)
  }

  /** All are counted again. */
  clear(): void {
    if (this.topics.size === 0) return
    this.topics.clear()
    this.version.next(this.now())
  }

  /** How many wait for a topic. */
  of(topic: string): number {
    return this.topics.get(topic)?.count ?? 0
  }

  forget(topic: string): void {
    if (this.topics.delete(topic)) this.version.next(this.now())
  }

  /** 61, and the file. */
  table(): TimerCounts {
    return { dataVersion: { ...this.version.toJSON(), stateVersion: 0 }, timingCount: new Map(this.topics) }
  }

  async save(): Promise<void> {
    const { counter } = this.version
    if (counter !== this.saved && (await this.file.saveLater(this.table()))) this.saved = counter
  }

  saveAtStop(): void {
    if (this.version.counter !== this.saved && this.file.saveAtStop(this.table())) this.saved = this.version.counter
  }
}

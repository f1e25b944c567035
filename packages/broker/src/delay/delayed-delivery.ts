import type { DelayOffsetTable } from '@skua-mq/protocol'
import { type Clock, type Events, every, type Timer } from '@skua-mq/runtime'
import type { ArrivalListener, MessageStore } from '@skua-mq/store'
import type { TableFile } from '../persist/table-file.ts'
import { scheduleTopic } from './delay-step.ts'
import { DelayedLevel } from './delayed-level.ts'

export interface DelayedDeliveryParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<MessageStore, 'append' | 'get' | 'queue' | 'refusing' | 'onArrival'>
  /** Milliseconds, level 1 first. */
  readonly levels: readonly number[]
  readonly file: TableFile<DelayOffsetTable>
  /** flushDelayOffsetInterval */
  readonly intervalMs: number
}

/**
 * Delayed messages of all levels (store.md 7.1). How far each has come is kept in config/delayOffset.json, written every
 * flushDelayOffsetInterval when something changed, and at the end.
 */
export class DelayedDelivery implements ArrivalListener {
  private readonly parts: DelayedDeliveryParts
  private readonly levels: readonly DelayedLevel[]
  private saved = ''
  private replaced = ''
  private timer: Timer | undefined

  constructor(parts: DelayedDeliveryParts) {
    this.parts = parts
    this.levels = parts.levels.map((delayMs, at) => new DelayedLevel({ ...parts, level: at + 1, delayMs }))
    parts.store.onArrival(this)
  }

  /** When the store is open. */
  start(): void {
    const offsets = this.parts.file.load()?.offsetTable ?? new Map<number, number>()
    this.levels.forEach((level, at) => {
      level.start(offsets.get(at + 1) ?? 0)
    })
    this.timer = every(this.parts.clock, this.parts.intervalMs, () => this.saveIfChanged())
  }

  /** While the store is still open: what it was given is waited for, so that a restart delivers nothing twice. */
  async stop(): Promise<void> {
    this.timer?.cancel()
    await Promise.all(this.levels.map(level => level.stop()))
    this.save()
  }

  /** On disk when it returns, or an event says why not. */
  save(): void {
    if (this.isChanged()) this.parts.file.saveAtStop(this.table())
  }

  /** A slave keeps its master's file, from which it goes on when it is started as a master. */
  replace(table: DelayOffsetTable): void {
    const text = JSON.stringify([...table.offsetTable])
    if (text === this.replaced) return
    this.replaced = text
    void this.parts.file.saveLater({ offsetTable: table.offsetTable })
  }

  arrived(topic: string, queueId: number): void {
    if (topic === scheduleTopic) this.levels[queueId]?.wake()
  }

  /** 45, and the file: level to the next offset; levels that never had a message are left out. */
  table(): DelayOffsetTable {
    const offsetTable = new Map<number, number>()
    this.levels.forEach(({ delivered }, at) => {
      if (delivered > 0) offsetTable.set(at + 1, delivered)
    })
    return { offsetTable }
  }

  private isChanged(): boolean {
    const now = [...this.table().offsetTable].join()
    if (now === this.saved) return false
    this.saved = now
    return true
  }

  private async saveIfChanged(): Promise<void> {
    if (this.isChanged() && !(await this.parts.file.saveLater(this.table()))) this.saved = ''
  }
}

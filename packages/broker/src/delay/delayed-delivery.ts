import { type DelayOffsetTable, scheduleTopic } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, every, type Timer } from '@skua-mq/runtime'
import type { ArrivalListener, MessageStore, PutResult } from '@skua-mq/store'
import type { TableFile } from '../persist/table-file.ts'
import { DelayedLevel } from './delayed-level.ts'

export const delayLevelsMissing = defineEvent<{ levels: string; messages: number }>(
  'delayed messages wait in levels that messageDelayLevel lacks, and come at their times',
  'warn',
)
/** Levels beyond those of messageDelayLevel whose messages are looked for. */
const maxFormerLevels = 256

export interface DelayedDeliveryParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<
    MessageStore,
    'append' | 'get' | 'queue' | 'queues' | 'refusing' | 'readRecord' | 'onArrival' | 'sync' | 'hold' | 'tailCut'
  >
  /** Milliseconds, level 1 first. */
  readonly levels: readonly number[]
  readonly file: TableFile<DelayOffsetTable>
  /** flushDelayOffsetInterval */
  readonly intervalMs: () => number
  /** Told of each message that was delivered, with its own topic. */
  readonly delivered?: (topic: string, result: PutResult) => void
  /** Makes the topic where messages are kept which the store refuses for good, and says its name. */
  readonly undeliverable: () => string
}

/**
 * Delayed messages of all levels (store.md 7.1). How far each has come is kept in config/delayOffset.json, written every
 * flushDelayOffsetInterval when something changed, and at the end.
 */
export class DelayedDelivery implements ArrivalListener {
  private readonly parts: DelayedDeliveryParts
  private readonly levels: DelayedLevel[]
  /** What the file holds for certain; undefined while nobody knows. */
  private saved: string | undefined = ''
  private saving: Promise<void> | undefined
  private replaced: string | undefined
  private timer: Timer | undefined

  constructor(parts: DelayedDeliveryParts) {
    this.parts = parts
    this.levels = parts.levels.map((delayMs, at) => new DelayedLevel({ ...parts, level: at + 1, delayMs }))
    parts.store.onArrival(this)
    parts.store.hold({ what: 'delayed messages', from: () => this.heldFrom() })
  }

  /** The first message of the log that is not delivered. */
  private heldFrom(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.levels.map(level => level.heldFrom()))
  }

  /** When the store is open. */
  start(): void {
    const offsets = this.parts.file.load()?.offsetTable ?? new Map<number, number>()
    this.addFormerLevels(offsets)
    this.levels.forEach((level, at) => {
      level.start(offsets.get(at + 1) ?? 0)
    })
    this.timer = every(this.parts.clock, this.parts.intervalMs, () => this.saveIfChanged())
  }

  /**
   * Levels that were taken out of messageDelayLevel while messages waited in them. Each of those says when it is due, which is all that
   * is known of it; how far they are stays in the file, or a start with the former levels would deliver all of them again.
   */
  private addFormerLevels(offsets: ReadonlyMap<number, number>): void {
    const { parts, levels } = this
    const known = parts.levels.length
    const missing: number[] = []
    let messages = 0
    for (const { topic, queueId, maxOffset, minOffset } of parts.store.queues()) {
      if (topic !== scheduleTopic || queueId < known || queueId >= known + maxFormerLevels) continue
      while (levels.length <= queueId)
        levels.push(new DelayedLevel({ ...parts, level: levels.length + 1, delayMs: Number.POSITIVE_INFINITY }))
      const waiting = maxOffset - Math.max(minOffset, offsets.get(queueId + 1) ?? 0)
      if (waiting <= 0) continue
      missing.push(queueId + 1)
      messages += waiting
    }
    if (messages > 0) parts.events.emit(delayLevelsMissing({ levels: missing.sort((a, b) => a - b).join(), messages }))
  }

  /** Of a slave whose log was cut: what was delivered behind the cut was not. Throws DiskError. */
  cutToLog(): void {
    const { file, store } = this.parts
    if (store.tailCut === undefined) return
    const offsets = file.load()?.offsetTable ?? new Map<number, number>()
    const cut = [...offsets].map(
      ([level, offset]) => [level, Math.min(offset, store.queue(scheduleTopic, level - 1)?.maxOffset ?? 0)] as const,
    )
    file.save({ offsetTable: new Map(cut) })
  }

  /** While the store is still open: what it was given is waited for, so that a restart delivers nothing twice. */
  async stop(): Promise<void> {
    this.timer?.cancel()
    await Promise.all(this.levels.map(level => level.stop()))
    if (await this.parts.store.sync()) this.save()
  }

  /** On disk when it returns, or an event says why not. */
  save(): void {
    const table = this.table()
    const text = textOf(table)
    // One that is under way may still fail; this one overtakes it.
    if (this.saving === undefined && text === this.saved) return
    this.saving = undefined
    this.saved = this.parts.file.saveAtStop(table) ? text : undefined
  }

  /** A slave keeps its master's file, from which it goes on when it is started as a master. */
  async replace(table: DelayOffsetTable): Promise<void> {
    const text = textOf(table)
    if (text === this.replaced) return
    this.replaced = text
    const isSaved = await this.parts.file.saveLater({ offsetTable: table.offsetTable })
    // What could not be saved is not there, and comes again with the master's next answer.
    if (!isSaved && this.replaced === text) this.replaced = undefined
  }

  arrived(topic: string, queueId: number, maxOffset: number): void {
    if (topic === scheduleTopic) this.levels[queueId]?.arrived(maxOffset)
  }

  /** 45, and the file: level to the next offset; levels that never had a message are left out. */
  table(): DelayOffsetTable {
    const offsetTable = new Map<number, number>()
    this.levels.forEach(({ delivered }, at) => {
      if (delivered > 0) offsetTable.set(at + 1, delivered)
    })
    return { offsetTable }
  }

  /** The same of a slave: what it has taken of its master, or has delivered while it was one. */
  kept(): DelayOffsetTable {
    return { offsetTable: this.parts.file.load()?.offsetTable ?? new Map<number, number>() }
  }

  /** As in RocketMQ's runtime information: of each level that has messages, how far it is, and its end. */
  progress(): Record<string, string> {
    const { store } = this.parts
    const told: Record<string, string> = {}
    this.levels.forEach(({ delivered }, at) => {
      const end = store.queue(scheduleTopic, at)?.maxOffset ?? 0
      if (end > 0) told[`scheduleMessageOffset_${at + 1}`] = `${delivered},${end}`
    })
    return told
  }

  private saveIfChanged(): Promise<void> | undefined {
    if (this.saving !== undefined) return undefined
    const table = this.table()
    const text = textOf(table)
    if (text === this.saved) return undefined
    const saving: Promise<void> = this.saveSynced(table, () => this.saving === saving).then(isSaved => {
      if (this.saving !== saving) return
      this.saved = isSaved ? text : undefined
      this.saving = undefined
    })
    this.saving = saving
    return saving
  }

  /** What counts as delivered must not be on the medium before what was delivered: a power cut would lose it. */
  private async saveSynced(table: DelayOffsetTable, isWanted: () => boolean): Promise<boolean> {
    const { store, file } = this.parts
    return (await store.sync()) && isWanted() && file.saveLater(table)
  }
}

const textOf = ({ offsetTable }: DelayOffsetTable): string => [...offsetTable].join()

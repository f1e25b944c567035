import { type Clock, defineEvent, type Events, every, type Timer } from '@skua-mq/runtime'
import type { TableFile } from '../persist/table-file.ts'

export const offsetMovedBack = defineEvent<{
  group: string
  topic: string
  queueId: number
  from: number
  to: number
  who: string
}>('consumer offset moved back', 'warn')

/** Moves that are remembered for the question who moved an offset. */
export const maxRememberedMoves = 1000

export interface OffsetMove {
  readonly atMs: number
  readonly group: string
  readonly topic: string
  readonly queueId: number
  readonly from: number
  readonly to: number
  readonly who: string
}

export interface OffsetTableParts {
  readonly clock: Clock
  readonly events: Events
  readonly file: TableFile
  readonly intervalMs: () => number
}

const keyOf = (topic: string, group: string): string => `${topic}@${group}`

/**
 * Where each group stands in each queue: the next offset to consume. Kept in config/consumerOffset.json, which is
 * written every flushConsumerOffsetInterval when something changed, and at the end.
 */
export class OffsetTable {
  private readonly offsets = new Map<string, Map<number, number>>()
  private readonly parts: OffsetTableParts
  private readonly moves: OffsetMove[] = []
  private dirty = false
  private timer: Timer | undefined

  constructor(parts: OffsetTableParts) {
    this.parts = parts
  }

  load(): void {
    const saved = this.parts.file.load()
    const table = (saved?.['offsetTable'] ?? {}) as Record<string, unknown>
    for (const [key, queues] of Object.entries(table)) {
      const entries = queues instanceof Map ? [...queues] : Object.entries(queues as object)
      this.offsets.set(key, new Map(entries.map(([queueId, offset]) => [Number(queueId), Number(offset)])))
    }
  }

  start(): void {
    this.timer = every(this.parts.clock, this.parts.intervalMs(), () => this.saveIfDirty())
  }

  stop(): void {
    this.timer?.cancel()
    this.saveIfDirty()
  }

  /** Undefined when the group never committed here. */
  find(group: string, topic: string, queueId: number): number | undefined {
    return this.offsets.get(keyOf(topic, group))?.get(queueId)
  }

  /** Stores what it gets, also smaller values (remoting.md 11, code 15); who went back is remembered. */
  commit(commit: { group: string; topic: string; queueId: number; offset: number; who: string }): void {
    const key = keyOf(commit.topic, commit.group)
    let queues = this.offsets.get(key)
    if (queues === undefined) {
      queues = new Map()
      this.offsets.set(key, queues)
    }
    const before = queues.get(commit.queueId)
    if (before === commit.offset) return
    queues.set(commit.queueId, commit.offset)
    this.dirty = true
    if (before !== undefined && commit.offset < before) this.rememberMove(commit, before)
  }

  private rememberMove(
    commit: { group: string; topic: string; queueId: number; offset: number; who: string },
    from: number,
  ): void {
    const { group, topic, queueId, offset, who } = commit
    this.parts.events.emit(offsetMovedBack({ group, topic, queueId, from, to: offset, who }))
    if (this.moves.length >= maxRememberedMoves) this.moves.shift()
    this.moves.push({ atMs: this.parts.clock.now(), group, topic, queueId, from, to: offset, who })
  }

  movesOf(group: string): readonly OffsetMove[] {
    return this.moves.filter(move => move.group === group)
  }

  /** Queue id → offset of a group in a topic. */
  ofTopic(group: string, topic: string): ReadonlyMap<number, number> {
    return this.offsets.get(keyOf(topic, group)) ?? none
  }

  /** Topics in which a group has committed. */
  topicsOf(group: string): string[] {
    const suffix = `@${group}`
    return [...this.offsets.keys()].filter(key => key.endsWith(suffix)).map(key => key.slice(0, -suffix.length))
  }

  groupsOf(topic: string): string[] {
    const prefix = `${topic}@`
    return [...this.offsets.keys()].filter(key => key.startsWith(prefix)).map(key => key.slice(prefix.length))
  }

  /** 314: a group begins where another stands. */
  clone({ from, to, topic }: { from: string; to: string; topic: string }): void {
    const queues = this.offsets.get(keyOf(topic, from))
    if (queues === undefined) return
    this.offsets.set(keyOf(topic, to), new Map(queues))
    this.dirty = true
  }

  deleteGroup(group: string): void {
    for (const topic of this.topicsOf(group)) this.offsets.delete(keyOf(topic, group))
    this.dirty = true
  }

  deleteTopic(topic: string): void {
    for (const group of this.groupsOf(topic)) this.offsets.delete(keyOf(topic, group))
    this.dirty = true
  }

  /** 43: all of it, as the file has it. */
  all(): ReadonlyMap<string, ReadonlyMap<number, number>> {
    return this.offsets
  }

  private saveIfDirty(): void {
    if (!this.dirty) return
    this.dirty = false
    this.parts.file.save({ offsetTable: this.offsets })
  }
}

const none: ReadonlyMap<number, number> = new Map()

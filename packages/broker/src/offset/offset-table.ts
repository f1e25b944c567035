import { type ConsumerOffsetTable, reviveGroup } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, every, type Timer } from '@skua-mq/runtime'
import { SaveSoon } from '../persist/save-soon.ts'
import type { TableFile } from '../persist/table-file.ts'
import { maxGroupLength, maxRetryTopicLength } from '../topic/names.ts'
import { transactionGroup } from '../transaction/half-message.ts'

export const offsetMovedBack = defineEvent<OffsetMove & Record<string, unknown>>('consumer offset moved back', 'warn')

/** Of offsets that are deleted together so many are told of; there may be a million. */
export const maxMovesTold = 1000
/** Queues of groups with an offset; a commit that would be one more is refused. */
export const maxOffsets = 1_000_000

/** A change of an offset that is not the ordinary progress of a consumer. */
export interface OffsetMove {
  readonly atMs: number
  readonly group: string
  readonly topic: string
  readonly queueId: number
  /** Undefined when the group had none. */
  readonly from: number | undefined
  /** Undefined when it has none any more. */
  readonly to: number | undefined
  /** A client, a tool, or what the broker itself did. */
  readonly who: string
  /** Name of the request that did it; undefined where the broker did it by itself. */
  readonly request: string | undefined
}

export interface Commit {
  readonly group: string
  readonly topic: string
  readonly queueId: number
  readonly offset: number
  readonly who: string
  /** Name of the request. */
  readonly request?: string
  /** Not the group's own progress: told of also when it goes forward. */
  readonly byHand?: boolean
}

export interface OffsetTableParts {
  readonly clock: Clock
  readonly events: Events
  readonly file: TableFile<ConsumerOffsetTable>
  /** flushConsumerOffsetInterval */
  readonly intervalMs: () => number
  /** Default `maxOffsets`. */
  readonly limit?: number
  /** Whether a queue waits for its consumers to hear of a reset: what they commit meanwhile is of the past. */
  readonly isHeld?: (group: string, topic: string, queueId: number) => boolean
  /** Is told of every change that is not the ordinary progress of a consumer. */
  readonly moved?: (move: OffsetMove) => void
}

/**
 * Under this name the table of offsets has how far into the timer's topic the offsets of groups know of pops: behind it a
 * start reads them again. Skua's own; Java does not look at it.
 */
export const positionsGroup = 'CID_RMQ_SYS_POP_POSITIONS'

/** Under these names the broker itself notes how far it has read its own log: half messages, and pops in flight. */
export const brokersGroups: readonly string[] = [transactionGroup, reviveGroup, positionsGroup]

const isBrokers = (key: string): boolean => brokersGroups.some(group => key.endsWith(`@${group}`))

const keyOf = (topic: string, group: string): string => `${topic}@${group}`

/** No topic's name holds an `@`; that of a group may, where a client commits for one that nobody would create. */
function placeOf(key: string): { topic: string; group: string } {
  const at = key.indexOf('@')
  return { topic: key.slice(0, at), group: key.slice(at + 1) }
}

/**
 * Where each group stands in each queue: the next offset to consume. Kept in config/consumerOffset.json, which is
 * written every flushConsumerOffsetInterval when something changed, and at the end.
 */
export class OffsetTable {
  /** There was no file. */
  isNew = false
  private readonly offsets = new Map<string, Map<number, number>>()
  /** Where a group has offsets, and who has some in a topic: tools ask for each of thousands. */
  private readonly topics = new Map<string, Set<string>>()
  private readonly groups = new Map<string, Set<string>>()
  private readonly parts: OffsetTableParts
  private count = 0
  private dirty = false
  private saving = 0
  private timer: Timer | undefined
  private readonly limit: number
  private readonly soon: SaveSoon
  private readonly settling: (() => Promise<void>)[] = []

  constructor(parts: OffsetTableParts) {
    this.parts = parts
    this.soon = new SaveSoon(parts.clock, () => this.saveLater())
    this.limit = parts.limit ?? maxOffsets
  }

  load(): void {
    const saved = this.parts.file.load()
    this.isNew = saved === undefined
    for (const [key, queues] of saved?.offsetTable ?? []) {
      const { topic, group } = placeOf(key)
      this.enter(topic, group, new Map(queues))
      this.count += queues.size
    }
  }

  start(): void {
    this.timer = every(this.parts.clock, this.parts.intervalMs, () => this.saveIfDirty())
  }

  /** The last save is a blocking one and overtakes one that is under way. */
  stop(): void {
    this.timer?.cancel()
    this.soon.stop()
    this.save()
  }

  /** On disk when it returns, or an event says why not. */
  save(): void {
    if (this.dirty || this.saving > 0) this.dirty = !this.parts.file.saveAtStop({ offsetTable: this.offsets })
  }

  /** Runs before `settled` saves: somebody has offsets which belong together with what is moved by hand. */
  beforeSettled(settle: () => Promise<void>): void {
    this.settling.push(settle)
  }

  /** Undefined when the group never committed here. */
  find(group: string, topic: string, queueId: number): number | undefined {
    return this.offsets.get(keyOf(topic, group))?.get(queueId)
  }

  /**
   * Stores what it gets, also smaller values (remoting.md 11, code 15); whoever goes back, or moves it from outside of
   * the group, is told of. False when the table is full (`maxOffsets`), the offset is none, or a name is longer than any.
   */
  commit(commit: Commit): boolean {
    const { group, topic, queueId, offset, who, request } = commit
    if (!Number.isSafeInteger(offset)) return false
    if (group.length > maxGroupLength || topic.length > maxRetryTopicLength) return false
    if (commit.byHand !== true && this.parts.isHeld?.(group, topic, queueId) === true) return true
    const from = this.find(group, topic, queueId)
    if (from === offset) return true
    if (!this.put({ topic, group }, queueId, offset)) return false
    const back = from !== undefined && offset < from
    if (back || commit.byHand === true) this.tell({ group, topic, queueId, from, to: offset, who, request })
    return true
  }

  /** Why `commit` has returned false. */
  reasonOf({ group, topic, offset }: Pick<Commit, 'group' | 'topic' | 'offset'>): string {
    if (!Number.isSafeInteger(offset)) return `offset ${offset} is not a valid offset: a whole number below 2^53 is`
    if (group.length > maxGroupLength)
      return `the name of the group has ${group.length} characters, at most ${maxGroupLength} are taken`
    if (topic.length > maxRetryTopicLength)
      return `the name of the topic has ${topic.length} characters, at most ${maxRetryTopicLength} are taken`
    return `this broker keeps ${this.limit} offsets, and no more`
  }

  /**
   * Moves who stands behind the end of a queue to that end: a power cut may take messages that were consumed, and the next
   * ones get their places. Returns whom.
   */
  cutTo(endOf: (topic: string, queueId: number) => number, who: string): Commit[] {
    const cut: Commit[] = []
    for (const [key, queues] of this.offsets) {
      const { topic, group } = placeOf(key)
      for (const [queueId, offset] of queues) {
        const end = endOf(topic, queueId)
        if (offset > end) cut.push({ group, topic, queueId, offset: end, who, byHand: true })
      }
    }
    for (const commit of cut) this.commit(commit)
    return cut
  }

  /** What a master has: groups and queues that it does not name stay. Returns how many did not fit. */
  takeAll(table: ConsumerOffsetTable['offsetTable']): number {
    let left = 0
    for (const [key, queues] of table) {
      const place = placeOf(key)
      for (const [queueId, offset] of queues) if (!this.put(place, queueId, offset)) left++
    }
    return left
  }

  /** What a master does not have any more since the topic or the group was deleted there. What the broker notes for itself stays. */
  dropGone(table: ConsumerOffsetTable['offsetTable'], isGone: (topic: string, group: string) => boolean): void {
    for (const key of [...this.offsets.keys()]) {
      if (table.has(key) || isBrokers(key)) continue
      const { topic, group } = placeOf(key)
      if (isGone(topic, group)) this.forget(topic, group, { who: 'deleted at the master', request: undefined })
    }
  }

  /** False when the table is full. */
  private put({ topic, group }: { topic: string; group: string }, queueId: number, offset: number): boolean {
    const from = this.find(group, topic, queueId)
    if (from === offset) return true
    if (from === undefined) {
      if (this.count >= this.limit) return false
      this.count++
    }
    this.queuesOf(topic, group).set(queueId, offset)
    this.dirty = true
    return true
  }

  private queuesOf(topic: string, group: string): Map<number, number> {
    let queues = this.offsets.get(keyOf(topic, group))
    if (queues === undefined) {
      queues = new Map()
      this.enter(topic, group, queues)
    }
    return queues
  }

  private enter(topic: string, group: string, queues: Map<number, number>): void {
    this.offsets.set(keyOf(topic, group), queues)
    addTo(this.topics, group, topic)
    addTo(this.groups, topic, group)
  }

  /** Who moved an offset (promises, row 10): also for members who will move it because they are told to. */
  tell(move: Omit<OffsetMove, 'atMs'>): void {
    const told = { atMs: this.parts.clock.now(), ...move }
    this.parts.moved?.(told)
    if (move.from !== undefined && move.to !== undefined && move.to < move.from)
      this.parts.events.emit(offsetMovedBack(told))
  }

  /** Queue id → offset of a group in a topic. */
  ofTopic(group: string, topic: string): ReadonlyMap<number, number> {
    return this.offsets.get(keyOf(topic, group)) ?? none
  }

  /** Topics in which a group has committed. */
  topicsOf(group: string): string[] {
    return [...(this.topics.get(group) ?? [])]
  }

  groupsOf(topic: string): string[] {
    return [...(this.groups.get(topic) ?? [])]
  }

  deleteGroup(group: string, who: string, request?: string): void {
    for (const topic of this.topicsOf(group)) this.forget(topic, group, { who, request })
  }

  deleteTopic(topic: string, who: string, request?: string): void {
    for (const group of this.groupsOf(topic)) this.forget(topic, group, { who, request })
  }

  /** The queue begins anew. */
  deleteQueue(topic: string, queueId: number, who: string): void {
    for (const group of this.groupsOf(topic)) {
      const queues = this.offsets.get(keyOf(topic, group))
      const from = queues?.get(queueId)
      if (from === undefined) continue
      queues?.delete(queueId)
      this.count--
      this.dirty = true
      this.tell({ group, topic, queueId, from, to: undefined, who, request: undefined })
    }
  }

  private forget(topic: string, group: string, by: Pick<OffsetMove, 'who' | 'request'>): void {
    const queues = this.ofTopic(group, topic)
    let untold = queues.size - maxMovesTold
    for (const [queueId, from] of queues)
      if (untold-- <= 0) this.tell({ group, topic, queueId, from, to: undefined, ...by })
    this.count -= queues.size
    this.offsets.delete(keyOf(topic, group))
    takeFrom(this.topics, group, topic)
    takeFrom(this.groups, topic, group)
    this.dirty = true
  }

  /**
   * 43: all of it, as the file has it. What the broker has read of its own log comes first, as it is when the first entry is
   * asked for: others may be encoded turns later, and must not be older than what says that the log need not be read for them.
   */
  all(): ConsumerOffsetTable['offsetTable'] {
    const entries = () => this.ownFirst()
    return { [Symbol.iterator]: entries } as ConsumerOffsetTable['offsetTable']
  }

  private *ownFirst(): Generator<[string, Map<number, number>]> {
    const own = new Map<string, Map<number, number>>()
    for (const group of brokersGroups)
      for (const topic of this.topicsOf(group)) own.set(keyOf(topic, group), new Map(this.ofTopic(group, topic)))
    yield* own
    for (const entry of this.offsets) if (!isBrokers(entry[0])) yield entry
  }

  /**
   * Resolves when what is there now is on disk, or could not be brought there, which is an event. For what an administrator
   * is told is done; consumers, who commit all the time, do not wait.
   */
  async settled(): Promise<void> {
    await Promise.all(this.settling.map(settle => settle()))
    if (this.dirty || this.saving > 0) await this.soon.ask()
  }

  private async saveIfDirty(): Promise<void> {
    // One that takes longer than the interval is not joined by another: the next tick saves what came meanwhile.
    if (this.dirty && this.saving === 0) await this.saveLater()
  }

  private async saveLater(): Promise<boolean> {
    // What is committed while the file is written makes the table dirty again.
    this.dirty = false
    this.saving++
    const isSaved = await this.parts.file.saveLater({ offsetTable: this.all() })
    if (!isSaved) this.dirty = true
    this.saving--
    return isSaved
  }
}

function addTo(table: Map<string, Set<string>>, key: string, name: string): void {
  const names = table.get(key)
  if (names === undefined) table.set(key, new Set([name]))
  else names.add(name)
}

function takeFrom(table: Map<string, Set<string>>, key: string, name: string): void {
  const names = table.get(key)
  if (names?.delete(name) === true && names.size === 0) table.delete(key)
}

const none: ReadonlyMap<number, number> = new Map()

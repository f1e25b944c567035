import { discardTopic, halfTopic, opTopic, PropertyName, readRecord, type StoredMessage } from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'
import { BelievedTime, type Clock, defineEvent, type Events, isBadPlace, type Timer } from '@skua-mq/runtime'
import type { MessageStore, PutResult, QueueEntry } from '@skua-mq/store'
import type { OffsetTable } from '../offset/offset-table.ts'
import { Pace } from '../pace.ts'
import type { UnreadableMessage } from '../record/queue-reader.ts'
import { isRefusedForGood } from '../record/refused-for-good.ts'
import { appendDraft, rewriteRecord } from '../record/rewrite.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { checkQuestion } from './check-question.ts'
import { DecidedHalves, type DecidedLimits } from './decided-halves.ts'
import { type CheckSettings, fateOf, firstOffsetOf, type HalfFate } from './half-fate.ts'
import { checkTimesOf, realTarget, transactionGroup } from './half-message.ts'
import { maxUnreadableHalves, UnreadableHalves } from './unreadable-halves.ts'

export const nobodyToAsk = defineEvent<{ group: string; topic: string; halfOffset: number }>(
  'no producer to ask about a transaction',
  'warn',
)
export const transactionDiscarded = defineEvent<{
  group: string
  topic: string
  halfOffset: number
  checks: number
  why: string
}>('transaction given up', 'warn')
/** Those behind it are asked about, and it is tried again while the broker runs; told once. */
export const halfUnreadable = defineEvent<{ halfOffset: number; physicalOffset: number; error: string }>(
  'a half message cannot be read',
  'error',
)
/** What it decides counts as undecided, so that its producer is asked again; told once. */
export const opUnreadable = defineEvent<{ queueOffset: number; physicalOffset: number; error: string }>(
  'a verdict about a transaction cannot be read',
  'error',
)
/** Told once for one cause. */
export const checkRoundFailed = defineEvent<{ error: unknown }>('round of transaction checks failed', 'error')

/** A round lasts at most so long; the next one goes on where it ended. */
export const maxRoundMs = 60_000
/**
 * Half messages stored again whose first copy may still be decided. While there are more, or some of before a restart, no
 * op is passed that may decide one.
 */
export const maxAwaited = 100_000
/** Ops that cannot be read, each of which is told once. */
const maxToldOps = 1024

export interface TransactionCheckParts {
  readonly clock: Clock
  readonly events: Events
  readonly store: Pick<
    MessageStore,
    'append' | 'get' | 'queue' | 'minOffset' | 'maxOffset' | 'readRecord' | 'refusing' | 'sync'
  >
  readonly offsets: Pick<OffsetTable, 'find' | 'commit'>
  readonly topics: Pick<TopicTable, 'ensure'>
  /** One of a producer group that is connected, in turn. */
  readonly producer: (group: string) => { readonly connection: Pick<Connection, 'tell'> } | undefined
  /** Whether a verdict about a half message is just being written. */
  readonly isEnding: (halfOffset: number) => boolean
  /** Whether one was decided a short while ago: perhaps after the round had read the op topic. */
  readonly isEnded: (halfOffset: number) => boolean
  /** Told of each that is given up, with its own topic. */
  readonly givenUp?: (topic: string) => void
  /** Writes what is decided and could not be written down. */
  readonly writeOwed: () => Promise<void>
  readonly brokerName: string
  /** Dialect: checkNamesTopic; default false. */
  readonly namesTopic?: boolean
  readonly settings: () => CheckSettings & { readonly transactionCheckInterval: number }
  /** Default: those of `DecidedHalves`. */
  readonly decidedLimits?: DecidedLimits
}

/** One half message of which a round has to decide. */
interface Undecided {
  readonly halfOffset: number
  readonly record: Uint8Array
  readonly message: StoredMessage
}

/**
 * Asks producers about half messages which they have not decided (store.md 8), in rounds. Where it stands is kept in the
 * offset table, for group CID_RMQ_SYS_TRANS, so that a broker that starts again goes on there.
 */
export class TransactionChecks {
  private readonly parts: TransactionCheckParts
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private stopped = true
  /** First offset to that of the newest copy, while that one lies ahead. */
  private readonly awaited = new Map<number, number>()
  /** Before here copies may lie whose first offset is not in `awaited`. */
  private unknownUntil = 0
  private readonly unreadable = new UnreadableHalves()
  /** Where rounds go on while the offset table stays behind, for halves that a start must look at again. */
  private ahead: { readonly half: number; readonly op: number } | undefined
  /** A half message was read in this round. */
  private hasRead = false
  private readonly toldOps = new Set<number>()
  private failing: string | undefined
  private readonly time: BelievedTime
  /** When the next round begins, wall clock. */
  nextRoundAtMs = 0

  constructor(parts: TransactionCheckParts) {
    this.parts = parts
    this.time = new BelievedTime(parts.clock)
  }

  start(): void {
    this.stopped = false
    this.time.now()
    this.unknownUntil = this.parts.store.maxOffset(halfTopic, 0)
    this.arm()
  }

  /** Waits for the round that is running, which ends at its next message. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  private arm(): void {
    const { clock, settings } = this.parts
    const ms = settings().transactionCheckInterval
    this.nextRoundAtMs = clock.now() + ms
    const begin = () => {
      this.running = this.round().finally(() => {
        this.running = undefined
        if (!this.stopped) this.arm()
      })
    }
    this.timer = clock.after(ms, begin, () => this.restMs())
  }

  /** Without half messages behind where a round begins, none is missed. */
  private restMs(): number {
    return this.begin().half < this.parts.store.maxOffset(halfTopic, 0) ? 0 : Number.POSITIVE_INFINITY
  }

  /** Where a round begins: the first half message that may be undecided, and the first op that may say so. */
  begin(): { half: number; op: number } {
    const { offsets, store } = this.parts
    const at = (topic: string, ahead: number | undefined) =>
      Math.min(
        Math.max(ahead ?? offsets.find(transactionGroup, topic, 0) ?? 0, store.minOffset(topic, 0)),
        store.maxOffset(topic, 0),
      )
    return { half: at(halfTopic, this.ahead?.half), op: at(opTopic, this.ahead?.op) }
  }

  private async round(): Promise<void> {
    const { store, clock, events, writeOwed } = this.parts
    if (store.refusing !== undefined) return
    const { half, op } = this.begin()
    const limits = this.parts.decidedLimits
    const decided = new DecidedHalves({
      store,
      clock,
      half,
      op,
      isStopped: () => this.stopped,
      unreadable: op => this.tellOp(op),
      ...(limits && { limits }),
    })
    let next = half
    this.hasRead = false
    try {
      await writeOwed()
      const nowMs = this.time.now()
      const endAt = clock.monotonic() + maxRoundMs
      // The end is taken before the ops are read: what is decided later is of the next round.
      const last = store.maxOffset(halfTopic, 0)
      await decided.readAll()
      const end = Math.min(last, decided.horizon)
      await this.tryAgain({ nowMs, decided })
      const pace = new Pace(clock)
      for (; next < end && !this.stopped && clock.monotonic() < endAt; next++) {
        if (pace.isOver) await pace.pause()
        if (decided.has(next)) {
          pace.passed()
          continue
        }
        pace.read()
        if (!(await this.handle(next, { nowMs, decided }))) break
      }
      this.failing = undefined
    } catch (error) {
      const cause = (error as Error).message
      if (cause !== this.failing) events.emit(checkRoundFailed({ error }))
      this.failing = cause
    }
    // What is passed must not be on the medium before its copy: a power cut would leave neither.
    if (next > half && !(await store.sync())) return
    for (const [first, copy] of this.awaited) if (copy < next) this.awaited.delete(first)
    this.goOn({ half: next, op: this.unknownUntil > next ? op : decided.firstNeeded(next, this.awaited) })
  }

  /**
   * A start reads again from where the table says. It says so only when no half message is put aside any more, or for long: what
   * no read brings now, for want of a disk, comes after the restart that mends it.
   */
  private goOn(place: { readonly half: number; readonly op: number }): void {
    this.ahead = this.unreadable.isHeld(this.parts.clock.monotonic(), this.hasRead) ? place : undefined
    if (this.ahead !== undefined) return
    this.commit(halfTopic, place.half)
    this.commit(opTopic, place.op)
  }

  private commit(topic: string, offset: number): void {
    const group = transactionGroup
    if (this.parts.offsets.find(group, topic, 0) !== offset)
      this.parts.offsets.commit({ group, topic, queueId: 0, offset, who: 'transaction checks' })
  }

  /** Half messages of earlier rounds that could not be read. */
  private async tryAgain(round: { nowMs: number; decided: DecidedHalves }): Promise<void> {
    for (const halfOffset of this.unreadable.offsets()) {
      if (this.stopped) return
      const isDecided = await round.decided.hasFirst(halfOffset)
      if (!isDecided && !(await this.handle(halfOffset, round))) continue
      this.unreadable.delete(halfOffset)
      // Unless it was stored again, and is waited for under the same place.
      if (this.awaited.get(halfOffset) === Number.POSITIVE_INFINITY) this.awaited.delete(halfOffset)
    }
  }

  /** One half message must not hold up all others. False where it was put aside before and still does not read. */
  private async readOrPutAside(halfOffset: number): Promise<Undecided | boolean> {
    try {
      const found = (await this.read(halfOffset)) ?? true
      this.hasRead = true
      return found
    } catch (error) {
      if (!isBadPlace(error)) throw error
      if (this.unreadable.has(halfOffset)) return false
      if (this.unreadable.size >= maxUnreadableHalves) throw error
      this.unreadable.add(halfOffset, this.parts.clock.monotonic())
      // Ops that decide it are read again until it is settled.
      this.awaited.set(halfOffset, Number.POSITIVE_INFINITY)
      const physicalOffset = this.placeOf(halfOffset)
      this.parts.events.emit(halfUnreadable({ halfOffset, physicalOffset, error: error.message }))
      return true
    }
  }

  private placeOf(halfOffset: number): number {
    const entry: QueueEntry = { physicalOffset: -1, size: 0, tagsCode: 0 }
    try {
      this.parts.store.queue(halfTopic, 0)?.entries(halfOffset, [entry])
    } catch {
      // The queue does not read there, which is what is told.
    }
    return entry.physicalOffset
  }

  private tellOp({ queueOffset, physicalOffset, error }: UnreadableMessage): void {
    const place = physicalOffset >= 0 ? physicalOffset : -1 - queueOffset
    if (this.toldOps.has(place) || this.toldOps.size >= maxToldOps) return
    this.toldOps.add(place)
    this.parts.events.emit(opUnreadable({ queueOffset, physicalOffset, error }))
  }

  /** False when the round ends before this half message. */
  private async handle(halfOffset: number, round: { nowMs: number; decided: DecidedHalves }): Promise<boolean> {
    const { settings, isEnding, isEnded } = this.parts
    if (isEnding(halfOffset)) return false
    const found = await this.readOrPutAside(halfOffset)
    if (typeof found === 'boolean') return found
    const first = firstOffsetOf(found.message)
    if (first !== undefined && isEnding(first)) return false
    const isDecided = first !== undefined && (await round.decided.hasFirst(first))
    // A verdict may have come while the queue was read.
    if (isEnding(halfOffset) || (first !== undefined && isEnding(first))) return false
    // Or before, while the round was at another one: what it knows of the op topic is of its beginning.
    if (isEnded(first ?? halfOffset)) return true
    return this.apply(fateOf(found.message, { nowMs: round.nowMs, settings: settings(), isDecided }), found)
  }

  private async apply(fate: HalfFate, half: Undecided): Promise<boolean> {
    switch (fate) {
      case 'stop':
        return false
      case 'decided':
        return true
      case 'discard':
        return this.discard(half, 'it was asked about often enough, or is as old as retention')
      case 'keep':
        return this.keep(half)
      case 'ask':
        return this.ask(half)
    }
  }

  /**
   * Begins to ask anew about a half message, or about one that was given up (323): it is stored again, never asked
   * about. Returns why not.
   */
  async resume(physicalOffset: number): Promise<string | undefined> {
    const record = await this.parts.store.readRecord(physicalOffset)
    const message = record === undefined ? undefined : readRecord(record)?.message
    if (record === undefined || message === undefined) return `there is no message at physical offset ${physicalOffset}`
    if (realTarget(message) === undefined || ![halfTopic, discardTopic].includes(message.topic))
      return `the message at physical offset ${physicalOffset} is of topic ${message.topic}: only half messages are asked about`
    const properties = new Map(message.properties)
    properties.set(PropertyName.transactionCheckTimes, '0')
    // It is a transaction of its own again: what was decided of its former copies does not count.
    properties.delete(PropertyName.transactionPreparedQueueOffset)
    const put = await appendDraft(
      this.parts.store,
      rewriteRecord(record, { topic: halfTopic, queueId: 0, properties })!,
    )
    return put.isStored ? undefined : put.remark || put.status
  }

  async read(halfOffset: number): Promise<Undecided | undefined> {
    const { store } = this.parts
    const entry: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
    if (store.queue(halfTopic, 0)?.entries(halfOffset, entry) !== 1) return undefined
    const record = await store.readRecord(entry[0]!.physicalOffset)
    const message = record === undefined ? undefined : readRecord(record)?.message
    return record === undefined || message === undefined ? undefined : { halfOffset, record, message }
  }

  /** Stores a half message anew behind all others, which knows its first offset: verdicts may name that one. */
  private async again({ record, message, halfOffset }: Undecided, more: Record<string, string>): Promise<PutResult> {
    const properties = new Map(message.properties)
    const first = firstOffsetOf(message) ?? halfOffset
    properties.set(PropertyName.transactionPreparedQueueOffset, String(first))
    for (const [name, value] of Object.entries(more)) properties.set(name, value)
    const put = await appendDraft(
      this.parts.store,
      rewriteRecord(record, { topic: halfTopic, queueId: 0, properties })!,
    )
    if (!put.isStored) return put
    if (this.awaited.size < maxAwaited || this.awaited.has(first)) this.awaited.set(first, put.queueOffset)
    else this.unknownUntil = put.queueOffset + 1
    return put
  }

  private async keep(half: Undecided): Promise<boolean> {
    const put = await this.again(half, {})
    return isRefusedForGood(put) ? this.discard(half, put.remark) : put.isStored
  }

  private async ask(half: Undecided): Promise<boolean> {
    const { store, producer, events, brokerName, namesTopic = false } = this.parts
    const checks = checkTimesOf(half.message) + 1
    const put = await this.again(half, { [PropertyName.transactionCheckTimes]: String(checks) })
    if (isRefusedForGood(put)) return this.discard(half, put.remark)
    if (!put.isStored) return false
    const group = half.message.properties.get(PropertyName.producerGroup) ?? ''
    const asked = producer(group)
    if (asked === undefined) {
      const topic = half.message.properties.get(PropertyName.realTopic) ?? ''
      events.emit(nobodyToAsk({ group, topic, halfOffset: half.halfOffset }))
      return true
    }
    const record = await store.readRecord(put.physicalOffset)
    const question = record === undefined ? undefined : checkQuestion(record, { brokerName, namesTopic })
    if (question !== undefined) asked.connection.tell(question)
    return true
  }

  /** It is kept where it can be found; one that fits nowhere stays in the half topic. Either way the round goes on. */
  private async discard({ record, message, halfOffset }: Undecided, why: string): Promise<boolean> {
    const { topics, store, events } = this.parts
    topics.ensure(discardTopic, 1, 'a transaction was given up')
    const put = await appendDraft(store, rewriteRecord(record, { topic: discardTopic, queueId: 0 })!)
    if (!put.isStored && !isRefusedForGood(put)) return false
    const group = message.properties.get(PropertyName.producerGroup) ?? ''
    const topic = message.properties.get(PropertyName.realTopic) ?? ''
    this.parts.givenUp?.(topic)
    events.emit(transactionDiscarded({ group, topic, halfOffset, checks: checkTimesOf(message), why }))
    return true
  }
}

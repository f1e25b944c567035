import {
  type endTransaction,
  type HeaderOf,
  halfTopic,
  PropertyName,
  ResponseCode,
  readRecord,
  type StoredMessage,
  TransactionKind,
  TransactionState,
  withTransactionKind,
} from '@skua-mq/protocol'
import { noReply, ok, type Reply, refuse } from '@skua-mq/remoting'
import type { MessageStore, PutResult } from '@skua-mq/store'
import { delayTarget } from '../delay/delay-step.ts'
import { appendDraft, rewriteRecord } from '../record/rewrite.ts'
import type { TimerEntry } from '../timer/feature.ts'
import { timerTarget } from '../timer/timer-step.ts'
import { firstOffsetOf } from './half-fate.ts'
import { immunityOf, realTarget } from './half-message.ts'
import { appendOp } from './op-messages.ts'
import type { TransactionMetrics } from './transaction-metrics.ts'

type Header = HeaderOf<typeof endTransaction>
type Ended = Reply<Record<string, never>>

export interface EndTransactionParts {
  readonly store: Pick<MessageStore, 'append' | 'readRecord'>
  readonly now: () => number
  readonly storeHost: Uint8Array
  /** Delay levels, for their number. */
  readonly levels: readonly number[]
  /** For those that have a time of delivery. */
  readonly timerEntry: TimerEntry
  /** Dialect: endTransactionAfterImmunityIsRefused. */
  readonly refusesLate: boolean
  /** Told of each end, for metrics. */
  readonly halves?: Pick<TransactionMetrics, 'committed' | 'rolledBack'> | undefined
}

/** Half messages whose end is remembered, so that an end told twice (a check crossed the verdict) delivers once. */
export const maxRemembered = 10_000

/** The verdict on a half message (37): a commit delivers it, and both ends are written to the op topic. */
export class EndTransaction {
  private readonly parts: EndTransactionParts
  /** First offsets of what is delivered or rolled back, by the half offsets that the op topic has to hear of still. */
  private readonly ended = new Map<number, Set<number>>()
  /** Those of `ended` with something to write. */
  private readonly owed = new Set<number>()
  /** Commits that the store has not answered, by first offset. */
  private readonly delivering = new Map<number, Promise<unknown>>()
  /** Half messages whose end is being written: nobody must be asked about them. */
  readonly ending = new Map<number, Promise<Ended>>()

  constructor(parts: EndTransactionParts) {
    this.parts = parts
  }

  /** Whether a half message is decided, or just being decided, and the op topic need not say so yet. */
  isEnding(halfOffset: number): boolean {
    return this.ending.has(halfOffset) || this.owed.has(halfOffset) || this.delivering.has(halfOffset)
  }

  /** Whether a half message was decided a short while ago, and the op topic says so. */
  isEnded(halfOffset: number): boolean {
    return this.ended.has(halfOffset) && !this.isEnding(halfOffset)
  }

  /** What could not be written to the op topic is written now, before producers are asked about it. */
  async writeOwed(): Promise<void> {
    for (const first of [...this.owed]) if (!(await this.write(first)).isStored) return
  }

  take(header: Header): Promise<Ended> | typeof noReply {
    const { commitOrRollback, tranStateTableOffset } = header
    if (commitOrRollback !== TransactionState.commit && commitOrRollback !== TransactionState.rollback) return noReply
    const begun = this.ending.get(tranStateTableOffset)
    const end = begun === undefined ? this.end(header) : begun.then(() => this.end(header))
    this.ending.set(tranStateTableOffset, end)
    const forget = () => {
      if (this.ending.get(tranStateTableOffset) === end) this.ending.delete(tranStateTableOffset)
    }
    end.then(forget, forget)
    return end
  }

  private async end(header: Header): Promise<Ended> {
    const { store } = this.parts
    const halfOffset = header.tranStateTableOffset
    const record = await store.readRecord(header.commitLogOffset)
    const message = record === undefined ? undefined : readRecord(record)?.message
    if (record === undefined || message === undefined)
      return refuse(ResponseCode.systemError, `there is no half message at physical offset ${header.commitLogOffset}`)
    const reason = mismatch(message, header)
    if (reason !== undefined) return refuse(ResponseCode.systemError, reason)
    if (this.isLate(message, header)) return refuse(ResponseCode.illegalOperation, lateRemark)
    // Of a message that was stored again while it waited every copy counts, and one end is enough.
    const first = firstOffsetOf(message) ?? halfOffset
    // Verdicts about two copies may cross: one after the other, so that the second finds what the first has done.
    while (this.delivering.has(first)) await this.delivering.get(first)
    if (!this.ended.has(first)) {
      if (this.owed.size >= maxRemembered)
        return refuse(ResponseCode.systemError, `${this.owed.size} verdicts wait for the store to take them: try again`)
      const isCommit = header.commitOrRollback === TransactionState.commit
      const delivered = this.deliver(isCommit ? record : undefined, { message, first, halfOffset })
      const forgotten = delivered.finally(() => this.delivering.delete(first))
      this.delivering.set(first, forgotten)
      const failure = await forgotten
      if (failure !== undefined) return refuse(ResponseCode.systemError, failure)
    }
    const op = await this.write(first)
    return op.isStored ? ok({}) : refuse(ResponseCode.systemError, op.remark === '' ? op.status : op.remark)
  }

  /** A verdict that comes unasked when its producer may have been asked already: what it answers then counts. */
  private isLate(message: StoredMessage, { fromTransactionCheck }: Header): boolean {
    if (!this.parts.refusesLate || fromTransactionCheck) return false
    const immunity = immunityOf(message, { transactionTimeOut: 0 })
    return immunity.isOwn && this.parts.now() - message.bornTimestamp > immunity.ms
  }

  /** Delivers the record, if there is one to be delivered, and remembers the end. Returns why it was not stored. */
  private async deliver(
    record: Uint8Array | undefined,
    { message, first, halfOffset }: { message: StoredMessage; first: number; halfOffset: number },
  ): Promise<string | undefined> {
    const failure = record === undefined ? undefined : await this.commit(record, message)
    if (failure !== undefined) return failure
    this.remember(first, new Set([halfOffset, first]))
    this.count(message, record !== undefined)
    return undefined
  }

  private count(message: StoredMessage, isCommit: boolean): void {
    const { halves, now } = this.parts
    const topic = realTarget(message)?.topic ?? ''
    if (isCommit) halves?.committed(topic, now() - message.bornTimestamp)
    else halves?.rolledBack(topic)
  }

  /** Tells the op topic what it has not been told of a half message that has ended. */
  private async write(first: number): Promise<Pick<PutResult, 'isStored' | 'remark' | 'status'>> {
    const { store, now, storeHost } = this.parts
    const untold = this.ended.get(first)
    if (untold === undefined) return { isStored: true, remark: '', status: 'ok' }
    const written = await Promise.all(
      [...untold].map(async halfOffset => {
        const put = await appendOp(store, { halfOffset, nowMs: now(), storeHost })
        if (put.isStored) untold.delete(halfOffset)
        return put
      }),
    )
    if (untold.size === 0) this.owed.delete(first)
    return written.find(put => !put.isStored) ?? { isStored: true, remark: '', status: 'ok' }
  }

  /** Returns why it was not stored. */
  private async commit(record: Uint8Array, message: StoredMessage): Promise<string | undefined> {
    const target = realTarget(message)
    if (target === undefined) return 'the half message does not say where it belongs'
    const { properties } = message
    const level = delayTarget(target, properties, this.parts.levels)
    const place = level === target ? timerTarget(target, properties, this.parts.timerEntry) : level
    if ('code' in place) return place.remark
    const draft = rewriteRecord(record, {
      ...place,
      // The stored text stays as it is (store.md 8), unless the message is delayed now.
      ...(place === target ? {} : { properties }),
      sysFlag: withTransactionKind(message.sysFlag & ~0x30, TransactionKind.commit),
      preparedTransactionOffset: message.physicalOffset,
    })!
    const { isStored, remark, status } = await appendDraft(this.parts.store, draft)
    if (isStored) return undefined
    return remark === '' ? status : remark
  }

  private remember(first: number, untold: Set<number>): void {
    if (this.ended.size >= maxRemembered)
      // What is owed is still needed; there is hardly ever any.
      for (const oldest of this.ended.keys())
        if (!this.owed.has(oldest)) {
          this.ended.delete(oldest)
          break
        }
    this.ended.set(first, untold)
    this.owed.add(first)
  }
}

const lateRemark = 'the time of CHECK_IMMUNITY_TIME_IN_SECONDS is over: only the answer to a check decides now'

/** Whether the verdict is about another message than the one it names. */
function mismatch(message: StoredMessage, header: Header): string | undefined {
  if (message.topic !== halfTopic) return `the message at ${header.commitLogOffset} is no half message`
  const group = message.properties.get(PropertyName.producerGroup)
  if (group !== header.producerGroup)
    return `the half message is of producer group ${group}, the verdict of ${header.producerGroup}`
  if (message.queueOffset !== header.tranStateTableOffset)
    return `the half message has queue offset ${message.queueOffset}, the verdict is about ${header.tranStateTableOffset}`
  return undefined
}

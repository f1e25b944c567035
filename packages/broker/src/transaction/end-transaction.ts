import {
  type endTransaction,
  type HeaderOf,
  PropertyName,
  ResponseCode,
  readRecord,
  type StoredMessage,
  TransactionKind,
  TransactionState,
  withTransactionKind,
} from '@skua-mq/protocol'
import { noReply, ok, type Reply, refuse } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'
import { delayTarget } from '../delay/delay-step.ts'
import { appendDraft, rewriteRecord } from '../record/rewrite.ts'
import { firstOffsetOf } from './half-fate.ts'
import { halfTopic, realTarget } from './half-message.ts'
import { appendOp } from './op-messages.ts'

type Header = HeaderOf<typeof endTransaction>
type Ended = Reply<Record<string, never>>

export interface EndTransactionParts {
  readonly store: Pick<MessageStore, 'append' | 'readRecord'>
  readonly now: () => number
  readonly storeHost: Uint8Array
  /** Delay levels, for their number. */
  readonly levels: readonly number[]
}

/** Half messages whose end is remembered, so that an end told twice (a check crossed the verdict) delivers once. */
export const maxRemembered = 10_000

/** The verdict on a half message (37): a commit delivers it, and both ends are written to the op topic. */
export class EndTransaction {
  private readonly parts: EndTransactionParts
  private readonly ended = new Set<number>()
  /** Half messages whose end is being written: nobody must be asked about them. */
  readonly ending = new Map<number, Promise<Ended>>()

  constructor(parts: EndTransactionParts) {
    this.parts = parts
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
    const { store, now, storeHost } = this.parts
    const halfOffset = header.tranStateTableOffset
    const record = await store.readRecord(header.commitLogOffset)
    const message = record === undefined ? undefined : readRecord(record)?.message
    if (record === undefined || message === undefined)
      return refuse(ResponseCode.systemError, `there is no half message at physical offset ${header.commitLogOffset}`)
    const reason = mismatch(message, header)
    if (reason !== undefined) return refuse(ResponseCode.systemError, reason)
    // Of a message that was stored again while it waited every copy counts, and one end is enough.
    const first = firstOffsetOf(message) ?? halfOffset
    if (this.ended.has(first)) return ok({})
    if (header.commitOrRollback === TransactionState.commit) {
      const failure = await this.commit(record, message)
      if (failure !== undefined) return refuse(ResponseCode.systemError, failure)
    }
    this.remember(first)
    const written = [...new Set([halfOffset, first])].map(offset =>
      appendOp(store, { halfOffset: offset, nowMs: now(), storeHost }),
    )
    const op = (await Promise.all(written))[0]!
    return op.isStored ? ok({}) : refuse(ResponseCode.systemError, op.remark === '' ? op.status : op.remark)
  }

  /** Answers why it was not stored. */
  private async commit(record: Uint8Array, message: StoredMessage): Promise<string | undefined> {
    const target = realTarget(message)
    if (target === undefined) return 'the half message does not say where it belongs'
    const { properties } = message
    const place = delayTarget(target, properties, this.parts.levels)
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

  private remember(halfOffset: number): void {
    if (this.ended.size >= maxRemembered) for (const oldest of this.ended) if (this.ended.delete(oldest)) break
    this.ended.add(halfOffset)
  }
}

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

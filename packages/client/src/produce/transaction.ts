import { endTransaction, PropertyName, parseOffsetMessageId, TransactionState as StateOnWire } from '@skua-mq/protocol'
import { nearest } from '@skua-mq/runtime'
import { ClientError, reasonOf } from '../error.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { TransactionCheck } from '../instance/members.ts'
import type { BodyCodec } from '../message/message.ts'
import type { Draft } from '../message/outgoing.ts'
import { type ReceivedMessage, receivedMessage } from '../message/received.ts'
import type { TransactionState } from './options.ts'
import type { SendResult } from './result.ts'

/** Where the prepared message was stored, and what became of it. */
export interface TransactionResult extends SendResult {
  readonly state: TransactionState
}

export interface TransactionParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly namespace: string
  readonly emit: EmitEvent
  readonly check: ((message: ReceivedMessage) => TransactionState | Promise<TransactionState>) | undefined
  readonly codec?: BodyCodec<unknown> | undefined
  /** Checks that wait for their turn. */
  readonly maxHeld: number
  ended?(end: { draft: Draft; result: SendResult; state: TransactionState }): void
}

/** Verdicts about half messages: after the local transaction, and when the broker asks (client.md 11). */
export class Transactions {
  private readonly parts: TransactionParts
  private held = 0
  private line: Promise<void> = Promise.resolve()

  constructor(parts: TransactionParts) {
    this.parts = parts
  }

  /** Tells the broker. Lost verdicts are asked for again by the broker, so this does not wait for an answer. */
  async end(draft: Draft, result: SendResult, verdict: { state: TransactionState; remark?: string }): Promise<void> {
    const place = parseOffsetMessageId(result.offsetMsgId)
    if (place === undefined)
      throw new ClientError('BROKER', `the broker's message id ${result.offsetMsgId} names no offset`)
    const address = await this.parts.instance.calls.masterOf({
      topic: draft.topic,
      brokerName: result.queue.brokerName,
    })
    await this.tell(address, verdict.state, {
      tranStateTableOffset: result.queueOffset,
      commitLogOffset: place.physicalOffset,
      fromTransactionCheck: false,
      msgId: draft.msgId,
      transactionId: result.transactionId,
      topic: draft.topic,
      bname: result.queue.brokerName,
    })
    this.parts.ended?.({ draft, result, state: verdict.state })
  }

  /** One at a time, in the order in which brokers ask; those beyond the limit are asked again later. */
  checked(check: TransactionCheck): void {
    if (this.held >= this.parts.maxHeld) return
    this.held++
    this.line = this.line.then(() => this.answer(check)).finally(() => this.held--)
  }

  private async answer(check: TransactionCheck): Promise<void> {
    const { message: stored } = check
    const msgId = stored.properties.get(PropertyName.uniqueKey) ?? check.transactionId ?? stored.offsetMsgId
    try {
      if (this.parts.check === undefined) {
        throw new ClientError('STATE', 'the producer has no checkTransaction, so nobody can answer')
      }
      const queue = { topic: stored.topic, brokerName: '', queueId: stored.queueId }
      const half = receivedMessage(stored, queue, { namespace: this.parts.namespace })
      const { codec } = this.parts
      if (codec !== undefined) (half as ReceivedMessage<unknown>).value = await codec.decode(half.body)
      const state = checkedState(await this.parts.check(half))
      await this.tell(check.address, state, {
        tranStateTableOffset: check.tranStateTableOffset,
        commitLogOffset: check.commitLogOffset,
        fromTransactionCheck: true,
        msgId,
        transactionId: check.transactionId,
        topic: stored.topic,
      })
    } catch (error) {
      this.parts.emit('transactionCheckFailed', { group: this.parts.group, msgId, error })
    }
  }

  private tell(address: string, state: TransactionState, rest: EndFields): Promise<void> {
    const header = { producerGroup: this.parts.group, commitOrRollback: StateOnWire[state], ...rest }
    return this.parts.instance.calls.tell(address, { spec: endTransaction, header })
  }
}

interface EndFields {
  readonly tranStateTableOffset: number
  readonly commitLogOffset: number
  readonly fromTransactionCheck: boolean
  readonly msgId: string
  readonly transactionId: string | undefined
  readonly topic: string
  readonly bname?: string
}

const states = ['commit', 'rollback', 'unknown'] as const

/** Nothing said means that it went well; anything else must be one of three words. Throws ClientError ARGUMENT. */
function stateOf(said: unknown): TransactionState {
  return said === undefined ? 'commit' : oneOfThree(said, 'a local transaction answers nothing, or one of')
}

/** A check has to know. Throws ClientError ARGUMENT. */
const checkedState = (said: unknown): TransactionState => oneOfThree(said, 'checkTransaction answers one of')

function oneOfThree(said: unknown, answers: string): TransactionState {
  if (states.includes(said as TransactionState)) return said as TransactionState
  const close = typeof said === 'string' ? nearest(said, states) : undefined
  const given = typeof said === 'string' ? `"${said}"` : typeof said
  const meant = close === undefined ? '' : `; did you mean '${close}'?`
  throw new ClientError('ARGUMENT', `${answers} ${states.join(', ')}: ${given} was given${meant}`)
}

/** Runs the local transaction; an exception leaves the verdict open if somebody can be asked later, else it is a rollback. */
export async function runLocal(
  local: () => unknown,
  canBeChecked: boolean,
): Promise<{ state: TransactionState; error?: unknown; remark?: string }> {
  try {
    return { state: stateOf(await local()) }
  } catch (error) {
    return { state: canBeChecked ? 'unknown' : 'rollback', error, remark: reasonOf(error) }
  }
}

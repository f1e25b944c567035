import { litePullMessage, type MessageQueue, PullSysFlag, pullMessage, ResponseCode } from '@skua-mq/protocol'
import type { TypedReply } from '@skua-mq/remoting'
import { delay } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { QueueMap } from '../queue.ts'
import type { Subscription } from './subscriptions.ts'

export type PullStatus = 'FOUND' | 'NO_NEW_MSG' | 'NO_MATCHED_MSG' | 'OFFSET_ILLEGAL'

/** What a broker answered to a pull. Refusals are thrown. */
export interface PullAnswer {
  readonly status: PullStatus
  readonly nextBeginOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  /** Stored messages back to back; empty unless FOUND. */
  readonly bytes: Uint8Array
  /** Static topics of 5.x: to be added to each queue offset. */
  readonly offsetDelta: number
}

export interface PullCall {
  /** On the wire. */
  readonly group: string
  readonly queue: MessageQueue
  readonly offset: number
  readonly maxMsgNums: number
  readonly subscription: Subscription
  /** The expression goes along: for groups whose heartbeat does not tell it. */
  readonly sendSubscription: boolean
  /** Committed with the pull. */
  readonly commitOffset?: number | undefined
  /** Longest hold at the broker; 0 for none. */
  readonly suspendMs: number
  readonly timeoutMs: number
  readonly litePull?: boolean
  readonly signal?: AbortSignal | undefined
}

const statusOf: Readonly<Record<number, PullStatus>> = {
  [ResponseCode.success]: 'FOUND',
  [ResponseCode.pullNotFound]: 'NO_NEW_MSG',
  [ResponseCode.pullRetryImmediately]: 'NO_MATCHED_MSG',
  [ResponseCode.pullOffsetMoved]: 'OFFSET_ILLEGAL',
}
const sentAwayMs = 200
const answers = Object.keys(statusOf).map(Number)
const noBytes = new Uint8Array(0)

/** Pulls from the broker that the last answer suggested for the queue (client.md 3). */
export class PullCalls {
  private readonly instance: ClientInstance
  private readonly suggested = new QueueMap<number>()
  /** Brokers before 5.x do not know 361. */
  private liteSupported = true

  constructor(instance: ClientInstance) {
    this.instance = instance
  }

  /** Errors: ClientError BROKER, NETWORK, TIMEOUT, NO_BROKER; the signal's reason. */
  async pull(call: PullCall): Promise<PullAnswer> {
    const { queue } = call
    const from = await this.brokerFor(queue, call.signal)
    const lite = call.litePull === true && this.liteSupported
    const reply = await this.ask(call, from, lite)
    if (reply.code === ResponseCode.requestCodeNotSupported) {
      this.liteSupported = false
      return this.pull(call)
    }
    const { suggestWhichBrokerId, nextBeginOffset, minOffset, maxOffset, offsetDelta = 0 } = reply.header
    this.suggested.set(queue, suggestWhichBrokerId)
    // A slave sends its readers to a master that is not in the route: asking again at once would go on until there is one.
    const isSentAway = from.brokerId > 0 && suggestWhichBrokerId === 0 && nextBeginOffset <= call.offset
    if (isSentAway && reply.code === ResponseCode.pullRetryImmediately)
      await delay(this.instance.clock, sentAwayMs, call.signal)
    const bytes = reply.body ?? noBytes
    return { status: statusOf[reply.code]!, nextBeginOffset, minOffset, maxOffset, bytes, offsetDelta }
  }

  forget(queue: MessageQueue): void {
    this.suggested.delete(queue)
  }

  private ask(
    call: PullCall,
    from: { address: string; brokerId: number },
    lite: boolean,
  ): Promise<TypedReply<typeof pullMessage>> {
    const { subscription, queue, timeoutMs, signal } = call
    const { subString, subVersion, expressionType } = subscription.data
    const header = {
      consumerGroup: call.group,
      topic: queue.topic,
      queueId: queue.queueId,
      queueOffset: call.offset,
      maxMsgNums: call.maxMsgNums,
      sysFlag: sysFlagOf(call, from.brokerId),
      commitOffset: call.commitOffset ?? 0,
      suspendTimeoutMillis: call.suspendMs,
      subscription: call.sendSubscription ? subString : undefined,
      subVersion,
      expressionType,
      bname: queue.brokerName,
    }
    const spec = lite ? litePullMessage : pullMessage
    const allow = lite ? [...answers, ResponseCode.requestCodeNotSupported] : answers
    return this.instance.calls.ask(from.address, { spec, header, timeoutMs, signal, allow })
  }

  private async brokerFor(queue: MessageQueue, signal?: AbortSignal): Promise<{ address: string; brokerId: number }> {
    const { routes } = this.instance
    const wanted = this.suggested.get(queue) ?? 0
    const known = routes.anyOf(queue.brokerName, wanted)
    if (known !== undefined) return known
    await routes.refresh(queue.topic, signal)
    const found = routes.anyOf(queue.brokerName, wanted)
    if (found !== undefined) return found
    const message = `broker ${queue.brokerName} of topic ${queue.topic} is in no route: is it down?`
    throw new ClientError('NO_BROKER', message, { retriable: true })
  }
}

function sysFlagOf(call: PullCall, brokerId: number): number {
  // A slave does not commit.
  const commit = call.commitOffset !== undefined && brokerId === 0 ? PullSysFlag.commitOffset : 0
  const suspend = call.suspendMs > 0 ? PullSysFlag.suspend : 0
  const expression = call.sendSubscription ? PullSysFlag.subscription : 0
  return commit | suspend | expression | (call.litePull === true ? PullSysFlag.litePull : 0)
}

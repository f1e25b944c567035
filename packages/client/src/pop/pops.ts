import { matchesTag, popMessage, poppedMessages, ResponseCode, type StoredMessage } from '@skua-mq/protocol'
import { abortable } from '../abortable.ts'
import type { Subscriptions } from '../consume/subscriptions.ts'
import { ClientError } from '../error.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { type ReceivedMessage, receivedMessage } from '../message/received.ts'
import type { ClientSettings } from '../options.ts'
import type { Receipts } from './receipts.ts'

/** A broker's messages of a topic. */
export interface PopSource {
  /** On the wire. */
  readonly topic: string
  readonly brokerName: string
}

/** How to ask. */
export interface PopWish {
  /** How long the broker waits for a message, ms. */
  readonly awaitMs: number
  /** How long messages belong to whoever has them, ms. */
  readonly invisibleMs: number
  readonly maxNums: number
}

/** Answers of a broker that has nothing for us now. */
const nothing: readonly number[] = [
  ResponseCode.pollingTimeout,
  ResponseCode.pollingFull,
  ResponseCode.pullNotFound,
  ResponseCode.pullRetryImmediately,
]
/** How soon messages come again that nobody waited for. */
export const soonMs = 100
/** How much longer than it holds a request a broker may take to answer. */
const answerMs = 5000

export interface PopsParts {
  readonly instance: ClientInstance
  readonly client: ClientSettings
  /** On the wire. */
  readonly group: string
  readonly subscriptions: Subscriptions
  readonly receipts: Receipts
  readonly fromFirst: boolean
  readonly emit: EmitEvent
}

/** Takes messages of any queue of a broker, and keeps their receipts. */
export class Pops {
  private readonly parts: PopsParts
  /** What is given back in the background. It ends with the broker's hold, or with the connection. */
  private readonly givenBack = new Set<Promise<unknown>>()

  constructor(parts: PopsParts) {
    this.parts = parts
  }

  /**
   * Messages that match the subscription; empty where none came in time. Errors: ClientError BROKER where a broker has no POP;
   * the signal's reason, and what the broker then still gives is given back.
   */
  async pop(source: PopSource, wish: PopWish, signal?: AbortSignal): Promise<ReceivedMessage[]> {
    const pop = this.ask(source, wish)
    if (signal === undefined) return pop
    try {
      return await abortable(pop, signal)
    } catch (error) {
      // The broker holds the request all the same: what it answers yet belongs to nobody here.
      const given = pop
        .then(messages => Promise.all(messages.map(message => this.giveBack(message))))
        .catch(() => {})
        .finally(() => this.givenBack.delete(given))
      this.givenBack.add(given)
      throw error
    }
  }

  /** A message that nobody waits for any more is there for the next one soon. */
  async giveBack(message: ReceivedMessage): Promise<void> {
    await this.parts.receipts.change(message, soonMs).catch(() => {})
  }

  private async ask(source: PopSource, wish: PopWish): Promise<ReceivedMessage[]> {
    const { instance, subscriptions, group, fromFirst, receipts } = this.parts
    const subscription = subscriptions.get(source.topic)
    if (subscription === undefined) return []
    const { data, tags } = subscription
    const reply = await instance.calls.atMaster(source, {
      spec: popMessage,
      header: {
        ...{ consumerGroup: group, topic: source.topic, queueId: -1, maxMsgNums: wish.maxNums },
        ...{ invisibleTime: wish.invisibleMs, pollTime: wish.awaitMs, bornTime: instance.clock.now() },
        ...{ initMode: fromFirst ? 0 : 1, expType: data.expressionType, exp: data.subString, order: false },
      },
      timeoutMs: wish.awaitMs + answerMs,
      allow: [...nothing, ResponseCode.requestCodeNotSupported],
    })
    const { code, body } = reply
    if (code === ResponseCode.requestCodeNotSupported) throw withoutPop(source.brokerName)
    if (nothing.includes(code) || body === undefined) return []
    const untilMs = instance.clock.monotonic() + wish.invisibleMs
    const messages: ReceivedMessage[] = []
    for (const { stored, info } of poppedMessages(body, reply.header, source.brokerName)) {
      const message = this.read(stored, source)
      if (message === undefined) continue
      receipts.put(message, { topic: source.topic, info, untilMs })
      if (tags === undefined || matchesTag(tags, message.tag)) messages.push(message)
      // Tags whose hashes are alike: it is not for us, and nobody in this group wants it. It may come again.
      else await receipts.ack(message).catch(() => {})
    }
    return messages
  }

  /** Undefined, and told, for one that cannot be read: it comes again, and becomes a dead letter in the end. */
  private read(stored: StoredMessage, { topic, brokerName }: PopSource): ReceivedMessage | undefined {
    const { client, emit, group } = this.parts
    const { namespace, compressors } = client
    const queue = { topic, brokerName, queueId: stored.queueId }
    try {
      return receivedMessage(stored, queue, { namespace, compressors })
    } catch (error) {
      emit('messageUnreadable', { group, queue, queueOffset: stored.queueOffset, error })
      return undefined
    }
  }
}

function withoutPop(brokerName: string): ClientError {
  const message = `broker ${brokerName} has no POP (request 200050): Skua has it, and RocketMQ from 5.0 on; use a PushConsumer that pulls, or a LitePullConsumer`
  return new ClientError('BROKER', message, { responseCode: ResponseCode.requestCodeNotSupported })
}

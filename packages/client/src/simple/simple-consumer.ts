import { matchesTag, popMessage, poppedMessages, ResponseCode, type StoredMessage } from '@skua-mq/protocol'
import { abortable } from '../abortable.ts'
import { Subscriptions } from '../consume/subscriptions.ts'
import { ClientError } from '../error.ts'
import type { ClientEventMap, ClientEventName, ClientEvents } from '../events.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import { decodeAll } from '../message/decode.ts'
import type { BodyCodec } from '../message/message.ts'
import { type ReceivedMessage, receivedMessage } from '../message/received.ts'
import { settleBy } from '../message/settlement.ts'
import { wrapName } from '../name/namespace.ts'
import { clientEvents } from '../notices.ts'
import { checkOptions } from '../option-rules.ts'
import { type ClientSettings, clientSettings, groupOnWire } from '../options.ts'
import { simpleMember } from './member.ts'
import {
  invisibleTime,
  type ReceiveOptions,
  type ReceiveSettings,
  receiveSettings,
  type SimpleConsumerOptions,
  simpleRules,
} from './options.ts'
import { Receipts } from './receipts.ts'

interface Parts {
  readonly instance: ClientInstance
  readonly receipts: Receipts
}

/** A broker's messages of a topic. */
interface Source {
  readonly topic: string
  readonly brokerName: string
}

/** Answers of a broker that has nothing for us now. */
const nothing: readonly number[] = [
  ResponseCode.pollingTimeout,
  ResponseCode.pollingFull,
  ResponseCode.pullNotFound,
  ResponseCode.pullRetryImmediately,
]
/** How soon messages come again that nobody waited for. */
const soonMs = 100
/** How much longer than it holds a request a broker may take to answer. */
const answerMs = 5000

/**
 * Takes messages one by one, from whatever queue, and acknowledges them one by one: members need no share of the queues, and there
 * may be more of them than queues. A message that is not acknowledged in time comes again. Needs brokers with POP: Skua's,
 * and RocketMQ's from 5.0 on.
 */
export class SimpleConsumer<T = undefined> {
  private readonly client: ClientSettings
  private readonly settings: ReceiveSettings
  private readonly group: string
  private readonly fromFirst: boolean
  private readonly codec: BodyCodec<T> | undefined
  private readonly events: ClientEvents
  private readonly subscriptions = new Subscriptions()
  private readonly life: Lifecycle
  private parts: Parts | undefined
  /** What is given back in the background. It ends with the broker's hold, or with the connection. */
  private readonly givenBack = new Set<Promise<unknown>>()
  private turn = 0

  constructor(options: SimpleConsumerOptions<T>) {
    checkOptions('SimpleConsumer', options, simpleRules)
    this.codec = options.codec
    this.client = clientSettings(options)
    this.settings = receiveSettings(options)
    this.fromFirst = options.consumeFromWhere === 'CONSUME_FROM_FIRST_OFFSET'
    this.group = groupOnWire(this.client, options.group, 'DEFAULT_CONSUMER')
    this.events = clientEvents(this.client)
    this.life = new Lifecycle('consumer', { start: () => this.open(), stop: () => this.shut() })
  }

  on<N extends ClientEventName>(name: N, listener: (fields: ClientEventMap[N]) => void): () => void {
    return this.events.on(name, listener)
  }

  async start(options: StartOptions = {}): Promise<void> {
    await this.life.start()
    await waitForBroker((this.parts as Parts).instance, options)
  }

  /** Whether it runs, and which servers it is connected to: for health checks. */
  status(): ClientStatus {
    return clientStatus(this.parts?.instance, this.life)
  }

  /** Whether a broker is connected. */
  get isConnected(): boolean {
    return this.status().brokers.some(broker => broker.isConnected)
  }

  /** Leaves the group; requests that are held end with it. What was received and not acknowledged comes to others when its time is over. */
  close(): Promise<void> {
    return this.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** `expression`: tags `A || B`, or with `type` SQL92. Default everything. Errors: ClientError ARGUMENT. */
  async subscribe(topic: string, expression = '*', { type }: { type?: 'TAG' | 'SQL92' } = {}): Promise<void> {
    const subVersion = this.client.runtime.clock.now()
    this.subscriptions.set(wrapName(this.client.namespace, topic), { expression, type, subVersion })
    await this.tell()
  }

  async unsubscribe(topic: string): Promise<void> {
    this.subscriptions.delete(wrapName(this.client.namespace, topic))
    await this.tell()
  }

  /**
   * Messages of one of its topics, at one broker after another. Empty where none came in time.
   * Errors: ClientError STATE without a subscription, BROKER where a broker has no POP.
   */
  async receive(options: ReceiveOptions = {}): Promise<ReceivedMessage<T>[]> {
    const settings = receiveSettings(options, this.settings)
    const { instance, receipts } = await this.running()
    const source = await this.next(instance, options.signal)
    const pop = this.pop(source, settings, { instance, receipts })
    if (options.signal === undefined) return pop
    try {
      return await abortable(pop, options.signal)
    } catch (error) {
      // The broker holds the request all the same: what it answers yet belongs to nobody here.
      this.giveBack(pop, receipts)
      throw error
    }
  }

  private async pop(
    source: Source,
    settings: ReceiveSettings,
    { instance, receipts }: Parts,
  ): Promise<ReceivedMessage<T>[]> {
    const { subscriptions, group } = this
    const subscription = subscriptions.get(source.topic)
    if (subscription === undefined) return []
    const { data, tags } = subscription
    const reply = await instance.calls.atMaster(source, {
      spec: popMessage,
      header: {
        ...{ consumerGroup: group, topic: source.topic, queueId: -1, maxMsgNums: settings.maxNums },
        ...{ invisibleTime: settings.invisibleMs, pollTime: settings.awaitMs, bornTime: instance.clock.now() },
        ...{ initMode: this.fromFirst ? 0 : 1, expType: data.expressionType, exp: data.subString, order: false },
      },
      timeoutMs: settings.awaitMs + answerMs,
      allow: [...nothing, ResponseCode.requestCodeNotSupported],
    })
    const { code, body } = reply
    if (code === ResponseCode.requestCodeNotSupported) throw withoutPop(source.brokerName)
    if (nothing.includes(code) || body === undefined) return []
    const untilMs = instance.clock.monotonic() + settings.invisibleMs
    const messages: ReceivedMessage[] = []
    for (const { stored, info } of poppedMessages(body, reply.header, source.brokerName)) {
      const message = this.read(stored, source)
      if (message === undefined) continue
      receipts.put(message, { topic: source.topic, info, untilMs })
      settleBy(message as ReceivedMessage<unknown>, {
        ack: () => receipts.ack(message),
        nack: delayMs => receipts.change(message, Math.max(soonMs, delayMs ?? soonMs)),
      })
      if (tags === undefined || matchesTag(tags, message.tag)) messages.push(message)
      // Tags whose hashes are alike: it is not for us, and nobody in this group wants it. It may come again.
      else await receipts.ack(message).catch(() => {})
    }
    return decodeAll(messages, this.codec, ({ queue, queueOffset }, error) =>
      this.events.emit('messageUnreadable', { group, queue, queueOffset, error }),
    )
  }

  /** Undefined, and told, for one that cannot be read: it comes again, and becomes a dead letter in the end. */
  private read(stored: StoredMessage, { topic, brokerName }: Source): ReceivedMessage | undefined {
    const { namespace, compressors } = this.client
    const queue = { topic, brokerName, queueId: stored.queueId }
    try {
      return receivedMessage(stored, queue, { namespace, compressors })
    } catch (error) {
      const { queueOffset } = stored
      this.events.emit('messageUnreadable', { group: this.group, queue, queueOffset, error })
      return undefined
    }
  }

  /** Messages of a receive that nobody waits for any more are there for the next one soon. */
  private giveBack(pop: Promise<readonly ReceivedMessage<unknown>[]>, receipts: Receipts): void {
    const given = pop
      .then(messages =>
        Promise.allSettled(messages.map(message => receipts.change(message as ReceivedMessage, soonMs))),
      )
      .catch(() => {})
      .finally(() => this.givenBack.delete(given))
    this.givenBack.add(given)
  }

  /** It is consumed. Errors: ClientError STATE for what this consumer did not receive, and when its time is over. */
  async ack(message: ReceivedMessage<T>, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    await (await this.running()).receipts.ack(message as ReceivedMessage<never>, signal)
  }

  /** It comes again after so long from now on, unless it is acknowledged before. */
  async changeInvisibleMs(
    message: ReceivedMessage<T>,
    ms: number,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<void> {
    await (await this.running()).receipts.change(message as ReceivedMessage<never>, invisibleTime(ms), signal)
  }

  /** The next broker of the next topic, so that none waits behind another for ever. */
  private async next(instance: ClientInstance, signal: AbortSignal | undefined): Promise<Source> {
    const topics = this.subscriptions.topics()
    if (topics.length === 0)
      throw new ClientError('STATE', 'this consumer subscribes to nothing: subscribe(topic) first')
    const sources: Source[] = []
    for (const topic of topics) {
      const { subscribe } = await instance.routes.need(topic, signal)
      for (const brokerName of new Set(subscribe.map(queue => queue.brokerName))) sources.push({ topic, brokerName })
    }
    if (sources.length === 0)
      throw new ClientError('NO_BROKER', 'no queue of its topics can be read', { retriable: true })
    this.turn = (this.turn + 1) % Number.MAX_SAFE_INTEGER
    return sources[this.turn % sources.length] as Source
  }

  private async tell(): Promise<void> {
    if (!this.life.running) return
    const { instance } = this.parts as Parts
    for (const topic of this.subscriptions.topics()) await instance.routes.find(topic)
    await instance.heartbeats.beat()
  }

  private async running(): Promise<Parts> {
    if (!this.life.running) await this.life.start()
    return this.parts as Parts
  }

  private async open(): Promise<void> {
    const { client, group, subscriptions } = this
    const instance = acquireInstance(clientIdOf(client), client)
    try {
      await instance.start()
      instance.addConsumer(simpleMember({ instance, group, subscriptions, emit: this.events.emit }))
      this.parts = { instance, receipts: new Receipts(instance, group) }
    } catch (error) {
      await releaseInstance(instance)
      throw error
    }
    await instance.refreshRoutes()
    await instance.heartbeats.beat()
  }

  private async shut(): Promise<void> {
    const { instance } = this.parts as Parts
    await instance.removeConsumer(this.group)
    await releaseInstance(instance)
  }
}

function withoutPop(brokerName: string): ClientError {
  const message = `broker ${brokerName} has no POP (request 200050): Skua has it, and RocketMQ from 5.0 on; use a PushConsumer or a LitePullConsumer`
  return new ClientError('BROKER', message, { responseCode: ResponseCode.requestCodeNotSupported })
}

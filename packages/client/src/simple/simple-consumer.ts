import { type SubscribeOptions, Subscriptions, typeIn } from '../consume/subscriptions.ts'
import { ClientError } from '../error.ts'
import type { ClientEventMap, ClientEventName, ClientEvents } from '../events.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import { decodeAll } from '../message/decode.ts'
import type { BodyCodec } from '../message/message.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { settleBy } from '../message/settlement.ts'
import { wrapName } from '../name/namespace.ts'
import { clientEvents } from '../notices.ts'
import { checkOptions } from '../option-rules.ts'
import { type ClientSettings, clientSettings, groupOnWire } from '../options.ts'
import { type PopSource, Pops, soonMs } from '../pop/pops.ts'
import { Receipts } from '../pop/receipts.ts'
import { simpleMember } from './member.ts'
import {
  invisibleTime,
  type ReceiveOptions,
  type ReceiveSettings,
  receiveSettings,
  type SimpleConsumerOptions,
  simpleRules,
} from './options.ts'

interface Parts {
  readonly instance: ClientInstance
  readonly receipts: Receipts
  readonly pops: Pops
}

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
  async subscribe(topic: string, expression = '*', options: SubscribeOptions = {}): Promise<void> {
    const type = typeIn(options)
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
    const { instance, receipts, pops } = await this.running()
    const source = await this.next(instance, options.signal)
    const messages = await pops.pop(source, settings, options.signal)
    for (const message of messages)
      settleBy(message as ReceivedMessage<unknown>, {
        ack: () => receipts.ack(message),
        nack: delayMs => receipts.change(message, Math.max(soonMs, delayMs ?? soonMs)),
      })
    return decodeAll(messages, this.codec, ({ queue, queueOffset }, error) =>
      this.events.emit('messageUnreadable', { group: this.group, queue, queueOffset, error }),
    )
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
  private async next(instance: ClientInstance, signal: AbortSignal | undefined): Promise<PopSource> {
    const topics = this.subscriptions.topics()
    if (topics.length === 0)
      throw new ClientError('STATE', 'this consumer subscribes to nothing: subscribe(topic) first')
    const sources: PopSource[] = []
    for (const topic of topics) {
      const { subscribe } = await instance.routes.need(topic, signal)
      for (const brokerName of new Set(subscribe.map(queue => queue.brokerName))) sources.push({ topic, brokerName })
    }
    if (sources.length === 0)
      throw new ClientError('NO_BROKER', 'no queue of its topics can be read', { retriable: true })
    this.turn = (this.turn + 1) % Number.MAX_SAFE_INTEGER
    return sources[this.turn % sources.length] as PopSource
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
      const receipts = new Receipts(instance, group)
      const { fromFirst, events } = this
      const pops = new Pops({ instance, client, group, subscriptions, receipts, fromFirst, emit: events.emit })
      this.parts = { instance, receipts, pops }
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

import { type MessageQueue, matchesTag } from '@skua-mq/protocol'
import { every, type Timer } from '@skua-mq/runtime'
import { offsetStorageFor } from '../consume/offset-store/choose.ts'
import { Offsets } from '../consume/offset-store/offsets.ts'
import { PullCalls, type PullStatus } from '../consume/pull-calls.ts'
import { QueueOffsets } from '../consume/queue-ends.ts'
import { Rebalance } from '../consume/rebalance.ts'
import { SendBack } from '../consume/send-back.ts'
import { type Subscription, Subscriptions } from '../consume/subscriptions.ts'
import { ClientError } from '../error.ts'
import type { ClientEventMap, ClientEventName, ClientEvents } from '../events.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import { decodeAll } from '../message/decode.ts'
import { type ReceivedMessage, receivedMessages } from '../message/received.ts'
import { unwrapName, wrapName } from '../name/namespace.ts'
import { clientEvents } from '../notices.ts'
import { checkOptions } from '../option-rules.ts'
import { type ClientSettings, clientSettings, groupOnWire } from '../options.ts'
import { pullMember } from './member.ts'
import { type PullConsumerOptions, pullRules, pullSettings } from './options.ts'
import { type QueueListener, QueueWatch } from './queue-watch.ts'

/** What a pull found, and where to go on. */
export interface PullResult<T = undefined> {
  readonly status: PullStatus
  /** Where to go on. */
  readonly nextBeginOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  readonly messages: readonly ReceivedMessage<T>[]
}

/** What `PullConsumer.pull` takes. */
export interface PullOptions {
  /** Tags `A || B`, or with `type` SQL92. Default everything. */
  readonly expression?: string | undefined
  readonly type?: 'TAG' | 'SQL92' | undefined
  /** Default 32. */
  readonly maxNums?: number | undefined
  readonly signal?: AbortSignal | undefined
}

interface Parts {
  readonly instance: ClientInstance
  readonly offsets: Offsets
  readonly pulls: PullCalls
  readonly ends: QueueOffsets
  readonly rebalance: Rebalance
  readonly watch: QueueWatch
  readonly sendBack: SendBack
  readonly timer: Timer
}

/** Pulls what it is told to, from where it is told to; offsets are yours to keep, or in the store by `updateConsumeOffset`. */
export class PullConsumer<T = undefined> {
  private readonly options: PullConsumerOptions<T>
  private readonly client: ClientSettings
  private readonly settings: ReturnType<typeof pullSettings>
  private readonly group: string
  private readonly events: ClientEvents
  private readonly subscriptions = new Subscriptions()
  private readonly listeners: [topic: string, listener: QueueListener][] = []
  private readonly life: Lifecycle
  private parts: Parts | undefined

  constructor(options: PullConsumerOptions<T>) {
    checkOptions('PullConsumer', options, pullRules)
    this.options = options
    this.client = clientSettings(options)
    this.settings = pullSettings(options)
    this.group = groupOnWire(this.client, options.group, 'DEFAULT_CONSUMER')
    this.events = clientEvents(this.client)
    this.life = new Lifecycle('consumer', { start: () => this.open(), stop: () => this.shut() })
  }

  on<N extends ClientEventName>(name: N, listener: (fields: ClientEventMap[N]) => void): () => void {
    return this.events.on(name, listener)
  }

  async start(options: StartOptions = {}): Promise<void> {
    await this.life.start()
    await waitForBroker(this.parts!.instance, options)
  }

  /** Whether it runs, and which servers it is connected to: for health checks. */
  status(): ClientStatus {
    return clientStatus(this.parts?.instance, this.life)
  }

  /** Whether a broker is connected. */
  get isConnected(): boolean {
    return this.status().brokers.some(broker => broker.isConnected)
  }

  /** Writes offsets down and leaves the group. */
  close(): Promise<void> {
    return this.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** All queues of a topic that can be read. */
  async fetchSubscribeMessageQueues(topic: string, { signal }: { signal?: AbortSignal } = {}): Promise<MessageQueue[]> {
    const { instance } = await this.known(topic)
    const route = await instance.routes.need(this.wire(topic), signal)
    return route.subscribe.map(queue => ({ ...queue, topic }))
  }

  /** What is there from `offset` on, at once. */
  pull(queue: MessageQueue, offset: number, options: PullOptions = {}): Promise<PullResult<T>> {
    return this.ask(queue, offset, { ...options, suspendMs: 0, timeoutMs: this.settings.pullTimeoutMs })
  }

  /** As `pull`, but the broker waits up to brokerSuspendMaxTimeMillis for a message. */
  pullBlockIfNotFound(queue: MessageQueue, offset: number, options: PullOptions = {}): Promise<PullResult<T>> {
    const { suspendMs, suspendTimeoutMs: timeoutMs } = this.settings
    return this.ask(queue, offset, { ...options, suspendMs, timeoutMs })
  }

  /** Called with all queues of a topic and those that are this member's share, at the start and after each change. */
  registerMessageQueueListener(topic: string, listener: QueueListener): void {
    this.watchTopic(topic)
    const plain: QueueListener = (wire, { all, own }) => {
      const bare = (queues: readonly MessageQueue[]) => queues.map(queue => ({ ...queue, topic }))
      listener(unwrapName(this.client.namespace, wire), { all: bare(all), own: bare(own) })
    }
    this.listeners.push([this.wire(topic), plain])
    this.parts?.watch.listen(this.wire(topic), plain)
    void this.parts?.rebalance.now()
  }

  /** Where the group stands; undefined when that is not known. `fromStore` asks the store whatever memory says. */
  async fetchConsumeOffset(queue: MessageQueue, { fromStore = false } = {}): Promise<number | undefined> {
    const { offsets } = await this.known(queue.topic)
    return fromStore ? offsets.readStored(this.queueOnWire(queue)) : offsets.read(this.queueOnWire(queue))
  }

  /** Remembers where to go on; written down every 5 s, by `persist`, and at the end. */
  async updateConsumeOffset(queue: MessageQueue, offset: number): Promise<void> {
    const { offsets } = await this.known(queue.topic)
    offsets.update(this.queueOnWire(queue), offset)
  }

  /** Writes the offsets down now. */
  async persist(): Promise<void> {
    const { offsets } = await this.running()
    await offsets.persist(offsets.snapshot().keys())
  }

  async maxOffset(queue: MessageQueue): Promise<number> {
    return (await this.running()).ends.maxOffset(this.queueOnWire(queue))
  }

  async minOffset(queue: MessageQueue): Promise<number> {
    return (await this.running()).ends.minOffset(this.queueOnWire(queue))
  }

  /** The first message stored at this time or later; ms since 1970. */
  async searchOffset(queue: MessageQueue, timestampMs: number): Promise<number> {
    return (await this.running()).ends.searchOffset(this.queueOnWire(queue), timestampMs)
  }

  /** The broker brings the message again, to the group's retry topic. Level 0: the broker chooses. */
  async sendMessageBack(message: ReceivedMessage<T>, delayLevel = 0): Promise<void> {
    const { sendBack } = await this.running()
    if (await sendBack.giveBack(message as ReceivedMessage<unknown>, delayLevel)) return
    throw new ClientError('BROKER', `message ${message.msgId} could not be given back`, { retriable: true })
  }

  private async ask(
    queue: MessageQueue,
    offset: number,
    options: PullOptions & { suspendMs: number; timeoutMs: number },
  ): Promise<PullResult<T>> {
    const parts = await this.known(queue.topic)
    const wire = this.queueOnWire(queue)
    const subscription = this.subscriptionOf(queue.topic, options)
    const answer = await parts.pulls.pull({
      group: this.group,
      queue: wire,
      offset,
      maxMsgNums: options.maxNums ?? 32,
      subscription,
      sendSubscription: true,
      suspendMs: options.suspendMs,
      timeoutMs: options.timeoutMs,
      signal: options.signal,
    })
    const { status, nextBeginOffset, minOffset, maxOffset } = answer
    const messages = receivedMessages(answer.bytes, wire, {
      namespace: this.client.namespace,
      compressors: this.client.compressors,
      offsetDelta: answer.offsetDelta,
      unreadable: (stored, error) => {
        const fields = { group: this.group, queue, queueOffset: stored.queueOffset, error }
        this.events.emit('messageUnreadable', fields)
      },
    })
    const { tags } = subscription
    const wanted = messages.filter(message => tags === undefined || matchesTag(tags, message.tag))
    const read = await decodeAll(wanted, this.options.codec, ({ queueOffset }, error) =>
      this.events.emit('messageUnreadable', { group: this.group, queue, queueOffset, error }),
    )
    return { status, nextBeginOffset, minOffset, maxOffset, messages: read }
  }

  private subscriptionOf(topic: string, options: PullOptions): Subscription {
    const once = new Subscriptions()
    const wire = this.wire(topic)
    once.set(wire, { expression: options.expression ?? '*', type: options.type, subVersion: 0 })
    return once.get(wire)!
  }

  /** The heartbeat names the topics, so that the group is known at their brokers: without it they keep no offsets. */
  private async known(topic: string): Promise<Parts> {
    const fresh = this.watchTopic(topic)
    if (!this.life.running) await this.life.start()
    else if (fresh) {
      await this.parts!.instance.routes.find(this.wire(topic))
      await this.parts!.instance.heartbeats.beat()
    }
    return this.parts!
  }

  /** Whether it was not named before. */
  private watchTopic(topic: string): boolean {
    const wire = this.wire(topic)
    if (this.subscriptions.get(wire) !== undefined) return false
    this.subscriptions.set(wire, { expression: '*', subVersion: this.client.runtime.clock.now() })
    return true
  }

  private wire(topic: string): string {
    return wrapName(this.client.namespace, topic)
  }

  private queueOnWire(queue: MessageQueue): MessageQueue {
    return { ...queue, topic: this.wire(queue.topic) }
  }

  private async running(): Promise<Parts> {
    if (!this.life.running) await this.life.start()
    return this.parts!
  }

  private async open(): Promise<void> {
    const { client, settings, group, options } = this
    const { messageModel, strategy } = settings
    const broadcasting = messageModel === 'BROADCASTING'
    const instance = acquireInstance(clientIdOf(client, broadcasting ? 'DEFAULT' : undefined), client)
    try {
      await instance.start()
      const { localOffsetStoreDir } = options
      const storage = options.offsetStore ?? offsetStorageFor(instance, { group, messageModel, localOffsetStoreDir })
      const offsets = new Offsets(storage)
      await offsets.load()
      const { emit } = this.events
      const watch = new QueueWatch({ instance, group, offsets, emit })
      for (const [topic, listener] of this.listeners) watch.listen(topic, listener)
      const rebalance = new Rebalance({ instance, group, model: messageModel, strategy, ownership: watch, emit })
      const { subscriptions } = this
      instance.addConsumer(
        pullMember({
          instance,
          group,
          messageModel,
          consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
          subscriptions,
          offsets,
          rebalance,
          emit,
          owned: [],
        }),
      )
      const persist = () => this.persistQuietly(offsets)
      this.parts = {
        instance,
        offsets,
        watch,
        rebalance,
        pulls: new PullCalls(instance),
        ends: new QueueOffsets(instance.calls),
        sendBack: new SendBack({ ...settings, instance, group, namespace: client.namespace, emit }),
        timer: every(instance.clock, settings.persistConsumerOffsetInterval, persist),
      }
    } catch (error) {
      await releaseInstance(instance)
      throw error
    }
    await instance.refreshRoutes()
    await instance.heartbeats.beat()
    await this.parts.rebalance.now()
  }

  private async persistQuietly(offsets: Offsets): Promise<void> {
    try {
      await offsets.persist(offsets.snapshot().keys())
    } catch (error) {
      this.events.emit('offsetCommitFailed', { group: this.group, error })
    }
  }

  private async shut(): Promise<void> {
    const { instance, offsets, rebalance, timer } = this.parts!
    timer.cancel()
    await rebalance.stop()
    await this.persistQuietly(offsets)
    await instance.removeConsumer(this.group)
    await releaseInstance(instance)
  }
}

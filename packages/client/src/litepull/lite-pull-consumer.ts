import type { MessageQueue } from '@skua-mq/protocol'
import { type ConsumerLag, lagOf } from '../consume/lag.ts'
import { type SubscribeOptions, Subscriptions, typeIn } from '../consume/subscriptions.ts'
import { ClientError } from '../error.ts'
import type { ClientEventMap, ClientEventName, ClientEvents } from '../events.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import { decodeAll } from '../message/decode.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { unwrapName, wrapName } from '../name/namespace.ts'
import { clientEvents } from '../notices.ts'
import { checkOptions } from '../option-rules.ts'
import { type ClientSettings, clientSettings, groupOnWire } from '../options.ts'
import { QueueMap } from '../queue.ts'
import { type LitePullParts, openLitePull } from './lite-pull-parts.ts'
import { type LitePullConsumerOptions, type LitePullSettings, litePullRules, litePullSettings } from './options.ts'

/** What `LitePullConsumer.poll` takes. */
export interface PollOptions {
  /** Default pollTimeoutMillis. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Gives messages when asked: `subscribe` shares queues with the group, `assign` takes the given ones; not both.
 * Positions of what a poll gave are committed by a later poll, so process them before you poll again.
 */
export class LitePullConsumer<T = undefined> {
  private readonly options: LitePullConsumerOptions<T>
  private readonly client: ClientSettings
  private readonly settings: LitePullSettings
  private readonly group: string
  private readonly events: ClientEvents
  private readonly subscriptions = new Subscriptions()
  private readonly pausedQueues = new QueueMap<true>()
  private readonly life: Lifecycle
  private mode: 'subscribe' | 'assign' | undefined
  private wished: readonly MessageQueue[] = []
  private parts: LitePullParts | undefined
  private nextCommitAtMs = 0

  constructor(options: LitePullConsumerOptions<T>) {
    checkOptions('LitePullConsumer', options, litePullRules)
    this.options = options
    this.client = clientSettings(options)
    this.settings = litePullSettings(options)
    this.group = groupOnWire(this.client, options.group, 'DEFAULT_CONSUMER')
    this.events = clientEvents(this.client)
    this.life = new Lifecycle('consumer', { start: () => this.open(), stop: () => this.shut() })
  }

  on<N extends ClientEventName>(name: N, listener: (fields: ClientEventMap[N]) => void): () => void {
    return this.events.on(name, listener)
  }

  subscribe(topic: string, expression = '*', options: SubscribeOptions = {}): this {
    const type = typeIn(options)
    this.choose('subscribe')
    this.subscriptions.set(this.wire(topic), { expression, type, subVersion: this.client.runtime.clock.now() })
    if (this.parts !== undefined) void this.parts.instance.heartbeats.beat().then(() => this.parts?.rebalance.now())
    return this
  }

  async unsubscribe(topic: string): Promise<void> {
    this.subscriptions.delete(this.wire(topic))
    await this.parts?.leaveTopic(this.wire(topic))
  }

  /** Exactly these queues from now on; no sharing. */
  async assign(queues: readonly MessageQueue[]): Promise<void> {
    this.choose('assign')
    this.wished = queues.map(queue => this.queueOnWire(queue))
    if (this.life.closed) throw new ClientError('STATE', 'this consumer is closed')
    // A start that is under way takes the last wish, or is overtaken by it.
    await this.parts?.assignment.assign(this.wished)
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

  /** Commits what was polled before the last poll (call `commit` for the rest), and leaves the group. */
  close(): Promise<void> {
    return this.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** A batch of one queue; empty when none came in time. Errors: ClientError STATE before `subscribe` or `assign`. */
  async poll(options: PollOptions = {}): Promise<ReceivedMessage<T>[]> {
    if (this.mode === undefined)
      throw new ClientError('STATE', 'this consumer has no queues: subscribe(topic) or assign(queues) first')
    const parts = await this.running()
    parts.assigned.settle()
    this.commitIfDue(parts)
    const pulled = await parts.inbox.take(options.timeoutMs ?? this.settings.pollTimeoutMs, options.signal)
    if (pulled === undefined) return []
    parts.assigned.consumed(pulled.queue, pulled.process, pulled.messages)
    return decodeAll(pulled.messages, this.options.codec, ({ queue, queueOffset }, error) =>
      this.events.emit('messageUnreadable', { group: this.group, queue, queueOffset, error }),
    )
  }

  /** Commits what was polled, and waits until it is written down. */
  async commit(): Promise<void> {
    const parts = await this.running()
    parts.assigned.commit('polled')
    await parts.offsets.persist(parts.assigned.queues())
  }

  /** The committed offset; undefined when there is none. */
  async committed(queue: MessageQueue): Promise<number | undefined> {
    return (await this.running()).offsets.readStored(this.queueOnWire(queue))
  }

  /** The next poll of this queue begins here. Errors: ClientError OFFSET outside of the queue, STATE for a queue of others. */
  async seek(queue: MessageQueue, offset: number): Promise<void> {
    const parts = await this.running()
    const wire = this.queueOnWire(queue)
    const [min, max] = await Promise.all([parts.ends.minOffset(wire), parts.ends.maxOffset(wire)])
    if (offset < min || offset > max) {
      throw new ClientError('OFFSET', `offset ${offset} is outside of the queue, which holds ${min} to ${max}`)
    }
    const process = parts.assigned.seek(wire, offset)
    if (process === undefined) throw new ClientError('STATE', 'this queue is not assigned to this consumer')
    parts.owned.replace(wire, process)
  }

  async seekToBegin(queue: MessageQueue): Promise<void> {
    const { ends } = await this.running()
    await this.seek(queue, await ends.minOffset(this.queueOnWire(queue)))
  }

  async seekToEnd(queue: MessageQueue): Promise<void> {
    const { ends } = await this.running()
    await this.seek(queue, await ends.maxOffset(this.queueOnWire(queue)))
  }

  /** These are not pulled until `resume`. */
  pause(queues: readonly MessageQueue[]): void {
    for (const queue of queues) this.pausedQueues.set(this.queueOnWire(queue), true)
  }

  resume(queues: readonly MessageQueue[]): void {
    for (const queue of queues) this.pausedQueues.delete(this.queueOnWire(queue))
  }

  /** The first message stored at this time or later; ms since 1970. */
  async offsetForTimestamp(queue: MessageQueue, timestampMs: number): Promise<number> {
    return (await this.running()).ends.searchOffset(this.queueOnWire(queue), timestampMs)
  }

  /** All queues of a topic that can be read. */
  async fetchMessageQueues(topic: string, { signal }: { signal?: AbortSignal } = {}): Promise<MessageQueue[]> {
    const { instance } = await this.running()
    const route = await instance.routes.need(this.wire(topic), signal)
    return route.subscribe.map(queue => ({ ...queue, topic }))
  }

  /** Called when the queues of a topic are others than before; returns the function that ends it. */
  async registerTopicMessageQueueChangeListener(
    topic: string,
    listener: (queues: readonly MessageQueue[]) => void,
  ): Promise<() => void> {
    const parts = await this.running()
    const plain = (queues: readonly MessageQueue[]) => listener(queues.map(queue => ({ ...queue, topic })))
    return parts.watchQueues(this.wire(topic), plain)
  }

  /** The queues that are pulled now. */
  get queues(): MessageQueue[] {
    const { namespace } = this.client
    const queues = this.parts?.assigned.queues() ?? []
    return queues.map(queue => ({ ...queue, topic: unwrapName(namespace, queue.topic) }))
  }

  /** How far it is behind in the queues that are pulled now, by what is committed; nothing before the start. */
  async lag(): Promise<ConsumerLag> {
    if (this.parts === undefined) return { total: 0, queues: [] }
    const { assigned, offsets, ends } = this.parts
    return lagOf(assigned.queues(), { offsets, ends, namespace: this.client.namespace })
  }

  private commitIfDue(parts: LitePullParts): void {
    const now = parts.instance.clock.monotonic()
    if (!this.settings.autoCommit || now < this.nextCommitAtMs) return
    if (this.nextCommitAtMs > 0) {
      parts.assigned.commit('settled')
      void parts.persist()
    }
    this.nextCommitAtMs = now + this.settings.autoCommitMs
  }

  private choose(mode: 'subscribe' | 'assign'): void {
    this.mode ??= mode
    if (this.mode !== mode)
      throw new ClientError('STATE', 'use subscribe or assign, not both: the group would lose track')
  }

  private wire(topic: string): string {
    return wrapName(this.client.namespace, topic)
  }

  private queueOnWire(queue: MessageQueue): MessageQueue {
    return { ...queue, topic: this.wire(queue.topic) }
  }

  private async running(): Promise<LitePullParts> {
    if (!this.life.running) await this.life.start()
    return this.parts!
  }

  private async open(): Promise<void> {
    const { client, settings, group, subscriptions, options } = this
    this.parts = await openLitePull({
      client,
      settings,
      group,
      subscriptions,
      offsetStore: options.offsetStore,
      localOffsetStoreDir: options.localOffsetStoreDir,
      emit: this.events.emit,
      paused: queue => this.pausedQueues.has(queue),
    })
    try {
      if (this.mode === 'assign') await this.parts.assignment.assign(this.wished)
    } catch (error) {
      await this.parts.close()
      this.parts = undefined
      throw error
    }
  }

  private async shut(): Promise<void> {
    await this.parts!.close()
  }
}

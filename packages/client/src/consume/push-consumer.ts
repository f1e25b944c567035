import { checkClientConfig, type MessageQueue } from '@skua-mq/protocol'
import { delay, every, type Timer } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { ClientEventMap, ClientEventName, ClientEvents } from '../events.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { retryTopic, unwrapName, wrapName } from '../name/namespace.ts'
import { clientEvents } from '../notices.ts'
import { checkOptions } from '../option-rules.ts'
import { type ClientSettings, clientSettings, groupOnWire } from '../options.ts'
import type { TraceDispatcher } from '../trace/dispatcher.ts'
import { traceSender } from '../trace/send-traces.ts'
import type { ConsumeEngine } from './engine.ts'
import { type BatchHandler, type Listener, type MessageHandler, overBatch } from './handler.ts'
import type { ConsumerLag } from './lag.ts'
import { popEngine } from './pop/pop-engine.ts'
import { pullEngine } from './pull-engine.ts'
import { type PushConsumerOptions, type PushSettings, pushRules, pushSettings } from './push-options.ts'
import type { PushContext } from './push-parts.ts'
import { MessageStream } from './stream.ts'
import { tellDifferences } from './subscription-differences.ts'
import { type SubscribeOptions, Subscriptions, typeIn } from './subscriptions.ts'

function checkHandler(handler: unknown): void {
  if (typeof handler !== 'function')
    throw new ClientError('ARGUMENT', `a handler is a function: ${typeof handler} was given`)
}

/** So long after the start somebody must have begun to read a consumer without a handler. */
const noHandlerMs = 1_000
/** So long after a loop was left the next one must have begun. */
const loopLeftMs = 5_000
/** When it is looked what other members subscribe to. */
const firstLookMs = 1_000
const lookMs = 60_000

/**
 * Gets the messages of its topics, shared out among the members of the group. Give it a handler, or read it with
 * `for await`; it starts with `start`, or with the loop. Delivery is at least once: see `idempotent`.
 */
export class PushConsumer<T = undefined> {
  private readonly options: PushConsumerOptions<T>
  private readonly client: ClientSettings
  private readonly settings: PushSettings
  private readonly group: string
  private readonly events: ClientEvents
  private readonly subscriptions = new Subscriptions()
  private readonly stream: MessageStream<T>
  private readonly ending = new AbortController()
  private readonly life: Lifecycle
  private handler: BatchHandler<T> | undefined
  private handlerName = 'for await'
  private paused = false
  /** Resets of offsets that are under way: what the application says meanwhile counts behind them. */
  private holds = 0
  private instance: ClientInstance | undefined
  private engine: ConsumeEngine | undefined
  private traces: TraceDispatcher | undefined
  private doubts: readonly Timer[] = []
  private readers: Timer | undefined

  constructor(options: PushConsumerOptions<T>) {
    checkOptions('PushConsumer', options, pushRules)
    this.options = options
    this.client = clientSettings(options)
    this.settings = pushSettings(options)
    this.group = groupOnWire(this.client, options.group, 'DEFAULT_CONSUMER')
    this.events = clientEvents(this.client)
    this.life = new Lifecycle('consumer', { start: () => this.open(), stop: () => this.shut() })
    this.stream = new MessageStream<T>(
      () => {
        if (this.handler !== undefined)
          throw new ClientError('STATE', 'this consumer has a handler: use that, or for await')
      },
      () => this.lookForReaders(),
    )
  }

  on<N extends ClientEventName>(name: N, listener: (fields: ClientEventMap[N]) => void): () => void {
    return this.events.on(name, listener)
  }

  /** Undefined before the start. */
  get clientId(): string | undefined {
    return this.instance?.clientId
  }

  /** Topics may be added and taken away while it runs. Throws ClientError ARGUMENT for a bad expression. */
  subscribe(topic: string, expression = '*', options: SubscribeOptions = {}): this {
    const type = typeIn(options)
    const subVersion = this.client.runtime.clock.now()
    this.subscriptions.set(wrapName(this.client.namespace, topic), { expression, type, subVersion })
    if (this.life.running) void this.instance!.heartbeats.beat().then(() => this.engine?.topicsChanged())
    return this
  }

  async unsubscribe(topic: string): Promise<void> {
    const wire = wrapName(this.client.namespace, topic)
    this.subscriptions.delete(wire)
    const { engine } = this
    if (engine === undefined) return
    await engine.forget(wire)
    await this.instance!.heartbeats.beat()
  }

  /** Called for each message; nothing or CONSUME_SUCCESS acknowledges it, an exception or RECONSUME_LATER brings it again. */
  onMessage(handler: MessageHandler<T>): this {
    checkHandler(handler)
    this.onMessages(overBatch(handler))
    this.handlerName = handler.name || 'an unnamed handler'
    return this
  }

  /** Called for up to consumeMessageBatchMaxSize messages of one queue. */
  onMessages(handler: BatchHandler<T>): this {
    checkHandler(handler)
    if (this.handler !== undefined) throw new ClientError('STATE', 'this consumer has a handler already')
    if (this.life.running) throw new ClientError('STATE', 'give the handler before the start')
    this.handler = handler
    this.handlerName = handler.name || 'an unnamed handler'
    return this
  }

  async start(options: StartOptions = {}): Promise<void> {
    await this.life.start()
    await waitForBroker(this.instance!, options)
  }

  /** Whether it runs, and which servers it is connected to: for health checks. */
  status(): ClientStatus {
    return clientStatus(this.instance, this.life)
  }

  /** Whether a broker is connected. */
  get isConnected(): boolean {
    return this.status().brokers.some(broker => broker.isConnected)
  }

  /** Waits for running handlers, writes offsets down, leaves the group. */
  close(): Promise<void> {
    return this.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Messages one by one; the next turn acknowledges the last message, `break` gives it back. Starts the consumer; of one that is closed it rejects. */
  [Symbol.asyncIterator](): AsyncIterableIterator<ReceivedMessage<T>> {
    return this.messages()
  }

  /** As `for await (… of consumer)`, ended by a signal. */
  messages({ signal }: { signal?: AbortSignal } = {}): AsyncIterableIterator<ReceivedMessage<T>> {
    // Whoever begins now would wait for nothing.
    const isOver = this.life.closed
    const messages = this.stream.iterator(signal)
    const { next } = messages
    messages.next = async () => {
      if (isOver) throw new ClientError('STATE', 'this consumer is closed')
      if (!this.life.running && !this.life.closed) await this.life.start()
      // One that was closed before it ran has nobody else to end its loops.
      if (this.life.closed) this.stream.close()
      return next()
    }
    return messages
  }

  /** In a `for await` loop: acknowledges the message at once, so that `break` does not bring it again. */
  ack(message: ReceivedMessage<T>): void {
    this.stream.ack(message)
  }

  /** Stops pulling; what is cached is still consumed. */
  suspend(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  /** The queues that this member owns now; none with consumeMode POP, where queues have no owners. */
  get queues(): MessageQueue[] {
    const { namespace } = this.client
    return [...(this.engine?.queues() ?? [])].map(queue => ({
      ...queue,
      topic: unwrapName(namespace, queue.topic),
    }))
  }

  /** How far this member is behind in its queues; with consumeMode POP how far the group is. Nothing before the start. */
  async lag(): Promise<ConsumerLag> {
    return (await this.engine?.lag()) ?? { total: 0, queues: [] }
  }

  private async open(): Promise<void> {
    const { settings, client, group } = this
    if (this.subscriptions.topics().length === 0)
      throw new ClientError('STATE', 'subscribe to a topic before the start')
    const broadcasting = settings.messageModel === 'BROADCASTING'
    const pops = settings.consumeMode === 'POP'
    // Brokers bring what is popped again from topics of their own.
    if (!broadcasting && !pops) {
      const subVersion = client.runtime.clock.now()
      this.subscriptions.set(retryTopic(group), { expression: '*', subVersion })
    }
    // A broadcasting consumer must find its offset file again.
    const instance = acquireInstance(clientIdOf(client, broadcasting ? 'DEFAULT' : undefined), client)
    try {
      await instance.start()
      this.traces = this.traceDispatcher(instance)
      const engine = (pops ? popEngine : pullEngine)(this.context(instance))
      await engine.load()
      instance.addConsumer(engine.member)
      this.instance = instance
      this.engine = engine
    } catch (error) {
      await releaseInstance(instance)
      throw error
    }
    await this.begin(instance, this.engine)
  }

  private async begin(instance: ClientInstance, engine: ConsumeEngine): Promise<void> {
    try {
      await instance.refreshRoutes()
      await this.checkExpressions(instance)
    } catch (error) {
      await instance.removeConsumer(this.group)
      await releaseInstance(instance)
      throw error
    }
    await instance.heartbeats.beat()
    this.doubts = this.watchDoubts(instance)
    await engine.begin()
  }

  /** A loop that is left mostly begins anew, or the consumer is closed. */
  private lookForReaders(): void {
    const { instance, options } = this
    if (instance === undefined || !this.life.running) return
    this.readers?.cancel()
    this.readers = instance.clock.after(loopLeftMs, () => {
      const queues = this.queues.length
      if (this.stream.readers === 0) this.events.emit('loopLeft', { group: options.group, queues })
    })
  }

  /** What only shows when it runs: that nobody takes its messages, or that others of its group want something else. */
  private watchDoubts(instance: ClientInstance): readonly Timer[] {
    const { group } = this.options
    const timers = [
      instance.clock.after(noHandlerMs, () => {
        if (this.handler === undefined && !this.stream.wasRead) this.events.emit('noHandler', { group })
      }),
    ]
    if (this.settings.messageModel === 'CLUSTERING') {
      const { subscriptions } = this
      const look = () =>
        tellDifferences({
          instance,
          group: this.group,
          subscriptions,
          told: fields => this.events.emit('subscriptionsDiffer', { ...fields, group }),
        })
      timers.push(instance.clock.after(firstLookMs, look), every(instance.clock, lookMs, look))
    }
    return timers
  }

  /** Expressions other than by tag are checked by a broker, which may have them switched off. */
  private async checkExpressions(instance: ClientInstance): Promise<void> {
    for (const subscription of this.subscriptions.list()) {
      if (subscription.expressionType === 'TAG') continue
      const { topic } = subscription
      const broker = instance.routes.known(topic)?.data.brokerDatas[0]
      const at = broker === undefined ? undefined : instance.routes.anyOf(broker.brokerName, 0)
      if (at === undefined) continue
      const body = checkClientConfig.body!.encode({
        clientId: instance.clientId,
        group: this.group,
        subscriptionData: subscription,
      })
      try {
        await instance.calls.ask(at.address, { spec: checkClientConfig, header: {}, body })
      } catch (error) {
        if (!(error instanceof ClientError) || error.code !== 'BROKER') throw error
        // The same expression is refused the next time, too.
        const { message, responseCode } = error
        throw new ClientError('BROKER', message, { cause: error, responseCode })
      }
    }
  }

  private async shut(): Promise<void> {
    const engine = this.engine!
    const instance = this.instance!
    this.paused = true
    for (const doubt of this.doubts) doubt.cancel()
    this.readers?.cancel()
    engine.halt()
    this.ending.abort(new ClientError('STATE', 'the consumer is closing'))
    this.stream.close()
    await engine.settle()
    await this.awaitHandlers(engine, instance)
    await engine.end()
    await this.traces?.stop()
    await instance.removeConsumer(this.group)
    await releaseInstance(instance)
  }

  private async awaitHandlers(engine: ConsumeEngine, instance: ClientInstance): Promise<void> {
    const over = new AbortController()
    const { awaitTerminationMs: waitedMs } = this.settings
    const late = delay(instance.clock, waitedMs, over.signal).then(
      () => this.events.emit('handlersLeft', { group: this.options.group, waitedMs }),
      () => {},
    )
    await Promise.race([engine.idle(), late])
    over.abort()
  }

  private context(instance: ClientInstance): PushContext {
    const { client, settings, group, subscriptions, options } = this
    return {
      instance,
      client,
      settings,
      group,
      plainGroup: options.group,
      subscriptions,
      offsetStore: options.offsetStore,
      codec: options.codec,
      traces: this.traces,
      emit: this.events.emit,
      signal: this.ending.signal,
      paused: () => this.paused || this.holds > 0,
      suspend: () => void this.holds++,
      resume: () => void this.holds--,
      listener: () => this.listener(),
      handlerName: () => this.handlerName,
    }
  }

  private listener(): Listener {
    const handler = this.handler ?? overBatch((message: ReceivedMessage<T>) => this.stream.offer(message) as never)
    return handler as Listener
  }

  private traceDispatcher(instance: ClientInstance): TraceDispatcher | undefined {
    const topic = this.settings.traceTopic
    if (topic === undefined) return undefined
    return traceSender(instance, { topic, group: this.options.group, kind: 'CONSUME', emit: this.events.emit })
  }
}

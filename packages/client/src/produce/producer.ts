import type { MessageQueue } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import type { ClientEventMap, ClientEventName, ClientEvents } from '../events.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import type { Message } from '../message/message.ts'
import { checkMessage, type Draft, makeHalf } from '../message/outgoing.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { unwrapName, wrapName } from '../name/namespace.ts'
import { clientEvents } from '../notices.ts'
import { checkOptions, type OptionRules } from '../option-rules.ts'
import { bounded, type ClientSettings, clientSettings, groupOnWire } from '../options.ts'
import { sameQueue } from '../queue.ts'
import { type BufferOptions, SendBuffer } from './buffer.ts'
import { type CallOptions, ProducerCore } from './core.ts'
import type { DeliveryCall } from './delivery.ts'
import { DraftMaker } from './draft-maker.ts'
import { queueOfKey } from './key-hash.ts'
import {
  type DecodedAs,
  type ProducerOptions,
  type ProducerSettings,
  producerRules,
  producerSettings,
} from './options.ts'
import type { ReplyMessage } from './pending-replies.ts'
import { recall } from './recall.ts'
import { makeRequest, replyDraft } from './request-reply.ts'
import type { SendResult } from './result.ts'
import { sendTogether } from './together.ts'
import { runLocal, type TransactionParts, type TransactionResult, Transactions } from './transaction.ts'
import { endTransactionRecord } from './transaction-trace.ts'

/** What `Producer.send` takes: at most one of `orderKey`, `queue` and the like chooses the queue. */
export interface SendOptions extends CallOptions {
  /** As the producer's option, for this send. A send to a chosen queue is tried there again. */
  readonly retryFor?: number | undefined
  /** Messages of one key go to one queue, in order, as long as the topic's queues stay the same. One try only. */
  readonly orderKey?: string | number | undefined
  /** Exactly this queue. One try only. */
  readonly queue?: MessageQueue | undefined
  /** Chooses among the topic's queues. One try only. */
  readonly select?: ((queues: readonly MessageQueue[]) => MessageQueue) | undefined
}

const callRules: OptionRules<CallOptions> = { timeoutMs: 'number', signal: 'object' }

const sendRules: OptionRules<SendOptions> = {
  ...callRules,
  retryFor: 'number',
  // Text or a number.
  orderKey: 'any',
  queue: 'object',
  select: 'function',
}

/** What belongs to the message. */
const placesOfMembers = Object.fromEntries(
  ['tag', 'keys', 'properties', 'delayLevel', 'delayMs', 'deliverAtMs'].map(name => [
    name,
    'it is a member of the message',
  ]),
)

/** Throws ClientError ARGUMENT. */
function checkCall(what: string, options: SendOptions): void {
  checkOptions(what, options, sendRules, placesOfMembers)
  const { orderKey, queue, select } = options
  if ([orderKey, queue, select].filter(given => given !== undefined).length < 2) return
  throw new ClientError('ARGUMENT', 'give one of orderKey, queue and select: each chooses the queue')
}

/**
 * Sends messages. Starts by itself with the first send; `close` (or `await using`) ends it. All waiting calls take an
 * AbortSignal. Errors are ClientErrors with `code` and `retriable`.
 */
export class Producer<T = string | Uint8Array> {
  private readonly options: ProducerOptions<T>
  private readonly client: ClientSettings
  private readonly settings: ProducerSettings
  private readonly group: string
  private readonly events: ClientEvents
  private readonly life: Lifecycle
  private instance: ClientInstance | undefined
  private core: ProducerCore | undefined
  private maker: DraftMaker<T> | undefined
  private transactions: Transactions | undefined

  constructor(options: ProducerOptions<T>) {
    checkOptions('Producer', options, producerRules)
    this.options = options
    this.client = clientSettings(options)
    this.settings = producerSettings(options)
    this.group = groupOnWire(this.client, options.group, 'DEFAULT_PRODUCER')
    this.events = clientEvents(this.client)
    this.life = new Lifecycle('producer', { start: () => this.open(), stop: () => this.shut() })
  }

  on<N extends ClientEventName>(name: N, listener: (fields: ClientEventMap[N]) => void): () => void {
    return this.events.on(name, listener)
  }

  /** Undefined before the start. */
  get clientId(): string | undefined {
    return this.instance?.clientId
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

  /** Sends what is traced, leaves the brokers, closes connections that nobody shares. */
  close(): Promise<void> {
    return this.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Sends and waits for the broker's answer; without a chosen queue it is tried at other brokers, too. */
  async send(message: Message<T>, options: SendOptions = {}): Promise<SendResult> {
    checkMessage(message)
    checkCall('send', options)
    const core = await this.running()
    const call = core.call(options)
    return this.deliver(core, await this.maker!.single(message), { call, options })
  }

  /** Messages of one topic in as few sends as maxBatchBytes allows. Returns one result per send. */
  async sendBatch(messages: readonly Message<T>[], options: SendOptions = {}): Promise<SendResult[]> {
    checkCall('sendBatch', options)
    const core = await this.running()
    const results: SendResult[] = []
    for (const { draft, messages: count } of await this.maker!.batches(messages)) {
      results.push(await this.deliver(core, draft, { call: core.call(options), options, messages: count }))
    }
    return results
  }

  /** Sends without waiting for an answer: the fastest way, and the message may be lost. */
  async sendOneway(message: Message<T>, options: SendOptions = {}): Promise<void> {
    checkMessage(message)
    checkCall('sendOneway', options)
    const core = await this.running()
    const call = core.call(options)
    const draft = await this.maker!.single(message)
    core.topics.add(draft.topic)
    const route = await core.publishRoutes.find(draft.topic, call.signal)
    const queue = this.chosen(route.publish, options) ?? core.delivery.choose(route)
    const timeoutMs = core.delivery.leftMs(call)
    await core.sender.tell({ queue, draft, group: this.group, timeoutMs, signal: call.signal })
  }

  /**
   * Sends a half message, runs the local transaction, and commits the message when it returns nothing (or says 'commit'). An
   * exception is thrown on, and rolls back; with `checkTransaction` it leaves the verdict to that.
   */
  async transaction(
    message: Message<T>,
    local: (sent: SendResult) => unknown,
    options: CallOptions = {},
  ): Promise<TransactionResult> {
    if (typeof local !== 'function')
      throw new ClientError('ARGUMENT', 'a transaction needs a function that does its local part')
    checkOptions('transaction', options, callRules, placesOfMembers)
    checkMessage(message)
    const core = await this.running()
    const call = core.call(options)
    const draft = await this.maker!.single(message)
    makeHalf(draft, this.group)
    await core.register(draft.topic, call.signal)
    const result = await this.deliver(core, draft, { call, options: {} })
    const canBeChecked = this.options.checkTransaction !== undefined
    const stored = result.sendStatus === 'SEND_OK'
    const verdict = stored ? await runLocal(() => local(result), canBeChecked) : { state: 'rollback' as const }
    await this.transactions!.end(draft, result, verdict)
    if ('error' in verdict) throw verdict.error
    return { ...result, state: verdict.state }
  }

  /** Sends and waits for a consumer's reply; the time covers both. Default timeout: sendMsgTimeout. */
  async request(message: Message<T>, options: SendOptions = {}): Promise<ReplyMessage<DecodedAs<T>>> {
    checkMessage(message)
    checkCall('request', options)
    const core = await this.running()
    const instance = this.instance!
    const call = core.call(options)
    const draft = await this.maker!.single(message)
    const correlationId = instance.runtime.random.uuid()
    makeRequest(draft, { correlationId, clientId: instance.clientId, ttlMs: call.timeoutMs })
    await core.register(draft.topic, call.signal)
    const reply = instance.replies.wait(correlationId, core.delivery.leftMs(call), call.signal)
    // Whoever is told about the failed send need not hear of the missing reply as well.
    reply.catch(() => {})
    try {
      await this.deliver(core, draft, { call, options })
    } catch (error) {
      instance.replies.forget(correlationId)
      throw error
    }
    const came = await reply
    const { codec } = this.options
    if (codec === undefined) return came as ReplyMessage<DecodedAs<T>>
    return { ...came, value: (await codec.decode(came.body)) as DecodedAs<T> }
  }

  /** Answers a request that a consumer got. */
  async reply(
    to: Pick<ReceivedMessage, 'properties'>,
    body: string | Uint8Array,
    options: CallOptions = {},
  ): Promise<SendResult> {
    checkOptions('reply', options, callRules)
    const core = await this.running()
    const bytes = typeof body === 'string' ? Buffer.from(body) : body
    const draft = replyDraft(to, bytes, this.instance!.newId())
    return this.deliver(core, draft, { call: core.call(options), options: {} })
  }

  /**
   * Takes a message back whose time has not come, by the `recallHandle` of its send; returns its id. Brokers allow it with
   * `recallMessageEnable=true`. Errors: ClientError ARGUMENT for what is no handle; BROKER where it is not allowed or its time has come.
   */
  async recall(topic: string, recallHandle: string, options: CallOptions = {}): Promise<string> {
    checkOptions('recall', options, callRules)
    const core = await this.running()
    const { timeoutMs, signal } = core.call(options)
    const wire = wrapName(this.client.namespace, topic)
    core.topics.add(wire)
    const { calls } = this.instance!
    return recall({ calls, group: this.group, topic: wire, recallHandle, timeoutMs, signal })
  }

  /** Sends what comes within a few milliseconds together: see `SendBuffer`. */
  buffer(options: BufferOptions = {}): SendBuffer<T> {
    const { lingerMs = 5, maxBytes = 262_144, maxMessages = 1_000 } = options
    return new SendBuffer<T>({
      options: {
        lingerMs: bounded('lingerMs', lingerMs, { min: 0, max: 60_000 }),
        maxBytes: bounded('maxBytes', maxBytes, { min: 1, max: this.settings.maxBatchBytes }),
        maxMessages: bounded('maxMessages', maxMessages, { min: 1, max: 10_000 }),
      },
      after: (ms, run) => this.client.runtime.clock.after(ms, run),
      send: message => this.send(message),
      sendTogether: messages =>
        sendTogether(messages, {
          maxBatchBytes: this.settings.maxBatchBytes,
          drafts: async some => {
            await this.running()
            return this.maker!.apart(some)
          },
          sendOne: message => this.send(message),
          sendDraft: async (draft, count) => {
            const core = await this.running()
            return this.deliver(core, draft, { call: core.call({}), options: {}, messages: count })
          },
        }),
    })
  }

  /** The queues to which messages of a topic are sent. */
  async fetchPublishMessageQueues(topic: string, { signal }: { signal?: AbortSignal } = {}): Promise<MessageQueue[]> {
    const core = await this.running()
    const wire = wrapName(this.client.namespace, topic)
    core.topics.add(wire)
    const { publish } = await core.publishRoutes.find(wire, signal)
    return publish.map(queue => ({ ...queue, topic }))
  }

  private async running(): Promise<ProducerCore> {
    if (!this.life.running) await this.life.start()
    return this.core!
  }

  private deliver(core: ProducerCore, draft: Draft, how: Deliver): Promise<SendResult> {
    const { call, options, messages } = how
    const send = async () => {
      if (options.queue === undefined && options.orderKey === undefined && options.select === undefined) {
        return core.delivery.anywhere(draft, call)
      }
      const { publish } = await core.publishRoutes.find(draft.topic, call.signal)
      return core.delivery.to(draft, this.chosen(publish, options)!, call)
    }
    return core.run(draft, call, { send, ...(messages === undefined ? {} : { messages }) })
  }

  /** The queue on the wire, where the application chose one. */
  private chosen(queues: readonly MessageQueue[], options: SendOptions): MessageQueue | undefined {
    if (options.orderKey !== undefined) return queueOfKey(queues, options.orderKey)
    const { namespace } = this.client
    const plain = () => queues.map(queue => ({ ...queue, topic: unwrapName(namespace, queue.topic) }))
    const wish = options.queue ?? options.select?.(plain())
    if (wish === undefined) return undefined
    const found = queues.find(queue => sameQueue(queue, { ...wish, topic: wrapName(namespace, wish.topic) }))
    if (found !== undefined) return found
    throw new ClientError('ARGUMENT', `topic ${wish.topic} has no writable queue ${wish.queueId} at ${wish.brokerName}`)
  }

  private async open(): Promise<void> {
    const { client, settings, group, options } = this
    const instance = acquireInstance(clientIdOf(client), client)
    try {
      await instance.start()
      const core = new ProducerCore({ instance, client, settings, group, emit: this.events.emit })
      const transactions = new Transactions({
        instance,
        group,
        namespace: client.namespace,
        emit: this.events.emit,
        check: options.checkTransaction as TransactionParts['check'],
        codec: options.codec,
        maxHeld: settings.checkRequestHoldMax,
        ended: end => core.traces?.add(endTransactionRecord(end, { group: options.group, instance })),
      })
      instance.addProducer({
        group,
        emit: this.events.emit,
        topics: () => core.topics,
        checkTransaction: check => transactions.checked(check),
      })
      this.instance = instance
      this.core = core
      this.transactions = transactions
      this.maker = new DraftMaker({
        settings,
        namespace: client.namespace,
        codec: options.codec,
        newId: () => instance.newId(),
      })
    } catch (error) {
      await releaseInstance(instance)
      throw error
    }
    // Name servers that are down now do not keep a producer from starting; the first send says it.
    await instance.refreshRoutes()
    await instance.heartbeats.beat()
  }

  private async shut(): Promise<void> {
    await this.core!.traces?.stop()
    await this.instance!.removeProducer(this.group)
    await releaseInstance(this.instance!)
  }
}

interface Deliver {
  readonly call: DeliveryCall
  readonly options: SendOptions
  readonly messages?: number
}

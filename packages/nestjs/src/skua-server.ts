import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices'
import {
  type ClientEventMap,
  type ClientEventName,
  type ClientOptions,
  type ConsumeContext,
  Producer,
  PushConsumer,
  type PushConsumerOptions,
  type ReceivedMessage,
  wantsReply,
} from '@skua-mq/client'
import { isObservable, lastValueFrom } from 'rxjs'
import { SkuaContext } from './context.ts'
import { type Answer, decodeData, encodeData } from './data.ts'
import { readPattern, tagsOf } from './pattern.ts'

/** What a service listens with. */
export interface SkuaServerOptions extends ClientOptions {
  /** The consumer group of this service: its instances share the messages. */
  readonly group: string
  /** Further options of its consumer. */
  readonly consumer?: Omit<PushConsumerOptions, keyof ClientOptions | 'group' | 'codec'> | undefined
}

type Events = { [N in ClientEventName]: (fields: ClientEventMap[N]) => void }
type Handler = MessageHandler<unknown, SkuaContext, unknown>

/** A handler, and which messages of its topic it takes. */
interface Route {
  readonly tags: ReadonlySet<string> | undefined
  readonly handler: Handler
}

/** `transportId` of handlers that are for this transport alone. */
export const skuaTransport = Symbol('skua')

/**
 * A transport strategy: `createMicroservice(Module, { strategy: new SkuaServer({ namesrvAddr, group }) })`. A handler that throws has
 * its message brought again later, and after its tries it is a dead letter. Handlers of requests answer, also by an error.
 */
export class SkuaServer extends Server<Events> implements CustomTransportStrategy {
  override transportId = skuaTransport
  private readonly options: SkuaServerOptions
  private readonly routes = new Map<string, Route[]>()
  private readonly listeners: ((consumer: PushConsumer) => void)[] = []
  private consumer: PushConsumer | undefined
  private producer: Producer | undefined

  constructor(options: SkuaServerOptions) {
    super()
    this.options = options
  }

  listen(callback: (error?: unknown) => void): void {
    this.open().then(
      () => callback(),
      error => callback(error),
    )
  }

  /** Waits for running handlers, and leaves the group. */
  async close(): Promise<void> {
    await this.consumer?.close()
    await this.producer?.close()
  }

  /** Events of the consumer, such as handlerFailed and deadLetter. */
  on<N extends keyof Events>(event: N, listener: Events[N]): void {
    const listen = (consumer: PushConsumer) => void consumer.on(event, listener as never)
    this.listeners.push(listen)
    if (this.consumer !== undefined) listen(this.consumer)
  }

  /** The consumer. */
  unwrap<T = PushConsumer>(): T {
    return this.consumer as T
  }

  private async open(): Promise<void> {
    const { group, consumer: more, ...client } = this.options
    for (const [pattern, handler] of this.messageHandlers) this.addRoutes(pattern, handler as Handler)
    const consumer = new PushConsumer({ ...client, ...more, group })
    for (const [topic, routes] of this.routes) consumer.subscribe(topic, expressionOf(routes))
    for (const listen of this.listeners) listen(consumer)
    consumer.onMessage((message, context) => this.take(message, context))
    this.producer = new Producer({ ...client, group: `${group}-replies` })
    this.consumer = consumer
    // Without a handler there is nothing to wait for.
    if (this.routes.size > 0) await consumer.start()
  }

  /** Several handlers of one event are a chain. */
  private addRoutes(pattern: string, first: Handler): void {
    const read = readPattern(pattern)
    const routes = this.routes.get(read.topic) ?? []
    this.routes.set(read.topic, routes)
    for (let handler: Handler | undefined = first; handler !== undefined; handler = handler.next as Handler | undefined)
      routes.push({ tags: tagsOf(read), handler })
  }

  private async take(message: ReceivedMessage, consumeContext: ConsumeContext): Promise<undefined> {
    const received = message as ReceivedMessage<unknown>
    const context = new SkuaContext([received, consumeContext])
    const handlers = (this.routes.get(message.topic) ?? [])
      .filter(({ tags }) => tags === undefined || tags.has(message.tag ?? ''))
      .map(({ handler }) => handler)
    const data = decodeData(message.body)
    const answering = handlers.find(({ isEventHandler }) => isEventHandler !== true)
    if (answering !== undefined && wantsReply(message)) {
      await this.reply(message, await answerOf(answering, data, context))
      return undefined
    }
    // One after another: the first that fails has all of them run again.
    for (const handler of handlers) await resultOf(handler, data, context)
    return undefined
  }

  private async reply(message: ReceivedMessage, answer: Answer): Promise<void> {
    await this.producer!.reply(message, encodeData(answer))
  }
}

/** What the topic's handlers want together. */
function expressionOf(routes: readonly Route[]): string {
  const tags = new Set<string>()
  for (const route of routes) {
    if (route.tags === undefined) return '*'
    for (const tag of route.tags) tags.add(tag)
  }
  return [...tags].join(' || ')
}

async function resultOf(handler: Handler, data: unknown, context: SkuaContext): Promise<unknown> {
  const result: unknown = await handler(data, context)
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result
}

/** Whoever asked hears of a failure; the request is not tried again. */
async function answerOf(handler: Handler, data: unknown, context: SkuaContext): Promise<Answer> {
  try {
    return { response: (await resultOf(handler, data, context)) ?? null }
  } catch (error) {
    return { err: error instanceof Error ? error.message : error }
  }
}

import {
  type ClientOptions,
  type MessageHandler,
  Producer,
  type ProducerOptions,
  PushConsumer,
  type PushConsumerOptions,
  SimpleConsumer,
  type SimpleConsumerOptions,
  type Tracer,
} from '@skua-mq/client'
import type { Runtime } from '@skua-mq/runtime'

/**
 * What a client of a test takes over its own options: `new Producer({ ...broker.client, group: 'orders' })`. Its time is the
 * broker's, its connections lie within the process, and its handlers are waited for.
 */
export interface TestClientOptions extends ClientOptions {
  readonly namesrvAddr: string
  readonly runtime: Runtime
  readonly tracer: Tracer
  readonly clientIP: string
  /** Handlers fail on purpose in tests; `deliveries` tells of it. */
  readonly logger: false
}

/** What `consume` takes. */
export interface ConsumeOptions<T> extends Omit<PushConsumerOptions<T>, 'group'> {
  readonly group: string
  readonly topic: string
  /** Tags, `A || B`. Default: all. */
  readonly expression?: string | undefined
  readonly handler: MessageHandler<T>
}

interface Closable {
  close(): Promise<void>
}

/** The clients that a test's broker makes, which end with it. */
export class ClientKit {
  private readonly options: TestClientOptions
  private readonly open = new Set<Closable>()

  constructor(options: TestClientOptions) {
    this.options = options
  }

  async producer(options: Partial<ProducerOptions> = {}): Promise<Producer> {
    const producer = new Producer({ group: 'test-producer', ...this.options, ...options })
    this.open.add(producer)
    await producer.start()
    return producer
  }

  /** Not started; a group without offsets begins with the first message. */
  pushConsumer<T = undefined>(options: PushConsumerOptions<T>): PushConsumer<T> {
    const consumer = new PushConsumer<T>({ consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', ...this.options, ...options })
    this.open.add(consumer)
    return consumer
  }

  async consume<T = undefined>({
    topic,
    expression,
    handler,
    ...options
  }: ConsumeOptions<T>): Promise<PushConsumer<T>> {
    const consumer = this.pushConsumer<T>(options).subscribe(topic, expression).onMessage(handler)
    await consumer.start()
    return consumer
  }

  simpleConsumer(options: SimpleConsumerOptions): SimpleConsumer {
    const consumer = new SimpleConsumer({ ...this.options, ...options })
    this.open.add(consumer)
    return consumer
  }

  /** Those that are closed already are none. */
  async close(): Promise<void> {
    const open = [...this.open]
    this.open.clear()
    await Promise.allSettled(open.map(client => client.close()))
  }
}

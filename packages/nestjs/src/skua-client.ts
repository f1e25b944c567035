import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices'
import { type ClientEventMap, type ClientEventName, Producer, type ProducerOptions } from '@skua-mq/client'
import { type Answer, decodeData, encodeData } from './data.ts'
import { readPattern } from './pattern.ts'
import { SkuaRecord } from './record.ts'

type Events = { [N in ClientEventName]: (fields: ClientEventMap[N]) => void }

/**
 * A client proxy: `emit('Orders:paid', order)` stores a message, `send('Prices', question)` waits for a handler's answer. Data goes
 * as JSON, text and bytes as they are; a `SkuaRecord` says more of the message.
 */
export class SkuaClient extends ClientProxy<Events> {
  private readonly producer: Producer

  constructor(options: Omit<ProducerOptions, 'codec'>) {
    super()
    this.producer = new Producer(options)
  }

  /** Done by the first message; brokers may be away meanwhile. */
  async connect(): Promise<Producer> {
    await this.producer.start()
    return this.producer
  }

  close(): Promise<void> {
    return this.producer.close()
  }

  override on<N extends keyof Events>(event: N, listener: Events[N]): void {
    this.producer.on(event, listener as never)
  }

  /** The producer. */
  unwrap<T = Producer>(): T {
    return this.producer as T
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const ending = new AbortController()
    const { message, options } = outgoing(packet)
    this.producer.request(message, { ...options, signal: ending.signal }).then(
      ({ body }) => {
        const { err, response } = decodeData(Buffer.from(body)) as Answer
        callback({ err, response, isDisposed: true })
      },
      err => {
        if (!ending.signal.aborted) callback({ err, isDisposed: true })
      },
    )
    return () => ending.abort(new Error('nobody waits for the answer any more'))
  }

  protected override async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    const { message, options } = outgoing(packet)
    return (await this.producer.send(message, options)) as T
  }
}

function outgoing({ pattern, data }: ReadPacket) {
  const { topic, tag } = readPattern(pattern)
  const record = data instanceof SkuaRecord ? data : new SkuaRecord(data, {})
  const { orderKey, ...extras } = record.extras
  return {
    message: { ...extras, topic, tag, body: encodeData(record.data) },
    options: orderKey === undefined ? {} : { orderKey },
  }
}

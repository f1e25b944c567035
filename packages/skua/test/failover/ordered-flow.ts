import { Producer, PushConsumer } from '@skua-mq/client'
import { sleep } from '../flows.ts'

const topic = 'Ordered'
const keys = ['red', 'green', 'blue']

/**
 * Messages of some keys, each with the next number once the one before was acknowledged: tried again they may come twice, but none of them
 * may come before all those below it.
 */
export class OrderedFlow {
  private readonly producer: Producer
  private readonly consumer: PushConsumer
  /** By key, how many were acknowledged. */
  private readonly acknowledged = new Map(keys.map(key => [key, 0]))
  /** By key, the next one that is to come. */
  private readonly next = new Map(keys.map(key => [key, 0]))
  /** What came before its time. */
  readonly disordered: string[] = []
  private going = true

  constructor(namesrvAddr: string) {
    this.producer = new Producer({
      ...{ namesrvAddr, group: 'ordered-producer', instanceName: 'ordered', sendMsgTimeout: 2000 },
      retryTimesWhenSendFailed: 0,
    })
    this.consumer = new PushConsumer({
      ...{ namesrvAddr, group: 'ordered', instanceName: 'ordered-consumer' },
      ...{ orderly: true, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' },
    })
    this.consumer.subscribe(topic).onMessage(message => this.take(String(message.keys[0]), Number(message.text())))
  }

  get count(): number {
    return [...this.acknowledged.values()].reduce((sum, each) => sum + each)
  }

  async start(): Promise<void> {
    await Promise.all([this.producer.start(), this.consumer.start()])
  }

  async run(): Promise<void> {
    await Promise.all(keys.map(key => this.send(key)))
  }

  stop(): void {
    this.going = false
  }

  async close(): Promise<void> {
    await Promise.all([this.producer.close(), this.consumer.close()])
  }

  /** Acknowledged, and not come within a minute. */
  async missing(): Promise<string[]> {
    const rest = () => keys.filter(key => this.next.get(key)! < this.acknowledged.get(key)!)
    const until = Date.now() + 60_000
    while (rest().length > 0 && Date.now() < until) await sleep(100)
    return rest().map(key => `${key}: ${this.next.get(key)} of ${this.acknowledged.get(key)}`)
  }

  private take(key: string, number: number): void {
    const next = this.next.get(key)!
    if (number > next) this.disordered.push(`${key}: ${number} came before ${next}`)
    if (number >= next) this.next.set(key, number + 1)
  }

  private async send(key: string): Promise<void> {
    for (let number = 0; this.going; ) {
      try {
        const { sendStatus } = await this.producer.send({ topic, body: String(number), keys: [key] }, { orderKey: key })
        if (sendStatus !== 'SEND_OK') continue
        this.acknowledged.set(key, ++number)
        await sleep(10)
      } catch {
        await sleep(50)
      }
    }
  }
}

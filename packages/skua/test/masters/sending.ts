import { Producer, PushConsumer } from '@skua-mq/client'

/** Not long after a broker came back, its queues are used again. */
const pollNameServerInterval = 250

/** Sends one message after the other, whatever fails, and consumes them; of what was acknowledged it knows which broker has it. */
export class Sending {
  readonly acknowledged = new Map<string, string>()
  private readonly got = new Set<string>()
  private going = true
  private readonly topic: string
  private readonly producer: Producer
  private readonly consumer: PushConsumer
  private over: Promise<void> | undefined

  constructor(namesrvAddr: string, topic: string) {
    this.producer = new Producer({ group: 'makers', namesrvAddr, pollNameServerInterval })
    this.consumer = new PushConsumer({
      ...{ group: 'takers', namesrvAddr, pollNameServerInterval },
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    this.consumer.subscribe(topic).onMessage(message => {
      this.got.add(Buffer.from(message.body).toString())
    })
    this.topic = topic
  }

  async start(): Promise<void> {
    await this.consumer.start()
    this.over = this.run()
  }

  countAt(brokerName: string): number {
    return [...this.acknowledged.values()].filter(name => name === brokerName).length
  }

  /** What was acknowledged and has not come to the consumer yet. */
  get missing(): string[] {
    return [...this.acknowledged.keys()].filter(body => !this.got.has(body))
  }

  /** No more are sent. */
  async end(): Promise<void> {
    this.going = false
    await this.over
  }

  async close(): Promise<void> {
    await this.end()
    await Promise.all([this.producer.close(), this.consumer.close()])
  }

  private async run(): Promise<void> {
    for (let number = 0; this.going; number++) {
      const body = `message ${number}`
      try {
        const { queue, sendStatus } = await this.producer.send({ topic: this.topic, body })
        if (sendStatus === 'SEND_OK') this.acknowledged.set(body, queue.brokerName)
      } catch {
        // Nobody promised anything: it may be there or not.
      }
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
}

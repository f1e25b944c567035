import { PullConsumer } from '@skua-mq/client'
import { ResponseCode, sendMessageV2 } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { sleep } from '../flows.ts'
import type { Member } from './broker-group.ts'

const queueId = 0

interface Acknowledged {
  readonly body: string
  readonly broker: string
  /** In the queue. */
  readonly offset: number
}

/** Sends without end to each broker of a name, be it the master or not, and believes whatever is answered with 0. */
export class EveryBroker {
  readonly acknowledged: Acknowledged[] = []
  private readonly topic: string
  private readonly members: readonly Member[]
  private readonly client = new RemotingClient(nodeRuntime())
  private going = true
  private running: Promise<unknown> = Promise.resolve()
  private lastMs = performance.now()
  private longestMs = 0

  constructor(topic: string, members: readonly Member[]) {
    this.topic = topic
    this.members = members
  }

  start(): void {
    this.running = Promise.all(this.members.map(member => this.send(member)))
  }

  /** Since it was asked last: ms between two that were acknowledged by anybody. */
  longestGap(): number {
    const ms = Math.max(this.longestMs, performance.now() - this.lastMs)
    this.longestMs = 0
    return Math.round(ms)
  }

  /** Until somebody acknowledges what is sent from now on. */
  async next(): Promise<void> {
    const { length } = this.acknowledged
    // What is under way was sent before.
    while (this.acknowledged.length < length + this.members.length + 1) await sleep(20)
  }

  async stop(): Promise<void> {
    this.going = false
    await this.running
    await this.client.close()
  }

  /** Acknowledged, and not where it was said to be; or two at one place, as two masters would have it. */
  async wrong(namesrvAddr: string): Promise<string[]> {
    const found = await this.stored(namesrvAddr)
    const places = new Map<number, Acknowledged>()
    const wrong: string[] = []
    for (const one of this.acknowledged) {
      const { body, broker, offset } = one
      const other = places.get(offset)
      if (other !== undefined) wrong.push(`${offset}: ${broker} has ${body}, and ${other.broker} has ${other.body}`)
      places.set(offset, one)
      if (found.get(offset) !== body) wrong.push(`${offset}: ${broker} had ${body}, and ${found.get(offset)} is there`)
    }
    return wrong
  }

  private async send({ address, id }: Member): Promise<void> {
    for (let number = 0; this.going; number++) {
      const body = `${id} ${number}`
      const header = {
        ...{ producerGroup: 'p', topic: this.topic, defaultTopic: 'TBW102', defaultTopicQueueNums: 4, queueId },
        ...{ sysFlag: 0, bornTimestamp: Date.now(), flag: 0, properties: '', reconsumeTimes: 0 },
        ...{ unitMode: false, batch: false },
      }
      try {
        const options = { body: Buffer.from(body), timeoutMs: 5000 }
        const answer = await this.client.request(address, sendMessageV2, header, options)
        if (answer.code === ResponseCode.success) {
          const { queueOffset } = answer.header as { queueOffset: number }
          this.acknowledged.push({ body, broker: id, offset: queueOffset })
          const now = performance.now()
          this.longestMs = Math.max(this.longestMs, now - this.lastMs)
          this.lastMs = now
        }
        await sleep(answer.code === ResponseCode.success ? 5 : 20)
      } catch {
        await sleep(20)
      }
    }
  }

  private async stored(namesrvAddr: string): Promise<Map<number, string>> {
    const consumer = new PullConsumer({ namesrvAddr, group: 'reader' })
    await consumer.start()
    try {
      const queue = (await consumer.fetchSubscribeMessageQueues(this.topic)).find(each => each.queueId === queueId)!
      const end = await consumer.maxOffset(queue)
      const found = new Map<number, string>()
      for (let offset = 0; offset < end; ) {
        const { messages, nextBeginOffset } = await consumer.pull(queue, offset)
        for (const message of messages) found.set(message.queueOffset, message.text())
        offset = nextBeginOffset
      }
      return found
    } finally {
      await consumer.close()
    }
  }
}

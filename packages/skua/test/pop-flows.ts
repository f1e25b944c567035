import {
  ackMessage,
  type BatchAck,
  batchAckMessage,
  changeMessageInvisibleTime,
  type PoppedMessage,
  popMessage,
  poppedMessages,
  printExtraInfo,
  sendMessageV2,
  topicOfMark,
} from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { sleep } from './flows.ts'

const topic = 'Popped'
const group = 'pop'
const queues = 4
const brokerName = 'broker-a'
const invisibleTime = 1000
/** What is answered so shortly before a message is visible again may have been too late. */
const marginMs = 250
const drainMs = 30_000
const timeoutMs = 2000

/** What the group does with a message at its first coming. */
const fates = ['ack', 'batch', 'leave', 'change'] as const

/** One that a member has, and the end of its time by the monotonic clock here. */
interface Held {
  readonly id: string
  readonly popped: PoppedMessage
  readonly untilMs: number
}

/**
 * Sends and pops that go on whatever becomes of the broker. A kill takes nothing that was written, so what is answered counts at once: a
 * message that is sent comes until it is acknowledged, and one whose acknowledgement was answered in its time does not come again.
 */
export class PopFlows {
  /** What came though its acknowledgement had been answered. */
  readonly wrong: string[] = []
  private readonly address: string
  private readonly client = new RemotingClient(nodeRuntime())
  private readonly sent = new Set<string>()
  private readonly comings = new Map<string, number>()
  /** Their acknowledgement was answered; true where that was in time. */
  private readonly acked = new Map<string, boolean>()
  /** Their acknowledgement had no answer: it may be in the log, or not. */
  private readonly perhaps = new Set<string>()
  private changed = 0
  private next = 0
  private isSending = true
  private isPopping = true

  constructor(address: string) {
    this.address = address
  }

  async run(): Promise<void> {
    const sending = [0, 1].map(() =>
      this.loop(
        () => this.isSending,
        () => this.send(),
      ),
    )
    const popping = [0, 1, 2].map(() =>
      this.loop(
        () => this.isPopping,
        () => this.pop(),
      ),
    )
    await Promise.all([...sending, ...popping])
    await this.client.close()
  }

  /** Ends all once everything is acknowledged and what would come again has had the time; returns what is missing. */
  async settled(): Promise<string[]> {
    this.isSending = false
    const until = performance.now() + drainMs
    while (this.missing().length > 0 && performance.now() < until) await sleep(20)
    await sleep(invisibleTime + 700)
    this.isPopping = false
    return this.missing()
  }

  counts() {
    const late = [...this.acked.values()].filter(isInTime => !isInTime).length
    const again = [...this.comings.values()].filter(count => count > 1).length
    return { sent: this.sent.size, acked: this.acked.size, again, changed: this.changed, late, open: this.perhaps.size }
  }

  private missing(): string[] {
    return [...this.sent].filter(id => !this.acked.has(id) && !this.perhaps.has(id))
  }

  private async loop(goesOn: () => boolean, step: () => Promise<void>): Promise<void> {
    while (goesOn()) {
      try {
        await step()
      } catch {
        // No answer: nothing was promised.
        await sleep(20)
      }
    }
  }

  private async send(): Promise<void> {
    const number = this.next++
    const header = {
      ...{ producerGroup: 'pop-sender', topic, defaultTopic: 'TBW102', defaultTopicQueueNums: queues },
      ...{ queueId: number % queues, sysFlag: 0, bornTimestamp: Date.now(), flag: 0, unitMode: false, batch: false },
    }
    const body = Buffer.from(`m-${number}`)
    const { code } = await this.client.request(this.address, sendMessageV2, header, { body, timeoutMs })
    if (code === 0) this.sent.add(`m-${number}`)
    await sleep(5)
  }

  private async pop(): Promise<void> {
    // A pop lies behind its request: times that count from here end too early, by no more than the hold.
    const untilMs = performance.now() + invisibleTime
    const header = {
      ...{ consumerGroup: group, topic, queueId: -1, maxMsgNums: 8, invisibleTime, pollTime: 200 },
      ...{ bornTime: Date.now(), initMode: 0, order: false },
    }
    const reply = await this.client.request(this.address, popMessage, header, { timeoutMs })
    if (reply.code !== 0 || reply.body === undefined) {
      // The topic is not there yet.
      if (reply.body === undefined) await sleep(20)
      return
    }
    const popped = poppedMessages(reply.body, reply.header, brokerName)
    const held = popped.map(one => ({ id: Buffer.from(one.stored.body).toString(), popped: one, untilMs }))
    await this.settle(held)
  }

  private async settle(held: readonly Held[]): Promise<void> {
    const ways = new Map<(typeof fates)[number], Held[]>(fates.map(fate => [fate, []]))
    for (const one of held) ways.get(this.fateOf(one))!.push(one)
    await Promise.allSettled([
      this.ackAll(ways.get('batch')!),
      ...ways.get('ack')!.map(one => this.ack(one)),
      ...ways.get('change')!.map(one => this.change(one)),
    ])
  }

  private fateOf({ id }: Held): (typeof fates)[number] {
    const coming = (this.comings.get(id) ?? 0) + 1
    this.comings.set(id, coming)
    if (this.acked.get(id) === true) this.wrong.push(`${id} at its coming ${coming}`)
    const number = Number(id.slice(2))
    return coming === 1 ? fates[(number % 7) % fates.length]! : number % 2 === 0 ? 'ack' : 'batch'
  }

  private headerOf({ info }: PoppedMessage) {
    const { queueId, queueOffset: offset } = info
    const name = topicOfMark(info.mark, topic, group) ?? topic
    return { consumerGroup: group, topic: name, queueId, offset, extraInfo: printExtraInfo(info) }
  }

  private async ack({ id, popped, untilMs }: Held): Promise<void> {
    this.perhaps.add(id)
    const { code } = await this.client.request(this.address, ackMessage, this.headerOf(popped), { timeoutMs })
    this.perhaps.delete(id)
    if (code === 0) this.isAcked(id, untilMs)
  }

  private async ackAll(held: readonly Held[]): Promise<void> {
    if (held.length === 0) return
    const acks = held.map(({ popped: { info } }): BatchAck['acks'][number] => {
      const { startOffset: so, popTime: pt, invisibleTime: it, reviveQid: rq, mark: r, queueId: q, queueOffset } = info
      const distance = queueOffset - so
      const bits = Buffer.alloc((distance >> 3) + 1)
      bits[distance >> 3] = 1 << (distance & 7)
      return { c: group, t: topic, r, so, q, rq, pt, it, b: bits.toString('base64') }
    })
    const body = batchAckMessage.body!.encode({ brokerName, acks })
    for (const { id } of held) this.perhaps.add(id)
    const { code } = await this.client.request(this.address, batchAckMessage, {}, { body, timeoutMs })
    for (const { id } of held) this.perhaps.delete(id)
    if (code === 0) for (const { id, untilMs } of held) this.isAcked(id, untilMs)
  }

  private isAcked(id: string, untilMs: number): void {
    this.acked.set(id, this.acked.get(id) === true || performance.now() < untilMs - marginMs)
  }

  /** It gets more time, and is acknowledged by the check point that it has from then on. */
  private async change({ id, popped }: Held): Promise<void> {
    const untilMs = performance.now() + invisibleTime
    const header = { ...this.headerOf(popped), invisibleTime }
    const reply = await this.client.request(this.address, changeMessageInvisibleTime, header, { timeoutMs })
    if (reply.code !== 0) return
    this.changed++
    const { stored, info } = popped
    const changed = { ...info, ...reply.header, startOffset: info.queueOffset }
    await this.ack({ id, popped: { stored, info: changed }, untilMs })
  }
}

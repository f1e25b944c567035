import {
  ackMessage,
  changeMessageInvisibleTime,
  type ExtraInfo,
  type MessageQueue,
  printExtraInfo,
  topicOfMark,
} from '@skua-mq/protocol'
import { abortable } from '../abortable.ts'
import { ClientError } from '../error.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { ReceivedMessage } from '../message/received.ts'

/** What a message is acknowledged by, and at whom. */
export interface Receipt {
  /** The topic that was popped, on the wire; a message that came again lies in another one. */
  readonly topic: string
  readonly info: ExtraInfo & { readonly queueOffset: number }
  /** Monotonic, and by a round trip the broker's own time for it: afterwards an acknowledgement counts nothing. */
  readonly untilMs: number
}

/** The receipts of messages that somebody still has. Those that nobody has any more go with them. */
export class Receipts {
  private readonly instance: ClientInstance
  private readonly group: string
  private readonly receipts = new WeakMap<ReceivedMessage, Receipt>()
  /** What was asked of a broker about a message and is not answered. */
  private readonly asked = new WeakMap<ReceivedMessage, Promise<unknown>>()

  constructor(instance: ClientInstance, group: string) {
    this.instance = instance
    this.group = group
  }

  put(message: ReceivedMessage, receipt: Receipt): void {
    this.receipts.set(message, receipt)
  }

  ack(message: ReceivedMessage, signal?: AbortSignal): Promise<void> {
    return this.behind(message, signal, () => this.ackNow(message, signal))
  }

  /** The message comes again after so long, counted from now; what it is acknowledged by changes with it. */
  change(message: ReceivedMessage, invisibleTime: number, signal?: AbortSignal): Promise<void> {
    return this.behind(message, signal, () => this.changeNow(message, invisibleTime, signal))
  }

  /**
   * One thing after another: a broker takes the receipt that a change on its way replaces for settled, and says yes to an
   * acknowledgement by it, though the message comes again.
   */
  private async behind(
    message: ReceivedMessage,
    signal: AbortSignal | undefined,
    ask: () => Promise<void>,
  ): Promise<void> {
    const before = this.asked.get(message)
    const mine = before === undefined ? ask() : abortable(before, signal).then(ask)
    // Who comes behind waits for the former, too, where this one is given up.
    const over = Promise.allSettled([before, mine])
    this.asked.set(message, over)
    try {
      await mine
    } finally {
      if (this.asked.get(message) === over) this.asked.delete(message)
    }
  }

  private async ackNow(message: ReceivedMessage, signal?: AbortSignal): Promise<void> {
    const receipt = this.of(message)
    const { info } = receipt
    await this.instance.calls.atMaster(queueOf(receipt), {
      spec: ackMessage,
      header: {
        consumerGroup: this.group,
        topic: this.topicOf(receipt),
        queueId: info.queueId,
        extraInfo: printExtraInfo(info),
        offset: info.queueOffset,
      },
      signal,
    })
    this.receipts.delete(message)
  }

  private async changeNow(message: ReceivedMessage, invisibleTime: number, signal?: AbortSignal): Promise<void> {
    const receipt = this.of(message)
    const { topic, info } = receipt
    const begunMs = this.instance.clock.monotonic()
    const at = {
      consumerGroup: this.group,
      topic: this.topicOf(receipt),
      queueId: info.queueId,
      offset: info.queueOffset,
    }
    const { header } = await this.instance.calls.atMaster(queueOf(receipt), {
      spec: changeMessageInvisibleTime,
      header: { ...at, extraInfo: printExtraInfo(info), invisibleTime },
      signal,
    })
    const changed = { ...info, ...header, startOffset: info.queueOffset }
    this.receipts.set(message, { topic, info: changed, untilMs: begunMs + invisibleTime })
  }

  private topicOf({ topic, info }: Receipt): string {
    return topicOfMark(info.mark, topic, this.group) ?? topic
  }

  private of(message: ReceivedMessage): Receipt {
    const receipt = this.receipts.get(message)
    if (receipt !== undefined) {
      if (receipt.untilMs > this.instance.clock.monotonic()) return receipt
      const late = `the time of message ${message.msgId} is over: it comes again; receive with a longer invisibleMs, or prolong it by changeInvisibleMs`
      throw new ClientError('STATE', late)
    }
    const text = `message ${message.msgId} is not one that this consumer received, or it is acknowledged already`
    throw new ClientError('STATE', text)
  }
}

const queueOf = ({ topic, info }: Receipt): MessageQueue => ({
  topic,
  brokerName: info.brokerName,
  queueId: info.queueId,
})

import { consumerSendMsgBack, PropertyName, templateTopic } from '@skua-mq/protocol'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { Draft } from '../message/outgoing.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { retryTopic, wrapName } from '../name/namespace.ts'
import { PublishRoutes } from '../produce/publish-routes.ts'
import { Sender } from '../produce/send.ts'

const sendBackTimeoutMs = 5_000
const innerProducerGroup = 'CLIENT_INNER_PRODUCER'
const template = { createTopicKey: templateTopic, defaultTopicQueueNums: 4 }

export interface SendBackParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly namespace: string
  /** Tries before a message goes to the dead letters. */
  readonly maxReconsumeTimes: number
  readonly emit: EmitEvent
}

type Given = ReceivedMessage<unknown>

/** Gives messages back to the broker, which brings them again later (client.md 6). */
export class SendBack {
  private readonly parts: SendBackParts
  private readonly sender: Sender
  private readonly publishRoutes: PublishRoutes

  constructor(parts: SendBackParts) {
    this.parts = parts
    this.sender = new Sender(parts.instance, { template, namespace: parts.namespace })
    this.publishRoutes = new PublishRoutes(parts.instance.routes, template)
  }

  /** True when the broker has it: by 36, or where that fails as a new message to the group's retry topic. */
  async giveBack(message: Given, delayLevel: number): Promise<boolean> {
    try {
      await this.byRequest(message, delayLevel)
      this.tellIfDead(message, delayLevel)
      return true
    } catch {
      return this.asMessage(message, message.reconsumeTimes + 1)
    }
  }

  /** Makes it a dead letter; false where the broker would not. */
  async giveUp(message: Given): Promise<boolean> {
    try {
      await this.byRequest(message, -1)
      this.tellIfDead(message, -1)
      return true
    } catch {
      return false
    }
  }

  /** The broker counts as we do. */
  private tellIfDead({ topic, msgId, reconsumeTimes }: Given, delayLevel: number): void {
    const { emit, group, maxReconsumeTimes } = this.parts
    if (reconsumeTimes < maxReconsumeTimes && delayLevel >= 0) return
    emit('deadLetter', { group, topic, msgId, tries: reconsumeTimes + 1 })
  }

  /** A new message to the retry topic, which says how often it was tried. False, and told as an event, where that fails. */
  async asMessage(message: Given, reconsumeTimes: number): Promise<boolean> {
    const { instance, emit, group } = this.parts
    try {
      const draft = this.retryDraft(message, reconsumeTimes)
      const { publish } = await this.publishRoutes.find(draft.topic)
      const queue = publish[instance.runtime.random.int(publish.length)]!
      await this.sender.send({ queue, draft, group: innerProducerGroup, timeoutMs: sendBackTimeoutMs })
      return true
    } catch (error) {
      emit('sendBackFailed', { group, msgId: message.msgId, error })
      return false
    }
  }

  private async byRequest(message: Given, delayLevel: number): Promise<void> {
    const { instance, group, maxReconsumeTimes } = this.parts
    const header = {
      offset: message.physicalOffset,
      group,
      delayLevel,
      originMsgId: message.msgId,
      originTopic: message.topic,
      unitMode: false,
      maxReconsumeTimes,
      bname: message.queue.brokerName,
    }
    await instance.calls.atMaster(message.queue, { spec: consumerSendMsgBack, header, timeoutMs: sendBackTimeoutMs })
  }

  private retryDraft(message: Given, reconsumeTimes: number): Draft {
    const { group, namespace, maxReconsumeTimes } = this.parts
    const properties = new Map(message.properties)
    for (const local of [PropertyName.minOffset, PropertyName.maxOffset, PropertyName.consumeStartTimestamp]) {
      properties.delete(local)
    }
    properties.delete(PropertyName.transactionPrepared)
    properties.set(PropertyName.retryTopic, wrapName(namespace, message.topic))
    if (!properties.has(PropertyName.originMessageId)) properties.set(PropertyName.originMessageId, message.msgId)
    properties.set(PropertyName.reconsumeTime, String(reconsumeTimes))
    properties.set(PropertyName.maxReconsumeTimes, String(maxReconsumeTimes))
    properties.set(PropertyName.delayTimeLevel, String(3 + message.reconsumeTimes))
    const { body, flag, msgId } = message
    return { topic: retryTopic(group), body, properties, flag, sysFlag: 0, msgId, batch: false }
  }
}

import {
  type MessageQueue,
  PropertyName,
  printProperties,
  sendBatchMessage,
  sendMessageV2,
  sendReplyMessageV2,
} from '@skua-mq/protocol'
import type { TypedReply } from '@skua-mq/remoting'
import { brokerRefusal, ClientError, networkError } from '../error.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { Draft } from '../message/outgoing.ts'
import { isRetryTopic } from '../name/namespace.ts'
import type { TopicTemplate } from './publish-routes.ts'
import { type SendResult, sendResult } from './result.ts'

/** 5.x brokers that are about to stop. */
const goAway = 1_500

export interface SendTo {
  readonly queue: MessageQueue
  readonly draft: Draft
  /** On the wire. */
  readonly group: string
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/** One send to one queue: 310, 320 or 325. No retries. */
export class Sender {
  private readonly instance: ClientInstance
  private readonly template: TopicTemplate
  private readonly namespace: string

  constructor(instance: ClientInstance, rules: { template: TopicTemplate; namespace: string }) {
    this.instance = instance
    this.template = rules.template
    this.namespace = rules.namespace
  }

  /** Errors: ClientError BROKER, NETWORK, TIMEOUT, NO_BROKER; the signal's reason. */
  async send(to: SendTo): Promise<SendResult> {
    const { draft, queue, timeoutMs, signal } = to
    const address = this.instance.routes.master(queue.brokerName) ?? (await this.instance.calls.masterOf(queue, signal))
    const what = `sending to ${queue.topic} at ${queue.brokerName} (${address})`
    const options = { body: draft.body, timeoutMs, signal }
    let reply: TypedReply<typeof sendMessageV2>
    try {
      reply = await this.instance.remoting.request(address, specOf(draft), this.header(to), options)
    } catch (error) {
      throw networkError(what, error)
    }
    const result = sendResult(reply, { msgId: draft.msgId, queue, namespace: this.namespace })
    if (result !== undefined) return result
    if (reply.code === goAway) this.instance.remoting.closeAddress(address)
    throw brokerRefusal(what, reply)
  }

  /** Without an answer; resolves when it is handed to the connection. */
  async tell(to: SendTo): Promise<void> {
    const address = await this.instance.calls.masterOf(to.queue, to.signal)
    const { timeoutMs, signal } = to
    try {
      await this.instance.remoting.tell(address, specOf(to.draft), this.header(to), {
        body: to.draft.body,
        timeoutMs,
        signal,
      })
    } catch (error) {
      throw networkError(`sending to ${to.queue.topic} at ${to.queue.brokerName}`, error)
    }
  }

  private header({ draft, queue, group }: SendTo) {
    const retry = retryFields(draft)
    return {
      producerGroup: group,
      topic: draft.topic,
      defaultTopic: this.template.createTopicKey,
      defaultTopicQueueNums: this.template.defaultTopicQueueNums,
      queueId: queue.queueId,
      sysFlag: draft.sysFlag,
      bornTimestamp: this.instance.clock.now(),
      flag: draft.flag,
      properties: printProperties(retry.properties),
      reconsumeTimes: retry.reconsumeTimes,
      maxReconsumeTimes: retry.maxReconsumeTimes,
      unitMode: false,
      batch: draft.batch,
      bname: queue.brokerName,
    }
  }
}

/** All three have the same fields. */
function specOf(draft: Draft): typeof sendMessageV2 {
  if (draft.properties.get(PropertyName.messageType) === 'reply') return sendReplyMessageV2
  return draft.batch ? sendBatchMessage : sendMessageV2
}

/** Sends to a retry topic carry their counts in the header and not in the properties. */
function retryFields(draft: Draft) {
  if (!isRetryTopic(draft.topic)) {
    return { properties: draft.properties, reconsumeTimes: 0, maxReconsumeTimes: undefined }
  }
  const properties = new Map(draft.properties)
  const times = properties.get(PropertyName.reconsumeTime)
  const max = properties.get(PropertyName.maxReconsumeTimes)
  properties.delete(PropertyName.reconsumeTime)
  properties.delete(PropertyName.maxReconsumeTimes)
  return {
    properties,
    reconsumeTimes: times === undefined ? 0 : Number(times),
    maxReconsumeTimes: max === undefined ? undefined : Number(max),
  }
}

/** The call's time is used up. */
export function callTimeout(topic: string, timeoutMs: number, cause?: unknown): ClientError {
  const message = `sending to ${topic} took longer than sendMsgTimeout (${timeoutMs} ms), with all tries`
  return new ClientError('TIMEOUT', message, { cause, retriable: true })
}

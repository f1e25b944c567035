import {
  type Dialect,
  Perm,
  PropertyName,
  parseProperties,
  printProperties,
  printRecallHandle,
  ResponseCode,
  retryPrefix,
  type SendView,
  type UniqueIds,
} from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import type { Random } from '@skua-mq/runtime'
import { Draft, type MessageStore, type PutResult } from '@skua-mq/store'
import { isForbiddenTopic } from '../topic/names.ts'
import { PendingSends, type Sent } from './pending-send.ts'
import { maxPropertiesBytes, PropertyRewrite } from './property-rewrite.ts'
import type { ReplyId } from './reply-id.ts'
import { SendRefusal, SendReply } from './send-reply.ts'
import type { SendInWork, SendStep } from './send-step.ts'
import type { SendStop } from './send-stop.ts'
import { delayLevelOf, unmetWish } from './unmet-wish.ts'

/** What a send needs to know of a topic. */
export interface SendTopic {
  readonly readQueueNums: number
  readonly writeQueueNums: number
  readonly perm: number
  readonly order: boolean
}

export interface SendTopics {
  find(topic: string): SendTopic | undefined
  /** Auto-creation from the template that the sender names (remoting.md 9.3); undefined when it may not be. */
  createFor(send: { topic: string; defaultTopic: string; queueNums: number; unitMode: boolean }): SendTopic | undefined
  /** Why nobody may send to this topic name, or undefined. */
  refused(topic: string): SendStop | undefined
}

export interface SendSettings {
  readonly brokerName: string
  readonly brokerClusterName: string
  readonly regionId: string
  readonly traceOn: boolean
  readonly maxMessageSize: number
  readonly storeHost: Uint8Array
  /** Bits of brokerPermission; may change while running. */
  readonly brokerPermission: () => number
  readonly startAcceptSendRequestTimeStamp: number
}

export interface SendParts {
  readonly store: Pick<MessageStore, 'append' | 'appendBatch' | 'refusing'>
  readonly topics: SendTopics
  readonly random: Random
  /** Resolves when the name servers know of the topic that was just created. */
  readonly announced: () => Promise<void>
  readonly now: () => number
  readonly dialect: Dialect
  /** For messages without one (dialect: brokerAddsUniqueKey). */
  readonly ids: UniqueIds
  readonly settings: SendSettings
  /** Told of every outcome, for statistics. */
  readonly counted?: (sent: Sent, result: PutResult) => void
  /** In the order in which they run: retry, transaction, delay, timer. */
  readonly steps: readonly SendStep[]
}

const ignored = () => {}
const preparedFlag = 0x4

/**
 * 10, 310, 320: checks in the order of remoting.md 9.2, then hands the message to the store and returns. The answer
 * follows when the store tells the pending send, at the end of the turn at the earliest.
 */
export class SendHandler implements SendInWork {
  readonly draft = new Draft()
  readonly properties: PropertyRewrite
  view!: SendView
  private readonly parts: SendParts
  private readonly pending: PendingSends
  private readonly refusal: SendRefusal
  private readonly reply: SendReply
  /** Pairs that are stored with each message: the cluster, and in 5.3 the region and whether it is traced. */
  private told: Uint8Array = new Uint8Array(0)
  /** The unique id that the message at hand got here; empty: it came with one, or has none. */
  private madeKey = ''
  /** The topic of the message at hand did not exist before it. */
  private created = false
  /** Messages taken, for metrics. */
  taken = 0

  constructor(parts: SendParts) {
    this.parts = parts
    this.properties = new PropertyRewrite(parts.dialect)
    this.refusal = new SendRefusal(parts.settings)
    this.reply = new SendReply(parts.settings)
    this.pending = new PendingSends(this.reply, this.refusal, parts.counted ?? ignored)
    this.setTold()
  }

  private setTold(): void {
    const { dialect, settings } = this.parts
    const told: [string, string][] = [['CLUSTER', settings.brokerClusterName]]
    if (dialect.storesRegion)
      told.push([PropertyName.msgRegion, settings.regionId], [PropertyName.traceSwitch, String(settings.traceOn)])
    this.told = Uint8Array.from(Buffer.from(printProperties(told)))
  }

  /** The settings say something else of the region, or of traces, than before. */
  regionChanged(): void {
    this.reply.setRegion(this.parts.settings)
    this.refusal.setRegion(this.parts.settings)
    this.setTold()
  }

  handle(view: SendView, token: ReplyToken, bornHost: Uint8Array): void {
    this.view = view
    const topic = this.topicOf(view)
    if ('code' in topic) {
      this.refuse(token, topic)
      return
    }
    const queues = Math.max(topic.readQueueNums, topic.writeQueueNums)
    if (view.queueId >= queues) {
      this.refuse(token, {
        code: this.parts.dialect.queueIdOutOfRangeOnSend as SendStop['code'],
        remark: `queueId ${view.queueId} is out of range: ${view.topic} has ${queues} queues on ${this.parts.settings.brokerName}`,
      })
      return
    }
    const queueId = view.queueId < 0 ? this.parts.random.int(Math.max(1, topic.writeQueueNums)) : view.queueId
    const stop = this.fill(view, queueId, bornHost) ?? this.runSteps()
    if (stop !== undefined) {
      this.refuse(token, stop)
      return
    }
    const { draft, properties } = this
    properties.close()
    draft.properties = properties.bytes
    draft.propertiesStart = 0
    draft.propertiesEnd = properties.length
    this.taken++
    // Who has sent the first message of a topic may ask for its route at once, and must find it.
    const waiter = this.pending.take(token, queueId, this.created ? this.parts.announced() : undefined)
    waiter.topic = view.topic
    waiter.storedTopic = draft.topic
    waiter.kind = properties.kind
    waiter.recallHandle = properties.asks ? this.recallHandle() : ''
    this.nameId(waiter.transactionId)
    if (view.batch) this.parts.store.appendBatch(draft, waiter)
    else this.parts.store.append(draft, waiter)
  }

  private topicOf(view: SendView): SendTopic | SendStop {
    const { settings, topics, now } = this.parts
    if (settings.startAcceptSendRequestTimeStamp > 0 && now() < settings.startAcceptSendRequestTimeStamp) {
      return {
        code: ResponseCode.systemError,
        remark: `broker ${settings.brokerName} takes no messages before startAcceptSendRequestTimeStamp=${settings.startAcceptSendRequestTimeStamp}`,
      }
    }
    const topic = topics.find(view.topic)
    this.created = topic === undefined
    if ((settings.brokerPermission() & Perm.write) === 0 && (topic === undefined || topic.order)) {
      return {
        code: ResponseCode.noPermission,
        remark: `broker ${settings.brokerName} is not writable (brokerPermission=${settings.brokerPermission()})`,
      }
    }
    // The broker's own topics are known and forbidden all the same.
    if (topic === undefined || view.topic.length > 127 || isForbiddenTopic(view.topic)) {
      const refused = topics.refused(view.topic)
      if (refused !== undefined) return refused
    }
    const { refusing } = this.parts.store
    // Nothing is made for a message that is not taken, on a slave above all.
    if (topic === undefined && refusing?.status === 'serviceNotAvailable')
      return { code: ResponseCode.serviceNotAvailable, remark: refusing.remark }
    const found =
      topic ??
      topics.createFor({
        topic: view.topic,
        defaultTopic: view.defaultTopic,
        queueNums: view.defaultTopicQueueNums,
        unitMode: view.unitMode,
      })
    if (found === undefined) {
      return {
        code: ResponseCode.topicNotExist,
        remark: `topic ${view.topic} does not exist here, and autoCreateTopicEnable or the template ${view.defaultTopic} do not let it be created, or there are maxAutoCreatedTopics already`,
      }
    }
    if ((found.perm & Perm.write) === 0) {
      return {
        code: ResponseCode.noPermission,
        remark: `topic ${view.topic} is not writable: its perm is ${found.perm}`,
      }
    }
    return found
  }

  private fill(view: SendView, queueId: number, bornHost: Uint8Array): SendStop | undefined {
    const { draft, properties, parts } = this
    const bodyBytes = view.bodyEnd - view.bodyStart
    if (bodyBytes > parts.settings.maxMessageSize) {
      return {
        code: ResponseCode.messageIllegal,
        remark: `the body has ${bodyBytes} bytes, maxMessageSize is ${parts.settings.maxMessageSize}`,
      }
    }
    const propertyBytes = view.propertiesEnd - view.propertiesStart
    if (propertyBytes > maxPropertiesBytes) {
      return {
        code: ResponseCode.messageIllegal,
        remark: `the properties have ${propertyBytes} bytes, at most ${maxPropertiesBytes} can be stored`,
      }
    }
    properties.read(view.properties, view.propertiesStart, view.propertiesEnd, view.batch)
    if (properties.asks) {
      const stop = this.unmet()
      if (stop !== undefined) return stop
    }
    draft.topic = view.topic
    draft.queueId = queueId
    draft.flag = view.flag
    draft.sysFlag = view.sysFlag & ~0xcc
    draft.bornAtMs = view.bornTimestamp
    draft.bornHost = bornHost
    draft.reconsumeTimes = view.reconsumeTimes
    draft.preparedTransactionOffset = 0
    draft.body = view.body
    draft.bodyStart = view.bodyStart
    draft.bodyEnd = view.bodyEnd
    draft.waitStored = properties.waitStored
    if (view.sysFlag & preparedFlag) properties.halfMessage = true
    this.identify(view)
    // For request-reply; of a batch it goes on to each message, as the recordings of 4.9 in test/recorded show.
    properties.addPairs(this.told)
    return undefined
  }

  /** Messages of a batch have their own ids, or none. */
  private identify({ batch }: SendView): void {
    const { properties, parts } = this
    this.madeKey = ''
    if (properties.hasUniqueKey || batch || !parts.dialect.brokerAddsUniqueKey) return
    this.madeKey = parts.ids.next(parts.now())
    properties.add(PropertyName.uniqueKey, this.madeKey)
  }

  get uniqueKey(): string {
    return this.madeKey === '' ? this.properties.uniqueKey : this.madeKey
  }

  private nameId(id: ReplyId): void {
    if (!this.parts.dialect.sendReplyHasTransactionId) return
    if (this.madeKey === '') this.properties.copyUniqueKey(id)
    else id.set(this.madeKey)
  }

  /** Rare, as RocketMQ writes it: a millisecond behind the beginning of the slot. */
  private recallHandle(): string {
    const { outMs, recallKey } = this.properties
    const { topic } = this.view
    if (!(outMs > 0) || recallKey === '' || topic.startsWith(retryPrefix)) return ''
    const { brokerName } = this.parts.settings
    return printRecallHandle({ topic, brokerName, deliverMs: outMs + 1, uniqueKey: recallKey })
  }

  /** Rare: the properties are read again, as a map. */
  private unmet(): SendStop | undefined {
    const { properties } = this
    properties.outMs = 0
    properties.isTimer = false
    const map = parseProperties(properties.bytes.toString('utf8', 0, properties.length))
    const stop = unmetWish(map, this.parts.now())
    properties.delayLevel = delayLevelOf(map.get(PropertyName.delayTimeLevel) ?? '') ?? 0
    return stop
  }

  private runSteps(): SendStop | undefined {
    for (const step of this.parts.steps) {
      const stop = step(this)
      if (stop !== undefined) return stop
    }
    return undefined
  }

  private refuse(token: ReplyToken, { code, remark }: SendStop): void {
    token.answer(code, this.refusal, { remark })
  }
}

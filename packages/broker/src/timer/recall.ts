import {
  type HeaderOf,
  Perm,
  PropertyName,
  parseRecallHandle,
  printProperties,
  ResponseCode,
  type recallMessage,
} from '@skua-mq/protocol'
import { ok, type Refusal, type Reply, refuse } from '@skua-mq/remoting'
import { Draft, type MessageStore, type PutResult } from '@skua-mq/store'
import { appendDraft } from '../record/rewrite.ts'
import type { TimerEntry } from './feature.ts'
import { timerTarget } from './timer-step.ts'

type Header = HeaderOf<typeof recallMessage>

/** As RocketMQ's, which nobody consumes. */
const recallBody = Buffer.from('0')
const recallTag = '_RECALL_TAG_'

/** Which message is taken back. */
export interface Recalled {
  readonly topic: string
  /** A time within its slot. */
  readonly deliverMs: number
  readonly uniqueKey: string
  readonly producerGroup: string
}

export interface RecallParts {
  readonly store: Pick<MessageStore, 'append' | 'refusing'>
  readonly topics: { find(topic: string): unknown }
  readonly timerEntry: TimerEntry
  readonly settings: {
    readonly recallMessageEnable: boolean
    readonly brokerName: string
    readonly brokerRole: string
    readonly brokerPermission: number
    readonly startAcceptSendRequestTimeStamp: number
  }
  readonly counted?: (result: PutResult) => void
}

/**
 * 370: a message whose time has not come is taken back. What is stored is another timer of the same slot, which says so: the
 * message is not delivered when both come out. Answered when that is in the log; a message that does not exist is recalled as well.
 */
export class Recall {
  private readonly parts: RecallParts

  constructor(parts: RecallParts) {
    this.parts = parts
  }

  async take(header: Header, bornHost: Uint8Array): Promise<Reply<{ msgId: string }>> {
    const { timerEntry, settings } = this.parts
    if (!settings.recallMessageEnable)
      return refuse(ResponseCode.noPermission, 'recall failed, operation is forbidden: recallMessageEnable is false')
    const refused = this.refusal(header.topic)
    if (refused !== undefined) return refused
    const handle = parseRecallHandle(header.recallHandle)
    if (handle === undefined) return illegal('recall handle is invalid')
    const { topic, brokerName, deliverMs, uniqueKey } = handle
    if (topic !== header.topic) return illegal(`recall failed, the handle is of topic ${topic}`)
    if (brokerName !== settings.brokerName) return illegal(`recall failed, the handle is of broker ${brokerName}`)
    const leftMs = deliverMs - timerEntry.rules.now()
    if (!(leftMs > 0)) return illegal('recall failed, the time of the message has come')
    if (leftMs >= timerEntry.rules.maxDelayMs()) return illegal('recall failed, the time of the handle is too far away')
    return this.takeBack({ topic, deliverMs, uniqueKey, producerGroup: header.producerGroup ?? '' }, bornHost)
  }

  /** Stores the timer that says so. */
  async takeBack(
    { topic, deliverMs, uniqueKey, producerGroup }: Recalled,
    bornHost: Uint8Array,
  ): Promise<Reply<{ msgId: string }>> {
    const { timerEntry, store } = this.parts
    const properties = new Map<string, string>([
      [PropertyName.tags, recallTag],
      [PropertyName.timerDelUniqueKey, `${topic}+${uniqueKey}`],
      [PropertyName.uniqueKey, uniqueKey],
      [PropertyName.timerDeliverMs, String(deliverMs)],
      [PropertyName.bornTimestamp, String(timerEntry.rules.now())],
      [PropertyName.producerGroup, producerGroup],
    ])
    const place = timerTarget({ topic, queueId: 0 }, properties, timerEntry)
    if ('code' in place) return refuse(ResponseCode.systemError, `recall failed, ${place.remark}`)
    const { isStored, remark, status } = await appendDraft(store, this.draftOf(place, properties, bornHost))
    if (!isStored) return refuse(ResponseCode.systemError, `recall failed, ${remark === '' ? status : remark}`)
    return ok({ msgId: uniqueKey })
  }

  /** Why nothing can be taken back here now. */
  refusal(topic: string): Refusal | undefined {
    const { topics, settings, timerEntry, store } = this.parts
    if (settings.brokerRole === 'SLAVE')
      return refuse(ResponseCode.slaveNotAvailable, 'recall failed, this broker is a slave')
    const { startAcceptSendRequestTimeStamp: from } = settings
    if (timerEntry.rules.now() < from)
      return refuse(ResponseCode.serviceNotAvailable, `recall failed, startAcceptSendRequestTimeStamp is ${from}`)
    if ((settings.brokerPermission & Perm.write) === 0)
      return refuse(ResponseCode.serviceNotAvailable, 'recall failed, this broker is not writable')
    if (store.refusing !== undefined)
      return refuse(ResponseCode.serviceNotAvailable, `recall failed, ${store.refusing.remark}`)
    if (topics.find(topic) === undefined)
      return refuse(ResponseCode.topicNotExist, `recall failed, the topic ${topic} does not exist here`)
    return undefined
  }

  private draftOf(
    place: { topic: string; queueId: number },
    properties: ReadonlyMap<string, string>,
    bornHost: Uint8Array,
  ): Draft {
    const draft = Object.assign(new Draft(), place)
    draft.bornAtMs = this.parts.timerEntry.rules.now()
    draft.bornHost = bornHost
    draft.body = recallBody
    draft.bodyEnd = recallBody.length
    draft.properties = Buffer.from(printProperties([...properties].filter(([, value]) => value !== '')))
    draft.propertiesEnd = draft.properties.length
    return draft
  }
}

const illegal = (remark: string) => refuse(ResponseCode.illegalOperation, remark)

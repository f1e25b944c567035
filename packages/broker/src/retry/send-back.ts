import {
  type consumerSendMsgBack,
  type HeaderOf,
  Perm,
  PropertyName,
  ResponseCode,
  readRecord,
  type SubscriptionGroupConfig,
} from '@skua-mq/protocol'
import { ok, type Reply, refuse } from '@skua-mq/remoting'
import type { Random } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { delayTarget } from '../delay/delay-step.ts'
import { appendDraft, rewriteRecord } from '../record/rewrite.ts'
import { type TopicLengths, unstorableTopic } from '../topic/names.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { deadLetterTopic, reconsumeLimit, retryTopicOf } from './dead-letter.ts'

export interface SendBackParts {
  readonly store: Pick<MessageStore, 'append' | 'readRecord'>
  readonly topics: Pick<TopicTable, 'ensure'>
  /** Creates it where that is allowed. */
  readonly group: (group: string) => SubscriptionGroupConfig | undefined
  readonly random: Pick<Random, 'int'>
  /** Delay levels, for their number. */
  readonly levels: readonly number[]
  readonly brokerPermission: () => number
  readonly settings: TopicLengths
  /** Told of each that became a dead letter, likewise. */
  readonly dead?: (group: string, topic: string) => void
  /** Told of each message that was taken back, with the topic that it came from. */
  readonly counted?: (group: string, topic: string) => void
}

type Header = HeaderOf<typeof consumerSendMsgBack>

/** The delay of the first retry when the broker chooses (remoting.md 9.5). */
const firstRetryLevel = 3
/** Bit of topicSysFlag: only units subscribe. */
const unitSub = 2

/**
 * A consumer could not consume a message and gives it back (36): a copy goes to the group's retry topic, delayed the
 * longer the more often it failed, or to the dead letters when that was often enough.
 */
export class SendBack {
  private readonly parts: SendBackParts

  constructor(parts: SendBackParts) {
    this.parts = parts
  }

  async take(header: Header, version: number): Promise<Reply<Record<string, never>>> {
    const { parts } = this
    const group = parts.group(header.group)
    if (group === undefined)
      return refuse(
        ResponseCode.subscriptionGroupNotExist,
        `group ${header.group} does not exist here, and autoCreateSubscriptionGroup does not let it be created`,
      )
    if ((parts.brokerPermission() & Perm.write) === 0)
      return refuse(
        ResponseCode.noPermission,
        `this broker is not writable (brokerPermission=${parts.brokerPermission()})`,
      )
    if (group.retryQueueNums <= 0) return ok({})
    // Before anything is made: delayed first, the message would be refused where nobody hears of it.
    const unstorable = unstorableTopic(retryTopicOf(header.group), parts.settings)
    if (unstorable !== undefined) return refuse(ResponseCode.systemError, `${unstorable}: use a shorter group name`)
    const retryTopic = parts.topics.ensure(
      retryTopicOf(header.group),
      group.retryQueueNums,
      'a message was given back',
      header.unitMode ? unitSub : 0,
    )
    if ((retryTopic.perm & Perm.write) === 0)
      return refuse(
        ResponseCode.noPermission,
        `topic ${retryTopic.topicName} is not writable: its perm is ${retryTopic.perm}`,
      )
    const record = await parts.store.readRecord(header.offset)
    if (record === undefined)
      return refuse(ResponseCode.systemError, `there is no message at physical offset ${header.offset}`)
    return this.store(record, { header, version, group })
  }

  private async store(
    record: Uint8Array,
    asked: { header: Header; version: number; group: SubscriptionGroupConfig },
  ): Promise<Reply<Record<string, never>>> {
    const copy = this.copyOf(record, asked)
    if (copy === undefined)
      return refuse(ResponseCode.systemError, `there is no message at physical offset ${asked.header.offset}`)
    const { isStored, remark, status } = await appendDraft(this.parts.store, copy.draft)
    if (!isStored) return refuse(ResponseCode.systemError, remark === '' ? status : remark)
    this.parts.counted?.(asked.header.group, copy.origin)
    if (copy.isDead) this.parts.dead?.(asked.header.group, copy.origin)
    return ok({})
  }

  private copyOf(
    record: Uint8Array,
    { header, version, group }: { header: Header; version: number; group: SubscriptionGroupConfig },
  ) {
    const { random, topics, levels } = this.parts
    const message = readRecord(record)?.message
    if (message === undefined) return undefined
    const { properties, reconsumeTimes } = message
    if (!properties.has(PropertyName.retryTopic)) properties.set(PropertyName.retryTopic, message.topic)
    if (!properties.has(PropertyName.originMessageId)) properties.set(PropertyName.originMessageId, message.offsetMsgId)
    properties.set(PropertyName.waitStoreMsgOk, 'false')
    const limit = reconsumeLimit({ version, maxReconsumeTimes: header.maxReconsumeTimes }, group)
    const isDead = reconsumeTimes >= limit || header.delayLevel < 0
    const level = isDead ? 0 : header.delayLevel || firstRetryLevel + reconsumeTimes
    properties.set(PropertyName.delayTimeLevel, String(level))
    const target = isDead
      ? { topic: deadLetterTopic(header.group, topics), queueId: 0 }
      : { topic: retryTopicOf(header.group), queueId: random.int(group.retryQueueNums) }
    const place = delayTarget(target, properties, levels)
    const draft = rewriteRecord(record, {
      ...place,
      properties,
      reconsumeTimes: reconsumeTimes + 1,
      preparedTransactionOffset: 0,
    })
    return draft === undefined ? undefined : { draft, isDead, origin: properties.get(PropertyName.retryTopic)! }
  }
}

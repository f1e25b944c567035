import {
  type Dialect,
  deleteTopicInBroker,
  getAllTopicConfig,
  getSystemTopicListFromBroker,
  getTopicConfig,
  type HeaderOf,
  ResponseCode,
  topicConfigTableBody,
  updateAndCreateTopic,
} from '@skua-mq/protocol'
import { LargeAnswer, largeAnswerBytes, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import { changedAttributes } from './attributes.ts'
import { illegalTopicName } from './names.ts'
import type { TopicTable } from './topic-table.ts'

/** More queues than this of one topic are refused: each has files of its own. */
export const maxQueuesPerTopic = 65_536

export interface TopicRouteParts {
  readonly topics: TopicTable
  readonly dialect: Pick<Dialect, 'illegalTopicOnTopicRequest' | 'illegalTopicOnDelete'>
  readonly clock: Pick<Clock, 'after'>
  /** A topic is gone: queues and offsets follow, in the same moment. */
  readonly deleted: (topic: string) => void
  /** Resolves when that they are gone is on disk. Default: at once. */
  readonly settled?: () => Promise<void>
  /** Resolves when the name servers know the change, or do not answer: a tool asks them next. Default: at once. */
  readonly announced?: () => Promise<void>
}

/** 17, 21, 215, 305, 351 (admin.md 2). */
export function topicRoutes(parts: TopicRouteParts): Route[] {
  const { topics, clock, announced = () => Promise.resolve(), settled = () => Promise.resolve() } = parts
  const { illegalTopicOnDelete } = parts.dialect
  const badTopic = parts.dialect.illegalTopicOnTopicRequest as Exclude<ResponseCode, 0>
  const ofBroker = (topic: string, verb: string): string | undefined =>
    topics.isSystem(topic) ? `the topic ${topic} belongs to the broker and cannot be ${verb}` : undefined
  return [
    route(updateAndCreateTopic, async header => {
      const reason = illegalTopicName(header.topic) ?? ofBroker(header.topic, 'changed') ?? illegalConfig(header)
      if (reason !== undefined) return refuse(badTopic, reason)
      const attributes = changedAttributes(topics.find(header.topic)?.attributes, header.attributes ?? '')
      if (typeof attributes === 'string') return refuse(ResponseCode.systemError, attributes)
      await topics.put(
        {
          topicName: header.topic,
          readQueueNums: header.readQueueNums,
          writeQueueNums: header.writeQueueNums,
          perm: header.perm,
          topicFilterType: header.topicFilterType === 'MULTI_TAG' ? 'MULTI_TAG' : 'SINGLE_TAG',
          topicSysFlag: header.topicSysFlag ?? 0,
          order: header.order,
          ...(attributes.size === 0 && header.attributes === undefined ? {} : { attributes }),
        },
        'by an administrator',
      )
      await announced()
      return ok({})
    }),
    route(deleteTopicInBroker, async ({ topic }) => {
      const illegal = illegalTopicName(topic)
      if (illegal !== undefined) return { code: illegalTopicOnDelete, header: {}, remark: illegal }
      const reason = ofBroker(topic, 'deleted')
      if (reason !== undefined) return refuse(badTopic, reason)
      const known = await topics.delete(topic, () => parts.deleted(topic))
      await settled()
      if (known) await announced()
      return ok({})
    }),
    ...lookupRoutes(topics, clock),
  ]
}

function lookupRoutes(topics: TopicTable, clock: TopicRouteParts['clock']): Route[] {
  const all = new LargeAnswer(clock, () => topicConfigTableBody.slices(topics.table()))
  return [
    route(getAllTopicConfig, async () => ok({}, await all.bytes()), { readBytes: largeAnswerBytes }),
    route(getTopicConfig, ({ topic }) => {
      const config = topics.find(topic)
      if (config === undefined) return refuse(ResponseCode.topicNotExist, `topic ${topic} does not exist here`)
      return ok({}, getTopicConfig.replyBody!.encode(config))
    }),
    route(getSystemTopicListFromBroker, () =>
      ok({}, getSystemTopicListFromBroker.replyBody!.encode({ topicList: [...topics.systemTopicNames()] })),
    ),
  ]
}

function illegalConfig(header: HeaderOf<typeof updateAndCreateTopic>): string | undefined {
  for (const member of ['readQueueNums', 'writeQueueNums'] as const) {
    if (header[member] < 0 || header[member] > maxQueuesPerTopic)
      return `${member}=${header[member]} is not within 0 and ${maxQueuesPerTopic}`
  }
  return header.perm < 0 || header.perm > 15 ? `perm=${header.perm} is not within 0 and 15` : undefined
}

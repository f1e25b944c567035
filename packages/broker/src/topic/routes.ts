import {
  type Dialect,
  deleteTopicInBroker,
  getAllTopicConfig,
  getSystemTopicListFromBroker,
  getTopicConfig,
  ResponseCode,
  type TopicConfig,
  topicConfigTableBody,
  updateAndCreateTopic,
  updateAndCreateTopicList,
} from '@skua-mq/protocol'
import { LargeAnswer, largeAnswerBytes, ok, type Refusal, type Route, refuse, route } from '@skua-mq/remoting'
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

/** 17, 18, 21, 215, 305, 351 (admin.md 2). */
export function topicRoutes(parts: TopicRouteParts): Route[] {
  const { topics, clock, announced = () => Promise.resolve(), settled = () => Promise.resolve() } = parts
  const { illegalTopicOnDelete } = parts.dialect
  const badTopic = parts.dialect.illegalTopicOnTopicRequest as Exclude<ResponseCode, 0>
  const put = (config: TopicConfig) => topics.put(config, 'by an administrator')
  return [
    route(updateAndCreateTopic, async ({ topic, topicFilterType, attributes, ...header }) => {
      const wanted = topicWanted(
        {
          topicName: topic,
          readQueueNums: header.readQueueNums,
          writeQueueNums: header.writeQueueNums,
          perm: header.perm,
          topicFilterType: topicFilterType === 'MULTI_TAG' ? 'MULTI_TAG' : 'SINGLE_TAG',
          topicSysFlag: header.topicSysFlag ?? 0,
          order: header.order,
        },
        { topics, badTopic, attributes },
      )
      if ('remark' in wanted) return wanted
      await put(wanted)
      await announced()
      return ok({})
    }),
    route(updateAndCreateTopicList, async (_header, { body }) => {
      const all: TopicConfig[] = []
      // One that cannot be has none of them made.
      for (const { attributes, ...config } of updateAndCreateTopicList.body!.decode(body).topicConfigList) {
        const wanted = topicWanted(config, { topics, badTopic, attributes: changesOf(attributes) })
        if ('remark' in wanted) return { ...wanted, remark: `${config.topicName}: ${wanted.remark}` }
        all.push(wanted)
      }
      await Promise.all(all.map(put))
      await announced()
      return ok({})
    }),
    route(deleteTopicInBroker, async ({ topic }) => {
      const illegal = illegalTopicName(topic)
      if (illegal !== undefined) return { code: illegalTopicOnDelete, header: {}, remark: illegal }
      const reason = ofBroker(topics, topic, 'deleted')
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

function ofBroker(topics: TopicTable, topic: string, verb: string): string | undefined {
  return topics.isSystem(topic) ? `the topic ${topic} belongs to the broker and cannot be ${verb}` : undefined
}

/** The topic as it is then, or why it cannot be. `attributes`: changes, in words of tools; undefined for none. */
function topicWanted(
  config: TopicConfig,
  asked: {
    readonly topics: TopicTable
    readonly badTopic: Exclude<ResponseCode, 0>
    readonly attributes: string | undefined
  },
): TopicConfig | Refusal {
  const { topicName } = config
  const { topics, badTopic } = asked
  const reason = illegalTopicName(topicName) ?? ofBroker(topics, topicName, 'changed') ?? illegalConfig(config)
  if (reason !== undefined) return refuse(badTopic, reason)
  const attributes = changedAttributes(topics.find(topicName)?.attributes, asked.attributes ?? '')
  if (typeof attributes === 'string') return refuse(ResponseCode.systemError, attributes)
  return attributes.size === 0 && asked.attributes === undefined ? config : { ...config, attributes }
}

/** In a list they are members, named with their sign. */
function changesOf(attributes: ReadonlyMap<string, string> | undefined): string | undefined {
  if (attributes === undefined) return undefined
  return [...attributes].map(([name, value]) => (name.startsWith('-') ? name : `${name}=${value}`)).join(',')
}

function illegalConfig(config: TopicConfig): string | undefined {
  for (const member of ['readQueueNums', 'writeQueueNums'] as const) {
    if (config[member] < 0 || config[member] > maxQueuesPerTopic)
      return `${member}=${config[member]} is not within 0 and ${maxQueuesPerTopic}`
  }
  return config.perm < 0 || config.perm > 15 ? `perm=${config.perm} is not within 0 and 15` : undefined
}

import {
  deleteTopicInBroker,
  getAllTopicConfig,
  getSystemTopicListFromBroker,
  ResponseCode,
  updateAndCreateTopic,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import { illegalTopicName } from './names.ts'
import type { TopicTable } from './topic-table.ts'

/** 17, 21, 215, 305. */
export function topicRoutes(parts: {
  readonly topics: TopicTable
  /** A topic is gone: queues and offsets follow. */
  readonly deleted: (topic: string) => void
}): Route[] {
  const { topics } = parts
  return [
    route(updateAndCreateTopic, header => {
      const reason = illegalTopicName(header.topic)
      if (reason !== undefined) return refuse(ResponseCode.systemError, reason)
      if (topics.isSystem(header.topic))
        return refuse(ResponseCode.systemError, `the topic ${header.topic} belongs to the broker and cannot be changed`)
      topics.put(
        {
          topicName: header.topic,
          readQueueNums: header.readQueueNums,
          writeQueueNums: header.writeQueueNums,
          perm: header.perm,
          topicFilterType: header.topicFilterType === 'MULTI_TAG' ? 'MULTI_TAG' : 'SINGLE_TAG',
          topicSysFlag: header.topicSysFlag ?? 0,
          order: header.order ?? false,
        },
        'by an administrator',
      )
      return ok({})
    }),
    route(deleteTopicInBroker, ({ topic }) => {
      if (topics.isSystem(topic))
        return refuse(ResponseCode.systemError, `the topic ${topic} belongs to the broker and cannot be deleted`)
      topics.delete(topic)
      parts.deleted(topic)
      return ok({})
    }),
    route(getAllTopicConfig, () => {
      const topicConfigTable = new Map(topics.all().map(config => [config.topicName, config]))
      return ok({}, getAllTopicConfig.replyBody!.encode({ dataVersion: topics.version.toJSON(), topicConfigTable }))
    }),
    route(getSystemTopicListFromBroker, () =>
      ok(
        {},
        getSystemTopicListFromBroker.replyBody!.encode({
          topicList: [...topics.systemTopicNames()],
          brokerAddr: undefined,
        }),
      ),
    ),
  ]
}

import {
  getAllProducerInfo,
  getConsumerConnectionList,
  getProducerConnectionList,
  type ProducerInfo,
  ResponseCode,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import { addressOf, connectionOf, languageOf } from './client.ts'
import type { ConsumerGroups } from './consumer-groups.ts'
import type { ProducerGroups, ProducerMember } from './producer-groups.ts'

/** 203, 204, 328 (admin.md 3): who is connected. */
export function connectionRoutes(parts: {
  readonly consumers: ConsumerGroups
  readonly producers: ProducerGroups
}): Route[] {
  const { consumers, producers } = parts
  return [
    route(getConsumerConnectionList, ({ consumerGroup }) => {
      const group = consumers.find(consumerGroup)
      if (group === undefined)
        return refuse(ResponseCode.consumerNotOnline, `the consumer group ${consumerGroup} is not online here`)
      const connection = {
        connectionSet: [...group.members.values()].map(connectionOf),
        subscriptionTable: group.subscriptions,
        consumeType: group.consumeType,
        messageModel: group.messageModel,
        consumeFromWhere: group.consumeFromWhere,
      }
      return ok({}, getConsumerConnectionList.replyBody!.encode(connection))
    }),
    route(getProducerConnectionList, ({ producerGroup }) => {
      const members = producers.membersOf(producerGroup)
      if (members.length === 0)
        return refuse(ResponseCode.systemError, `the producer group ${producerGroup} is not online here`)
      return ok({}, getProducerConnectionList.replyBody!.encode({ connectionSet: members.map(connectionOf) }))
    }),
    route(getAllProducerInfo, () => {
      const data = new Map([...producers.all()].map(([group, members]) => [group, [...members.values()].map(infoOf)]))
      return ok({}, getAllProducerInfo.replyBody!.encode({ data }))
    }),
  ]
}

const infoOf = (member: ProducerMember): ProducerInfo => ({
  clientId: member.clientId,
  remoteIP: addressOf(member),
  language: languageOf(member),
  version: member.version,
  lastUpdateTimestamp: member.lastSeenAtMs,
})

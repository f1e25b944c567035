import {
  consumerConnectionBody,
  getAllProducerInfo,
  getConsumerConnectionList,
  getProducerConnectionList,
  type ProducerInfo,
  producerConnectionBody,
  producerTableBody,
  ResponseCode,
} from '@skua-mq/protocol'
import { inTurns, LargeAnswer, largeAnswerBytes, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import { addressOf, connectionOf, languageOf } from './client.ts'
import type { ConsumerGroups } from './consumer-groups.ts'
import type { ProducerGroups, ProducerMember } from './producer-groups.ts'

/** 203, 204, 328 (admin.md 3): who is connected. */
export function connectionRoutes(parts: {
  readonly consumers: ConsumerGroups
  readonly producers: ProducerGroups
  readonly clock: Pick<Clock, 'after'>
}): Route[] {
  const { consumers, producers, clock } = parts
  const allProducers = new LargeAnswer(clock, () => producerTableBody.slices({ data: infosOf(producers) }))
  return [
    route(getConsumerConnectionList, async ({ consumerGroup }) => {
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
      return ok({}, await inTurns(clock, consumerConnectionBody.slices(connection)))
    }),
    route(getProducerConnectionList, async ({ producerGroup }) => {
      const members = producers.membersOf(producerGroup)
      if (members.length === 0)
        return refuse(ResponseCode.systemError, `the producer group ${producerGroup} is not online here`)
      return ok({}, await inTurns(clock, producerConnectionBody.slices({ connectionSet: members.map(connectionOf) })))
    }),
    route(getAllProducerInfo, async () => ok({}, await allProducers.bytes()), { readBytes: largeAnswerBytes }),
  ]
}

/** Group to members, made while they are written: a client may be a member of thousands of groups. */
function infosOf(producers: ProducerGroups): Map<string, ProducerInfo[]> {
  const entries = function* (): Generator<[string, ProducerInfo[]]> {
    for (const [group, members] of producers.all()) yield [group, [...members.values()].map(infoOf)]
  }
  return { [Symbol.iterator]: entries } as unknown as Map<string, ProducerInfo[]>
}

const infoOf = (member: ProducerMember): ProducerInfo => ({
  clientId: member.clientId,
  // As Java prints an address.
  remoteIP: `/${addressOf(member)}`,
  language: languageOf(member),
  version: member.version,
  lastUpdateTimestamp: member.lastSeenAtMs,
})

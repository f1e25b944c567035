import {
  bounded,
  consumeMessageDirectly,
  consumerStatusBody,
  getConsumerRunningInfo,
  getConsumerStatusFromClient,
  invokeBrokerToGetConsumerStatus,
  invokeBrokerToResetOffset,
  type MessageQueue,
  parseOffsetMessageId,
  ResponseCode,
  VersionThreshold,
  writeFields,
} from '@skua-mq/protocol'
import { type Call, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'
import type { Member } from '../client-table/consumer-groups.ts'
import { recordAt } from '../query/key-query.ts'
import { forward, memberFor } from './forward.ts'
import { type ResetParts, type ResetTopic, type ResetWish, resetAtMembers, resetHere } from './reset-offset.ts'

/** How long a client may take to say where it stands (remoting.md 13, code 221). */
export const statusTimeoutMs = 5000

/** What a client says of itself is read in one turn. */
const statusOfClient = bounded(consumerStatusBody)

export interface ControlParts extends ResetParts {
  readonly store: ResetParts['store'] & Pick<MessageStore, 'readRecord'>
  readonly topic: (topic: string) => ResetTopic | undefined
  readonly hasGroup: (group: string) => boolean
  readonly settings: { readonly useServerSideResetOffset: boolean }
}

/** 222, 223, 307, 309 (admin.md 3 and 5): what tools do to consumers that run. */
export function controlRoutes(parts: ControlParts): Route[] {
  const { consumers } = parts
  return [
    route(invokeBrokerToResetOffset, (wish, call) => reset(parts, wish, call)),
    route(invokeBrokerToGetConsumerStatus, ({ topic, group, clientAddr }) => {
      const members = [...(consumers.find(group)?.members.values() ?? [])]
      const wanted = members.filter(
        member => clientAddr === undefined || clientAddr === '' || member.clientId === clientAddr,
      )
      if (wanted.length === 0)
        return refuse(ResponseCode.systemError, `no consumer of ${group} to be asked is online here`)
      return status(wanted, { topic, group })
    }),
    route(getConsumerRunningInfo, ({ consumerGroup, clientId }, { command, body }) => {
      const member = memberFor(consumers, consumerGroup, clientId)
      if ('code' in member) return member
      return forward(getConsumerRunningInfo, member, { extFields: { ...command.extFields }, body })
    }),
    route(consumeMessageDirectly, async ({ consumerGroup, clientId, msgId }, { command }) => {
      const member = memberFor(consumers, consumerGroup, clientId ?? '')
      if ('code' in member) return member
      const place = parseOffsetMessageId(msgId ?? '')
      const record = place === undefined ? undefined : await recordAt(parts.store, place.physicalOffset)
      if (record === undefined) return refuse(ResponseCode.systemError, `no message of this broker has the id ${msgId}`)
      const extFields = { ...command.extFields, brokerName: parts.brokerName }
      return forward(consumeMessageDirectly, member, { extFields, body: record })
    }),
  ]
}

async function reset(parts: ControlParts, wish: ResetWish, { connection }: Call) {
  const isHere = parts.settings.useServerSideResetOffset
  const refusal = () => {
    if (parts.topic(wish.topic) === undefined)
      return refuse(ResponseCode.topicNotExist, `topic ${wish.topic} does not exist here`)
    if (!isHere || parts.hasGroup(wish.group)) return undefined
    return refuse(ResponseCode.subscriptionGroupNotExist, `consumer group ${wish.group} does not exist here`)
  }
  const refused = refusal()
  if (refused !== undefined) return refused
  const topic = parts.topic(wish.topic) as ResetTopic
  const who = `reset by ${connection.remote.host}:${connection.remote.port}`
  const offsetTable = isHere
    ? await resetHere(parts, wish, { topic, who, refusal })
    : await resetAtMembers(parts, wish, { topic, who })
  // Of several queues some may be reset when one is refused.
  await parts.offsets.settled()
  if (!(offsetTable instanceof Map)) return offsetTable
  return ok({}, invokeBrokerToResetOffset.replyBody!.encode({ offsetTable }))
}

async function status(members: readonly Member[], wish: { topic: string; group: string }) {
  const old = members.find(member => member.version < VersionThreshold.resetOffsetPush)
  if (old !== undefined)
    return refuse(
      ResponseCode.systemError,
      `the client ${old.clientId} of version ${old.version} does not tell its offsets`,
    )
  const consumerTable = new Map<string, Map<MessageQueue, number>>()
  const asked = members.map(async ({ clientId, connection }) => {
    const extFields = writeFields(getConsumerStatusFromClient.header, wish)
    const reply = await connection.call({ code: getConsumerStatusFromClient.code, extFields }, statusTimeoutMs)
    if (reply.code !== ResponseCode.success || reply.body === undefined) return
    consumerTable.set(clientId, new Map(statusOfClient.decode(reply.body).messageQueueTable))
  })
  const outcomes = await Promise.allSettled(asked)
  const failure = outcomes.find(outcome => outcome.status === 'rejected')
  // One who answers is an answer; only when nobody did, the reason is.
  if (consumerTable.size === 0 && failure !== undefined)
    return refuse(ResponseCode.systemError, `no member of ${wish.group} answered: ${(failure.reason as Error).message}`)
  return ok({}, consumerStatusBody.encode({ messageQueueTable: new Map(), consumerTable }))
}

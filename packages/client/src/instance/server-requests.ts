import {
  checkTransactionState,
  consumeMessageDirectly,
  getConsumerRunningInfo,
  getConsumerStatusFromClient,
  notifyConsumerIdsChanged,
  PropertyName,
  pushReplyMessageToClient,
  ResponseCode,
  readRecord,
  resetConsumerClientOffset,
  resetOffsetBody,
} from '@skua-mq/protocol'
import { noReply, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { PendingReplies } from '../produce/pending-replies.ts'
import type { Members } from './members.ts'

const absent = (group: string) => refuse(ResponseCode.systemError, `consumer group ${group} is not in this client`)

/** What brokers may ask of a client (remoting.md 13), and who of its members answers. */
export const serverRequests = (members: Members, replies: PendingReplies): Route[] => [
  ...consumerRequests(members),
  route(checkTransactionState, (header, { body, connection }) => {
    const message = readRecord(body)?.message
    const producer = members.producers.get(message?.properties.get(PropertyName.producerGroup) ?? '')
    const { host, port } = connection.remote
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
    if (message !== undefined)
      producer?.checkTransaction({ ...header, transactionId: header.transactionId, message, address })
    return noReply
  }),
  route(pushReplyMessageToClient, (header, { body }) => {
    if (replies.settle(header, body)) return ok({})
    return refuse(ResponseCode.systemError, 'nobody waits for this reply (any more)')
  }),
]

const consumerRequests = (members: Members): Route[] => [
  route(notifyConsumerIdsChanged, ({ consumerGroup }) => {
    members.consumers.get(consumerGroup)?.membersChanged()
    return noReply
  }),
  route(resetConsumerClientOffset, ({ group, topic }, { body }) => {
    members.consumers.get(group)?.resetOffsets(topic, resetOffsetBody.decode(body).offsetTable)
    return noReply
  }),
  route(getConsumerStatusFromClient, ({ group, topic }) => {
    const member = members.consumers.get(group)
    if (member === undefined) return absent(group)
    const messageQueueTable = member.offsetsOf(topic)
    return ok({}, getConsumerStatusFromClient.replyBody!.encode({ messageQueueTable, consumerTable: new Map() }))
  }),
  route(getConsumerRunningInfo, ({ consumerGroup }) => {
    const member = members.consumers.get(consumerGroup)
    if (member === undefined) return absent(consumerGroup)
    return ok({}, getConsumerRunningInfo.replyBody!.encode(member.runningInfo()))
  }),
  route(consumeMessageDirectly, async ({ consumerGroup, brokerName }, { body }) => {
    const member = members.consumers.get(consumerGroup)
    const message = readRecord(body)?.message
    if (message === undefined) return refuse(ResponseCode.systemError, 'the body is no message')
    const result = member?.consumeDirectly(message, brokerName ?? '')
    if (result === undefined) return absent(consumerGroup)
    return ok({}, consumeMessageDirectly.replyBody!.encode(await result))
  }),
]

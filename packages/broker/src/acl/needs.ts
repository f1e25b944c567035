import {
  batchAckMessage,
  type Command,
  changeTimer,
  demoteBroker,
  getOffsetHistory,
  getPendingTransactions,
  getTimers,
  heartBeat,
  lockBatchMq,
  popOriginOf,
  promoteBroker,
  queryAssignment,
  replyTopicSuffix,
  retryPrefix,
} from '@skua-mq/protocol'
import { AclPerm } from './permission.ts'

/** A permission that a request takes. Groups without `%RETRY%`. */
export interface Need {
  readonly kind: 'topic' | 'group'
  readonly name: string
  readonly perm: number
}

type Fields = Readonly<Record<string, string>>
type Asked = Pick<Command, 'code' | 'extFields' | 'body'>
type NeedsOf = (fields: Fields, command: Asked) => Need[]

const topic = (name: string | undefined, perm: number): Need[] =>
  name === undefined || name === '' ? [] : [ofTopic(name, perm)]
const group = (name: string | undefined): Need[] =>
  name === undefined || name === '' ? [] : [{ kind: 'group', name, perm: AclPerm.sub }]

/** A retry topic is its group's. */
const ofTopic = (name: string, perm: number): Need =>
  name.startsWith(retryPrefix)
    ? { kind: 'group', name: name.slice(retryPrefix.length), perm: AclPerm.sub }
    : { kind: 'topic', name, perm }

const send = (name: string | undefined) => topic(name, AclPerm.pub)
/** Whoever is asked may answer, in the topic that is for it; a reply to any other is a message that is sent there. */
const reply = (name: string | undefined) => (name?.endsWith(replyTopicSuffix) === true ? [] : send(name))
const consume = (fields: Fields) => [...topic(fields.topic, AclPerm.sub), ...group(fields.consumerGroup)]
/** Retried messages lie in a topic that is named after their own and the group. */
const pop = ({ topic: name, consumerGroup = '' }: Fields) => [
  ...topic(name === undefined ? undefined : popOriginOf(name, consumerGroup), AclPerm.sub),
  ...group(consumerGroup),
]

/**
 * What requests of clients take (admin.md 7.2). RocketMQ 4.9 leaves 14, 37, 41, 42, 320, 324, 325 and 361 to everybody who can sign;
 * here they take what the request beside them takes, so that a batch, a reply or a lite pull is no way around a permission.
 */
const needs: ReadonlyMap<number, NeedsOf> = new Map<number, NeedsOf>([
  [10, fields => send(fields.topic)],
  [310, fields => send(fields.b)],
  [320, fields => send(fields.b)],
  [324, fields => reply(fields.topic)],
  [325, fields => reply(fields.b)],
  [11, consume],
  [361, consume],
  [12, fields => topic(fields.topic, AclPerm.sub)],
  [14, consume],
  [15, consume],
  [34, (_fields, command) => heartbeatNeeds(command)],
  [35, fields => group(fields.consumerGroup)],
  [36, fields => group(fields.group)],
  [37, fields => send(fields.topic)],
  [370, fields => send(fields.topic)],
  [38, fields => group(fields.consumerGroup)],
  [41, (_fields, command) => lockNeeds(command)],
  [42, (_fields, command) => lockNeeds(command)],
  [getOffsetHistory.code, fields => group(fields.consumerGroup)],
  [400, (_fields, command) => assignmentNeeds(command)],
  ...[200050, 200051, 200052, 200053, 200054, 200055].map(code => [code, pop] as const),
  [200151, (_fields, command) => batchAckNeeds(command)],
])

/** What a request takes; throws where its body does not read. */
export function needsOf(command: Asked): Need[] {
  return needs.get(command.code)?.(command.extFields, command) ?? []
}

/**
 * Requests that take an admin: those of RocketMQ 4.9 (17, 25, 200, 207, 215), and here also the others that change or delete
 * what belongs to somebody else, or many at once (18, 225).
 */
export const adminCodes: ReadonlySet<number> = new Set([
  ...[17, 25, 200, 207, 215],
  ...[18, 50, 51, 53, 222, 225, 306, 309, 314, 316, 323, 329, 401, getTimers.code, changeTimer.code],
  ...[promoteBroker.code, demoteBroker.code],
])

/**
 * What every account that can sign may ask, as in RocketMQ 4.9: names, settings, counts and offsets, and what filter servers (301) and
 * slaves (21, 43, 45, 60, 61, 201, 402) ask. Two of them read messages of any topic by their place, since they name no topic: 33 and 321.
 * A request stands here, above or in `needs`: a test asks a broker for each.
 */
export const openCodes: ReadonlySet<number> = new Set([
  ...[21, 26, 28, 29, 30, 31, 32, 33, 43, 45, 46, 60, 61, 201, 202, 203, 204, 208, 223],
  ...[300, 301, 303, 305, 307, 308, 315, 317, 321, 328, 343, 345, 351, 352, 402, 907],
  getPendingTransactions.code,
])

/** Whether it was decided who may ask this. */
export const isDecided = (code: number): boolean => needs.has(code) || adminCodes.has(code) || openCodes.has(code)

function heartbeatNeeds({ body }: Asked): Need[] {
  if (body === undefined) return []
  const { consumerDataSet } = heartBeat.body!.decode(body)
  return consumerDataSet.flatMap(({ groupName, subscriptionDataSet }) => [
    ...group(groupName),
    ...subscriptionDataSet.flatMap(subscription => topic(subscription.topic, AclPerm.sub)),
  ])
}

function lockNeeds({ body }: Asked): Need[] {
  if (body === undefined) return []
  const { consumerGroup, mqSet } = lockBatchMq.body!.decode(body)
  return [...group(consumerGroup), ...mqSet.flatMap(queue => topic(queue.topic, AclPerm.sub))]
}

function assignmentNeeds({ body }: Asked): Need[] {
  if (body === undefined) return []
  const { topic: name, consumerGroup } = queryAssignment.body!.decode(body)
  return pop({ topic: name, consumerGroup })
}

function batchAckNeeds({ body }: Asked): Need[] {
  if (body === undefined) return []
  return batchAckMessage.body!.decode(body).acks.flatMap(({ t, c }) => pop({ topic: t, consumerGroup: c }))
}

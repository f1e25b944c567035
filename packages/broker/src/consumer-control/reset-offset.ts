import {
  type HeaderOf,
  invokeBrokerToResetOffset,
  Language,
  type MessageQueue,
  ResponseCode,
  resetConsumerClientOffset,
  resetOffsetBody,
  resetOffsetListBody,
  VersionThreshold,
  writeFields,
} from '@skua-mq/protocol'
import { type Refusal, refuse } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { PendingResets } from '../offset/pending-resets.ts'
import { Pace } from '../pace.ts'

export type ResetWish = HeaderOf<typeof invokeBrokerToResetOffset>

export interface ResetParts {
  readonly store: Pick<MessageStore, 'minOffset' | 'maxOffset' | 'offsetByTime'>
  readonly offsets: OffsetTable
  readonly consumers: ConsumerGroups
  readonly resets: PendingResets
  readonly clock: Pick<Clock, 'after'>
  /** Pulls that are held for a queue are looked at again: they hear of a reset now. */
  readonly wake: (topic: string, queueId: number) => void
  readonly brokerName: string
}

export interface ResetTopic {
  readonly readQueueNums: number
  readonly writeQueueNums: number
}

export interface ResetOrder {
  readonly topic: ResetTopic
  readonly who: string
  /** Why there is nothing to be reset: topic or group may have been deleted while the store looked for the places. */
  readonly refusal: () => Refusal | undefined
}

type NewOffsets = Map<MessageQueue, number>

/**
 * Reset at the broker (5.x and our default, admin.md 3): the new offset is committed at once, and running consumers hear
 * of it by their next pull. Works with nobody online.
 */
export async function resetHere(
  parts: ResetParts,
  wish: ResetWish,
  { topic, who, refusal }: ResetOrder,
): Promise<NewOffsets | Refusal> {
  const one = wish.queueId ?? -1
  if (one >= topic.readQueueNums)
    return refuse(
      ResponseCode.systemError,
      `queueId ${one} is out of range: ${wish.topic} has ${topic.readQueueNums} read queues`,
    )
  const queueIds = one >= 0 ? [one] : [...Array(topic.readQueueNums).keys()]
  const table: NewOffsets = new Map()
  const pace = new Pace(parts.clock)
  for (const queueId of queueIds) {
    await pace.queue()
    const target = await targetOf(parts, wish, queueId)
    if (typeof target !== 'number') return target
    table.set({ topic: wish.topic, brokerName: parts.brokerName, queueId }, target)
  }
  const gone = refusal()
  if (gone !== undefined) return gone
  for (const [queue, found] of table) {
    if (pace.isOver) {
      await pace.pause()
      // What was reset before went with it.
      const left = refusal()
      if (left !== undefined) return left
    }
    pace.read()
    // A topic that begins anew is shorter than it was when the place was found.
    const target = Math.min(found, parts.store.maxOffset(wish.topic, queue.queueId) + 1)
    const current = apply(parts, wish, { queueId: queue.queueId, target, who })
    if (typeof current !== 'number') return current
    table.set(queue, current)
  }
  return table
}

/**
 * Returns where the group stands now. Only a reset of all queues minds isForce, as 4.9's did: who names a queue names the
 * place, and 5.x's tool has committed it by itself (15) before it asks for the reset.
 */
function apply(
  { offsets, resets, wake }: ResetParts,
  wish: ResetWish,
  { queueId, target, who }: { queueId: number; target: number; who: string },
): number | Refusal {
  const { group, topic } = wish
  const current = offsets.find(group, topic, queueId)
  const isForced = wish.isForce || (wish.queueId ?? -1) >= 0
  if (!isForced && current !== undefined && current <= target) return current
  const request = invokeBrokerToResetOffset.name
  if (!offsets.commit({ group, topic, queueId, offset: target, who, request, byHand: true }))
    return refuse(ResponseCode.systemError, 'the broker keeps no further offsets: the table of them is full')
  resets.put({ group, topic, queueId }, target)
  wake(topic, queueId)
  return target
}

async function targetOf({ store }: ResetParts, wish: ResetWish, queueId: number): Promise<number | Refusal> {
  const { topic, timestamp, offset } = wish
  const [min, max] = [store.minOffset(topic, queueId), store.maxOffset(topic, queueId)]
  if (offset !== undefined && offset >= 0 && (wish.queueId ?? -1) >= 0) {
    // One behind the end, as RocketMQ: it is where a tool that has read the end a moment ago may want to be.
    if (offset >= min && offset <= max + 1) return offset
    return refuse(
      ResponseCode.systemError,
      `offset ${offset} is not within ${min} and ${max}, what queue ${queueId} of ${topic} holds`,
    )
  }
  return timestamp < 0 ? max : Math.max(0, await store.offsetByTime(topic, queueId, timestamp))
}

/** Reset by the members themselves, as in 4.9: 220 tells them where to go on, and they commit it. */
export async function resetAtMembers(
  parts: ResetParts,
  wish: ResetWish,
  { topic, who }: Pick<ResetOrder, 'topic' | 'who'>,
): Promise<NewOffsets | Refusal> {
  const { group } = wish
  const table: NewOffsets = new Map()
  const pace = new Pace(parts.clock)
  for (let queueId = 0; queueId < topic.writeQueueNums; queueId++) {
    await pace.queue()
    const current = parts.offsets.find(group, wish.topic, queueId)
    if (current === undefined)
      return refuse(ResponseCode.systemError, `group ${group} has no offset in queue ${queueId} of ${wish.topic}`)
    const target = await targetOf(parts, { ...wish, offset: undefined }, queueId)
    if (typeof target !== 'number') return target
    const isTaken = wish.isForce || target < current
    table.set({ topic: wish.topic, brokerName: parts.brokerName, queueId }, isTaken ? target : current)
  }
  const members = [...(parts.consumers.find(group)?.members.values() ?? [])]
  if (members.length === 0)
    return refuse(ResponseCode.consumerNotOnline, `the consumer group ${group} is not online here: nobody to be told`)
  const old = members.find(member => member.version < VersionThreshold.resetOffsetPush)
  if (old !== undefined)
    return refuse(
      ResponseCode.systemError,
      `the client ${old.clientId} of version ${old.version} cannot be told of offsets`,
    )
  const extFields = writeFields(resetConsumerClientOffset.header, wish)
  for (const { connection, language } of members) {
    // Java's broker chooses the form by the tool's language; whoever reads it knows better.
    const codec = language === Language.cpp ? resetOffsetListBody : resetOffsetBody
    connection.tell({ code: resetConsumerClientOffset.code, extFields, body: codec.encode({ offsetTable: table }) })
  }
  const request = invokeBrokerToResetOffset.name
  for (const [{ queueId }, to] of table) {
    const from = parts.offsets.find(group, wish.topic, queueId)
    if (from !== to) parts.offsets.tell({ group, topic: wish.topic, queueId, from, to, who, request })
  }
  return table
}

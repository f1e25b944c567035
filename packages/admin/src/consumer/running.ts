import {
  type ConsumeMessageDirectlyResult,
  type ConsumeStatus,
  consumeMessageDirectly,
  getConsumerRunningInfo,
  invokeBrokerToGetConsumerStatus,
  type MessageQueue,
  type ProcessQueueInfo,
} from '@skua-mq/protocol'
import { compareText } from '../each.ts'
import { AdminError } from '../error.ts'
import { compareQueues } from '../queue-progress.ts'
import type { AdminSession } from '../session.ts'
import { brokersOf, brokersOfGroup, topicRoute } from '../topic/route.ts'
import { consumerConnections } from './connection.ts'

/** Brokers wait 10 s for a client that they ask. */
const clientTimeoutMs = 12_000

/** Which member of which group. */
export interface Member {
  readonly group: string
  readonly clientId: string
}

/** What a member tells of itself. */
export interface RunningConsumer {
  readonly clientId: string
  readonly properties: Readonly<Record<string, string>>
  readonly subscriptions: readonly { readonly topic: string; readonly subString: string }[]
  readonly queues: readonly (MessageQueue & ProcessQueueInfo)[]
  /** By topic: what it does in a second. */
  readonly status: Readonly<Record<string, ConsumeStatus>>
  /** Stacks of its threads, where it was asked for them and has them. */
  readonly jstack: string | undefined
}

/** Asks a member through the brokers that it is connected to. Errors: NOT_FOUND when none of them knows it; REFUSED. */
export async function consumerRunningInfo(
  session: AdminSession,
  { group, clientId }: Member,
  { jstack = false, brokerAddr }: { readonly jstack?: boolean; readonly brokerAddr?: string | undefined } = {},
): Promise<RunningConsumer> {
  const header = { consumerGroup: group, clientId, jstackEnable: jstack }
  const info = await throughBroker(session, { group, brokerAddr }, address =>
    session.read(address, { spec: getConsumerRunningInfo, header, timeoutMs: clientTimeoutMs }),
  )
  const subscriptions = info.subscriptionSet.map(({ topic, subString }) => ({ topic, subString }))
  return {
    clientId,
    properties: Object.fromEntries(info.properties),
    subscriptions: subscriptions.sort((a, b) => compareText(a.topic, b.topic)),
    queues: [...info.mqTable].map(([queue, state]) => ({ ...queue, ...state })).sort(compareQueues),
    status: Object.fromEntries(info.statusTable),
    jstack: info.jstack,
  }
}

/** Has a member consume one stored message now, and says what came of it. Errors as `consumerRunningInfo`. */
export async function consumeDirectly(
  session: AdminSession,
  { group, clientId }: Member,
  message: { readonly offsetMsgId: string; readonly topic?: string | undefined },
): Promise<ConsumeMessageDirectlyResult | undefined> {
  const header = { consumerGroup: group, clientId, msgId: message.offsetMsgId, topic: message.topic }
  const call = { spec: consumeMessageDirectly, header, timeoutMs: clientTimeoutMs }
  const reply = await throughBroker(session, { group }, address => session.write(address, call))
  if (reply === undefined) return undefined
  return consumeMessageDirectly.replyBody!.decode(reply.body ?? Buffer.from('{}'))
}

/** Any broker that the client is connected to will do; the last refusal tells why none does. */
async function throughBroker<T>(
  session: AdminSession,
  { group, brokerAddr }: { readonly group: string; readonly brokerAddr?: string | undefined },
  ask: (address: string) => Promise<T>,
): Promise<T> {
  const addresses = brokerAddr === undefined ? await brokersOfGroup(session, group) : [brokerAddr]
  let refusal: unknown = new AdminError('NOT_FOUND', `no broker of group ${group} is known`)
  for (const address of addresses) {
    try {
      return await ask(address)
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
      refusal = error
    }
  }
  throw refusal
}

/** Where members say that they stand in a queue. */
export interface ConsumerOffset {
  readonly clientId: string
  readonly brokerName: string
  readonly queueId: number
  readonly offset: number
}

/** Asks members where they stand in a topic: of one client id, or of all. Errors: NOT_FOUND; REFUSED. */
export async function consumerOffsets(
  session: AdminSession,
  {
    group,
    topic,
    clientId,
  }: { readonly group: string; readonly topic: string; readonly clientId?: string | undefined },
): Promise<ConsumerOffset[]> {
  const [broker] = brokersOf(await topicRoute(session, topic))
  const call = { spec: invokeBrokerToGetConsumerStatus, header: { group, topic, clientAddr: clientId } }
  const { consumerTable } = await session.read(broker?.address ?? '', { ...call, timeoutMs: clientTimeoutMs })
  return [...consumerTable].flatMap(([id, table]) =>
    [...table]
      .sort(([a], [b]) => compareQueues(a, b))
      .map(([{ brokerName, queueId }, offset]) => ({ clientId: id, brokerName, queueId, offset })),
  )
}

/** What members that answered say together, and what of it is wrong. */
export interface GroupCheck {
  readonly members: readonly RunningConsumer[]
  /** Members that did not answer, and why. */
  readonly silent: readonly { readonly clientId: string; readonly reason: string }[]
  /** All subscribe to the same. Members of one group must, since each gets queues of all topics of the group. */
  readonly sameSubscriptions: boolean
  /** Empty when all is well. */
  readonly findings: readonly string[]
}

/** A queue whose messages were not looked at for so long is stuck. */
const stuckMs = 60_000

/** Asks every member of a group, and compares. Errors: NOT_FOUND when nobody is connected. */
export async function checkGroup(
  session: AdminSession,
  group: string,
  { jstack = false, brokerAddr }: { readonly jstack?: boolean; readonly brokerAddr?: string | undefined } = {},
): Promise<GroupCheck> {
  const { clients, messageModel } = await consumerConnections(session, group, brokerAddr)
  const members: RunningConsumer[] = []
  const silent: { clientId: string; reason: string }[] = []
  for (const { clientId } of clients) {
    try {
      members.push(await consumerRunningInfo(session, { group, clientId }, { jstack, brokerAddr }))
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
      silent.push({ clientId, reason: error.message })
    }
  }
  const texts = new Set(members.map(({ subscriptions }) => JSON.stringify(subscriptions)))
  const sameSubscriptions = texts.size <= 1
  const findings = [
    ...(sameSubscriptions ? [] : ['members subscribe to different topics or tags: give all of them the same']),
    ...(messageModel === 'BROADCASTING' ? [] : sharedQueues(members)),
    ...stuckQueues(members, session.runtime.clock.now()),
  ]
  return { members, silent, sameSubscriptions, findings }
}

function sharedQueues(members: readonly RunningConsumer[]): string[] {
  const owners = new Map<string, string[]>()
  for (const { clientId, queues } of members)
    for (const { topic, brokerName, queueId } of queues) {
      const key = `queue ${queueId} of ${topic} at ${brokerName}`
      owners.set(key, [...(owners.get(key) ?? []), clientId])
    }
  const shared = [...owners].filter(([, ids]) => ids.length > 1)
  return shared.map(([queue, ids]) => `${queue} is consumed by ${ids.join(' and ')}: wait for the next rebalance`)
}

function stuckQueues(members: readonly RunningConsumer[], nowMs: number): string[] {
  return members.flatMap(({ clientId, queues, properties }) =>
    queues
      .filter(
        ({ cachedMsgCount, lastConsumeTimestamp }) => cachedMsgCount > 0 && nowMs - lastConsumeTimestamp > stuckMs,
      )
      .map(({ topic, brokerName, queueId, cachedMsgCount, lastConsumeTimestamp, locked }) => {
        const seconds = Math.round((nowMs - lastConsumeTimestamp) / 1000)
        const isOrderly = properties['PROP_CONSUMEORDERLY'] === 'true'
        const lock = isOrderly && !locked ? ', and its lock is not held' : ''
        const what = `${cachedMsgCount} messages of queue ${queueId} of ${topic} at ${brokerName}`
        return `${clientId} has ${what} and consumed none for ${seconds} s${lock}`
      }),
  )
}

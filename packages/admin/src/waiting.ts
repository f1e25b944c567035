import {
  endTransaction,
  getPendingTransactions,
  type PendingTransaction,
  PropertyName,
  printRecallHandle,
  ResponseCode,
  recallMessage,
  scheduleTopic,
  TransactionState,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { brokerRuntimeInfo } from './broker.ts'
import { type ClusterBroker, clusterBrokers, masterNamed } from './cluster.ts'
import { each } from './each.ts'
import { AdminError } from './error.ts'
import type { FoundMessage } from './message/message.ts'
import { pullAtPace } from './message/pull.ts'
import { PullPace } from './message/pull-pace.ts'
import type { AdminSession } from './session.ts'
import { waitingMessages } from './timer.ts'
import { findTopicRoute } from './topic/route.ts'
import { queueUnits, topicStats } from './topic/stats.ts'

/** An undecided transaction, and the broker that holds it. */
export interface UndecidedTransaction extends PendingTransaction {
  readonly brokerName: string
}

/** Undecided transactions, oldest first. */
export interface UndecidedTransactions {
  readonly transactions: readonly UndecidedTransaction[]
  /** Brokers that do not tell: Apache's. */
  readonly without: readonly string[]
}

const mastersOf = async (session: AdminSession): Promise<ClusterBroker[]> =>
  (await clusterBrokers(session)).filter(({ brokerId }) => brokerId === 0)

/** Transactions that nobody has decided yet, of all masters; only Skua's brokers tell. `limit`: of each. */
export async function undecidedTransactions(session: AdminSession, limit = 1000): Promise<UndecidedTransactions> {
  const answers = await each(await mastersOf(session), async ({ brokerName, address }) => {
    const call = { spec: getPendingTransactions, header: { limit }, allow: [ResponseCode.requestCodeNotSupported] }
    const { code, body } = await session.ask(address, call)
    if (code !== 0) return { brokerName, transactions: undefined }
    const { transactions } = getPendingTransactions.replyBody!.decode(body ?? Buffer.from('{}'))
    return { brokerName, transactions: transactions.map(one => ({ brokerName, ...one })) }
  })
  return {
    transactions: answers.flatMap(one => one.transactions ?? []).sort((a, b) => a.bornAtMs - b.bornAtMs),
    without: answers.filter(one => one.transactions === undefined).map(one => one.brokerName),
  }
}

/** How many of each broker are looked through for one: 2 MB of an answer. */
const maxLookedThrough = 10_000

/**
 * The undecided transaction with this unique id. Errors: NOT_FOUND; ARGUMENT where several have the id (a send that was tried again) and
 * neither the broker nor the physical offset says which.
 */
export async function undecidedTransaction(
  session: AdminSession,
  id: string,
  {
    brokerName,
    physicalOffset,
  }: { readonly brokerName?: string | undefined; readonly physicalOffset?: number | undefined } = {},
): Promise<UndecidedTransaction> {
  const { transactions, without } = await undecidedTransactions(session, maxLookedThrough)
  const found = transactions.filter(
    one =>
      one.msgId === id &&
      one.brokerName === (brokerName ?? one.brokerName) &&
      one.physicalOffset === (physicalOffset ?? one.physicalOffset),
  )
  const [transaction, ...others] = found
  if (transaction !== undefined && others.length === 0) return transaction
  if (transaction !== undefined)
    throw new AdminError(
      'ARGUMENT',
      `several undecided transactions have the id ${id}: name one by broker and physical offset (${found.map(one => `${one.brokerName} ${one.physicalOffset}`).join(', ')})`,
    )
  const isCut =
    transactions.length >= maxLookedThrough ? `; the oldest ${maxLookedThrough} of each broker were looked through` : ''
  const silent = without.length === 0 ? '' : `; ${without.join(', ')} cannot say`
  throw new AdminError(
    'NOT_FOUND',
    `no undecided transaction has the id ${id}${isCut}${silent}: it is decided, or was never begun`,
  )
}

/**
 * Decides a transaction in place of its producer, as an answer to a check would: also where CHECK_IMMUNITY_TIME_IN_SECONDS is over. Errors:
 * REFUSED where the half message is gone, or is another one's. One that was decided a moment before stays as it was decided, without an error.
 */
export async function decideTransaction(
  session: AdminSession,
  transaction: Pick<UndecidedTransaction, 'brokerName' | 'producerGroup' | 'msgId' | 'halfOffset' | 'physicalOffset'>,
  decision: 'commit' | 'rollback',
): Promise<void> {
  const { address } = await masterNamed(session, transaction.brokerName)
  const header = {
    producerGroup: transaction.producerGroup,
    tranStateTableOffset: transaction.halfOffset,
    commitLogOffset: transaction.physicalOffset,
    commitOrRollback: TransactionState[decision],
    fromTransactionCheck: true,
    msgId: transaction.msgId,
    transactionId: transaction.msgId,
  }
  await session.write(address, { spec: endTransaction, header })
}

/** A message that waits for its time. */
export interface DelayedMessage {
  /** The topic into which it comes. */
  readonly topic: string
  readonly msgId: string
  readonly keys: string
  readonly tags: string | undefined
  readonly brokerName: string
  readonly address: string
  readonly physicalOffset: number
  readonly storedAtMs: number
  /** When, ms since 1970; undefined where the broker does not tell. */
  readonly dueMs: number | undefined
  /** level: one of the delay levels. timer: a time of its own. */
  readonly by: 'level' | 'timer'
}

/** Messages that wait, nearest first. */
export interface DelayedMessages {
  readonly messages: readonly DelayedMessage[]
  /** There are others. */
  readonly more: boolean
  /** Brokers that do not list messages with a time of their own: the newest of them were looked through. */
  readonly without: readonly string[]
}

/**
 * Delayed messages of all masters, at most `limit`. Those of levels are read from where each level stands. Those with a time of their own
 * are told by Skua's brokers; of others the newest `scan` records of the timer's topic are looked through.
 */
export async function delayedMessages(
  session: AdminSession,
  { limit = 100, scan = 2000 }: { readonly limit?: number; readonly scan?: number } = {},
): Promise<DelayedMessages> {
  const masters = await mastersOf(session)
  const levels = (await each(masters, broker => ofLevels(session, broker, limit + 1))).flat()
  const timers = await ofTimers(session, masters, { limit, scan })
  const sorted = [...levels, ...timers.messages].sort((a, b) => (a.dueMs ?? 0) - (b.dueMs ?? 0))
  return {
    messages: sorted.slice(0, limit),
    more: timers.more || sorted.length > limit,
    without: timers.without,
  }
}

/** What brokers tell, and where they do not, what their topic holds. */
async function ofTimers(
  session: AdminSession,
  masters: readonly ClusterBroker[],
  { limit, scan }: { readonly limit: number; readonly scan: number },
): Promise<DelayedMessages> {
  const told = await waitingMessages(session, { limit }).catch((error: unknown) => {
    if (error instanceof AdminError && error.code === 'REFUSED') return undefined
    throw error
  })
  const without = told?.without ?? masters.map(({ address }) => address)
  const silent = masters.filter(({ address }) => without.includes(address))
  const names = new Map(masters.map(({ address, brokerName }) => [address, brokerName]))
  const messages = (told?.messages ?? []).map(({ deliverAtMs, slotMs: _, ...one }) => {
    const { topic, msgId, keys, tags, address, physicalOffset, storedAtMs } = one
    const brokerName = names.get(address) ?? address
    return {
      topic,
      msgId,
      keys,
      tags,
      brokerName,
      address,
      physicalOffset,
      storedAtMs,
      dueMs: deliverAtMs,
      by: 'timer' as const,
    }
  })
  const scanned = silent.length === 0 ? [] : await ofTimerTopic(session, silent, scan)
  return {
    messages: [...messages, ...scanned],
    more: told?.hasMore ?? false,
    without: scanned.length === 0 ? [] : without,
  }
}

const delayedOf = (message: FoundMessage, more: Pick<DelayedMessage, 'address' | 'dueMs' | 'by'>): DelayedMessage => ({
  topic: message.properties[PropertyName.realTopic] ?? '',
  ...{ msgId: message.msgId, keys: message.keys.join(' '), tags: message.tags, brokerName: message.brokerName },
  ...{ physicalOffset: message.physicalOffset, storedAtMs: message.storedAtMs },
  ...more,
})

/** scheduleMessageOffset_N of the runtime information: how far level N is, and its end. */
async function ofLevels(session: AdminSession, { brokerName, address }: ClusterBroker, limit: number) {
  const info = await brokerRuntimeInfo(session, address)
  const levels = Object.entries(info).flatMap(([key, value]) => {
    const level = /^scheduleMessageOffset_(\d+)$/.exec(key)?.[1]
    const [from = 0, end = 0] = value.split(',').map(Number)
    return level !== undefined && end > from ? [{ queueId: Number(level) - 1, from, end }] : []
  })
  const lists = await each(levels, async ({ queueId, from, end }) => {
    const queue = { topic: scheduleTopic, brokerName, queueId }
    const found: DelayedMessage[] = []
    const pace = new PullPace()
    let offset = from
    while (offset < end && found.length < limit) {
      const { messages, nextBeginOffset } = await pullAtPace(session, { address, queue, offset }, pace)
      const dues = await duesOf(session, { address, queueId, from: offset, count: messages.length })
      for (const message of messages)
        found.push(delayedOf(message, { address, dueMs: dues.get(message.queueOffset), by: 'level' }))
      if (nextBeginOffset <= offset) break
      offset = nextBeginOffset
    }
    return found
  })
  return lists.flat()
}

/** The tags code of a delayed unit is its time. */
async function duesOf(
  session: AdminSession,
  { address, queueId, from, count }: { address: string; queueId: number; from: number; count: number },
): Promise<Map<number, number>> {
  if (count === 0) return new Map()
  try {
    const at = { topic: scheduleTopic, queueId, index: from, count, brokerAddr: address }
    const { units } = await queueUnits(session, at)
    return new Map(units.map(({ queueOffset, tagsCode }) => [queueOffset, Number(tagsCode)]))
  } catch (error) {
    if (error instanceof AdminError) return new Map()
    throw error
  }
}

/** A message that is rolled in the wheel lies there several times, and one that was taken back says so behind it. */
async function ofTimerTopic(
  session: AdminSession,
  brokers: readonly ClusterBroker[],
  scan: number,
): Promise<DelayedMessage[]> {
  if ((await findTopicRoute(session, wheelTimerTopic)) === undefined) return []
  const now = session.runtime.clock.now()
  const found = new Map<string, DelayedMessage>()
  for (const { brokerName, queueId, minOffset, maxOffset } of await topicStats(session, wheelTimerTopic)) {
    const address = brokers.find(one => one.brokerName === brokerName)?.address
    if (address === undefined) continue
    const queue = { topic: wheelTimerTopic, brokerName, queueId }
    const pace = new PullPace()
    let offset = Math.max(minOffset, maxOffset - scan)
    while (offset < maxOffset) {
      const { messages, nextBeginOffset } = await pullAtPace(session, { address, queue, offset }, pace)
      for (const message of messages) {
        const recalled = message.properties[PropertyName.timerDelUniqueKey]
        const dueMs = Number(message.properties[PropertyName.timerOutMs])
        const one = delayedOf(message, { address, dueMs, by: 'timer' })
        if (recalled !== undefined) found.delete(recalled)
        else if (dueMs > now) found.set(`${one.topic}+${one.msgId}`, one)
      }
      if (nextBeginOffset <= offset) break
      offset = nextBeginOffset
    }
  }
  return [...found.values()]
}

/** Takes back a message whose time of its own has not come, at brokers that know no better (5.x). Errors: REFUSED by those that cannot. */
export async function recallDelayed(
  session: AdminSession,
  {
    topic,
    brokerName,
    msgId,
    dueMs,
  }: { readonly topic: string; readonly brokerName: string; readonly msgId: string; readonly dueMs: number },
): Promise<void> {
  const { address } = await masterNamed(session, brokerName)
  const recallHandle = printRecallHandle({ topic, brokerName, deliverMs: dueMs, uniqueKey: msgId })
  const header = { producerGroup: 'TOOLS_PRODUCER', topic, recallHandle, bname: brokerName }
  await session.write(address, { spec: recallMessage, header })
}

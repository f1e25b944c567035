import {
  deadLetterPrefix,
  halfTopic,
  PropertyName,
  retryPrefix,
  scheduleTopic,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { masterNamed } from '../cluster.ts'
import { findConsumers } from '../consumer/connection.ts'
import { groupProgress, ownerKey, queueOwners } from '../consumer/progress.ts'
import { AdminError } from '../error.ts'
import { copiesIn, messageCopies } from '../message/copies.ts'
import type { FoundMessage } from '../message/message.ts'
import { messageTrace } from '../message/trace.ts'
import { offsetHistory } from '../offset-history.ts'
import type { AdminSession } from '../session.ts'
import { timeText } from '../time-text.ts'
import { queueUnits } from '../topic/stats.ts'
import type { Fate } from './fate.ts'
import { isCopyOf } from './verdict.ts'

/** Asks for all that decides. Undefined for a message that is in no log. */
export async function gather(
  session: AdminSession,
  { id, group, topic }: { readonly id: string; readonly group: string; readonly topic: string | undefined },
): Promise<Fate | undefined> {
  const all = await copiesFor(session, { id, group, topic })
  const copies = all.filter(one => isCopyOf(group, one))
  const message = all.find(isOriginal) ?? all.find(isOnItsWay) ?? copies[0]
  if (message === undefined) return undefined
  const copy = copies.sort((a, b) => a.storedAtMs - b.storedAtMs).at(-1)
  const lies = copy ?? message
  const [online, progress] = await Promise.all([findConsumers(session, group), groupProgress(session, group)])
  const stands = progress.queues.find(queue => ownerKey(queue) === ownerKey(lies))
  return {
    group,
    id,
    nowMs: session.runtime.clock.now(),
    message,
    copy,
    dueMs: await dueOf(session, lies),
    online,
    topics: [...new Set(progress.queues.map(queue => queue.topic))],
    stands,
    owner: online === undefined || lies.topic === scheduleTopic ? undefined : await ownerOf(session, group, lies),
    trace: await traceOf(session, group, message),
    skipped: await skippedBy(session, group, lies),
  }
}

/** The message, and what the group may have made of it. */
async function copiesFor(
  session: AdminSession,
  { id, group, topic }: { readonly id: string; readonly group: string; readonly topic: string | undefined },
): Promise<FoundMessage[]> {
  const found = await messageCopies(session, id, topic)
  const [first] = found
  if (first === undefined) return []
  const others = await copiesIn(session, first.msgId, [
    ...(isOriginal(first) ? [] : [first.properties[PropertyName.retryTopic] ?? first.topic]),
    `${retryPrefix}${group}`,
    `${deadLetterPrefix}${group}`,
    scheduleTopic,
  ])
  const places = new Map([...found, ...others].map(one => [`${one.brokerName} ${one.physicalOffset}`, one]))
  return [...places.values()]
}

const isOriginal = ({ topic }: FoundMessage): boolean =>
  !topic.startsWith('%') && topic !== scheduleTopic && topic !== wheelTimerTopic && topic !== halfTopic

/** Delayed or undecided; a copy for the retries of some group is neither. */
const isOnItsWay = ({ topic, properties }: FoundMessage): boolean =>
  !topic.startsWith('%') && !(properties[PropertyName.realTopic] ?? '').startsWith('%')

/** The tags code of a delayed unit is its time. */
async function dueOf(session: AdminSession, message: FoundMessage): Promise<number | undefined> {
  const { topic, brokerName, queueId, queueOffset, properties } = message
  if (topic === wheelTimerTopic) return Number(properties[PropertyName.timerOutMs]) || undefined
  if (topic !== scheduleTopic) return undefined
  return unlessRefused(async () => {
    const { address } = await masterNamed(session, brokerName)
    const at = { topic, queueId, index: queueOffset, count: 1, brokerAddr: address }
    const [unit] = (await queueUnits(session, at)).units
    return unit === undefined ? undefined : Number(unit.tagsCode)
  })
}

const ownerOf = (session: AdminSession, group: string, lies: FoundMessage): Promise<string | undefined> =>
  unlessRefused(async () => (await queueOwners(session, group)).get(ownerKey(lies)) ?? '')

const traceOf = (session: AdminSession, group: string, { msgId }: FoundMessage): Promise<Fate['trace']> =>
  unlessRefused(async () => {
    const steps = await messageTrace(session, { msgId })
    const step = steps.filter(({ type, group: by }) => type === 'Sub' && by === group).at(-1)
    return step === undefined ? undefined : { ...step, isDone: step.status === 'success' }
  })

/** The last move over the message, where none went back before it since. */
const skippedBy = (session: AdminSession, group: string, { topic, brokerName, queueId, queueOffset }: FoundMessage) =>
  unlessRefused(async () => {
    const { address } = await masterNamed(session, brokerName)
    const { moves } = await offsetHistory(session, { group, topic })
    const own = moves.filter(move => move.address === address && move.queueId === queueId)
    const last = own.filter(({ from = 0, to = 0 }) => crosses(queueOffset, from, to)).at(-1)
    if (last === undefined || (last.to ?? 0) <= queueOffset) return undefined
    return `${group} was moved from ${last.from ?? 'nowhere'} to ${last.to} at ${timeText(last.atMs)}, past it (${last.who})`
  })

/** Whether a move goes over a message, or back before it. */
const crosses = (offset: number, from: number, to: number): boolean =>
  (from <= offset && offset < to) || (to <= offset && offset < from)

/** Brokers and members that do not tell leave it open. */
async function unlessRefused<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof AdminError) return undefined
    throw error
  }
}

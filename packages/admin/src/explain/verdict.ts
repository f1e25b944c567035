import {
  deadLetterPrefix,
  halfTopic,
  PropertyName,
  retryPrefix,
  scheduleTopic,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import type { FoundMessage } from '../message/message.ts'
import { timeText } from '../time-text.ts'
import { type Fate, placeText } from './fate.ts'
import { keptBackBy } from './filter.ts'

/** What became of a message in a group. */
export type FateState =
  | 'CONSUMED'
  /** The group is past it: nobody can tell which of both. */
  | 'CONSUMED_OR_SKIPPED'
  | 'SKIPPED'
  | 'FILTERED'
  | 'NOT_REACHED'
  | 'NO_OWNER'
  | 'NO_MEMBER'
  | 'WAITS_FOR_RETRY'
  | 'DEAD_LETTER'
  | 'NOT_SUBSCRIBED'
  | 'BROADCASTING'
  | 'DELAYED'
  | 'UNDECIDED'
  | 'EXPIRED'

/** The answer: a state for programs, a sentence for people. */
export interface Verdict {
  readonly state: FateState
  readonly sentence: string
}

const verdict = (state: FateState, sentence: string): Verdict => ({ state, sentence })

/** Why a group has consumed a message, or has not. */
export function verdictOf(fate: Fate): Verdict {
  return ofTheWayIn(fate) ?? ofTheCopy(fate) ?? ofTheGroup(fate) ?? ofTheQueue(fate)
}

/** What no consumer can see yet. */
function ofTheWayIn({ message, copy, dueMs }: Fate): Verdict | undefined {
  if (copy !== undefined) return undefined
  const real = message.properties[PropertyName.realTopic] ?? 'its topic'
  if (message.topic === scheduleTopic || message.topic === wheelTimerTopic)
    return verdict('DELAYED', `it is delayed and comes into ${real} at ${dueText(dueMs)}: no group has seen it`)
  if (message.topic === halfTopic)
    return verdict(
      'UNDECIDED',
      `it is the half message of a transaction for ${real} that is undecided or was rolled back: no group has seen it; skua tx list shows the undecided ones`,
    )
  return undefined
}

const dueText = (dueMs: number | undefined): string =>
  dueMs === undefined ? 'a time that the broker does not tell' : timeText(dueMs)

/** What the group made of it after a try that failed. */
function ofTheCopy(fate: Fate): Verdict | undefined {
  const { group, copy, dueMs } = fate
  if (copy === undefined) return undefined
  const tries = copy.reconsumeTimes
  if (copy.topic === `${deadLetterPrefix}${group}`)
    return verdict(
      'DEAD_LETTER',
      `${group} gave it up after ${times(tries)}: it is a dead letter since ${timeText(copy.storedAtMs)}; skua dlq resend ${group} ${copy.msgId} gives it another chance`,
    )
  if (copy.topic === scheduleTopic)
    return verdict('WAITS_FOR_RETRY', `${group} failed at it: it waits for retry ${tries}, due at ${dueText(dueMs)}`)
  return undefined
}

const times = (count: number): string => `${count} ${count === 1 ? 'try' : 'tries'}`

function ofTheGroup({ group, message, copy, online, topics }: Fate): Verdict | undefined {
  if (copy !== undefined) return undefined
  if (online === undefined) {
    if (topics.includes(message.topic)) return undefined
    return verdict(
      'NOT_SUBSCRIBED',
      `${group} never committed anything in ${message.topic}, and no member is online to say what it subscribes to: start one that subscribes to ${message.topic}`,
    )
  }
  const subscribed = online.subscriptions.map(({ topic }) => topic)
  if (!subscribed.includes(message.topic) && !isPull(online)) {
    const own = subscribed.filter(topic => !topic.startsWith('%'))
    const instead = own.length === 0 ? 'subscribe to nothing' : `subscribe to ${own.join(', ')}`
    return verdict('NOT_SUBSCRIBED', `the members of ${group} do not subscribe to ${message.topic}: they ${instead}`)
  }
  if (online.messageModel !== 'BROADCASTING') return undefined
  return verdict('BROADCASTING', `${group} is broadcasting: each member keeps its own place, which no broker knows`)
}

const isPull = ({ consumeType }: { readonly consumeType: string }): boolean => consumeType === 'CONSUME_ACTIVELY'

/** Where the group stands in the queue in which the message, or its retry, lies. */
function ofTheQueue(fate: Fate): Verdict {
  const { message, copy, stands, online } = fate
  const lies = copy ?? message
  const wanted = copy === undefined ? online?.subscriptions.find(({ topic }) => topic === message.topic) : undefined
  const filter = wanted === undefined ? undefined : keptBackBy(wanted, message)
  if (stands === undefined || stands.consumerOffset <= lies.queueOffset) return ahead(fate, lies, filter)
  if (filter !== undefined) return verdict('FILTERED', `${fate.group} is past it and left it out: ${filter}`)
  return past(fate, lies)
}

function past({ group, copy, stands, trace, skipped, online }: Fate, lies: FoundMessage): Verdict {
  const at = `${group} goes on at ${stands?.consumerOffset} in ${placeText(lies)}, behind its offset ${lies.queueOffset}`
  if (trace?.isDone)
    return verdict('CONSUMED', `${group} consumed it at ${timeText(trace.atMs)} on ${trace.clientHost}, says its trace`)
  if (copy !== undefined)
    return verdict('CONSUMED', `${group} consumed it at retry ${copy.reconsumeTimes}: it was not given back since`)
  if (skipped !== undefined) return verdict('SKIPPED', `${skipped}: ${at}`)
  const doubt =
    online === undefined
      ? 'it was consumed, or left out by a filter or skipped'
      : 'it was consumed, or skipped where the group began later or was reset'
  return verdict('CONSUMED_OR_SKIPPED', `${doubt}: ${at}`)
}

function ahead(fate: Fate, lies: FoundMessage, filter: string | undefined): Verdict {
  const { group, stands, online, owner, copy } = fate
  const what = copy === undefined ? 'it' : `its retry ${copy.reconsumeTimes}`
  const wait = waitText(fate, lies)
  if (online === undefined)
    return verdict('NO_MEMBER', `${group} has not consumed ${what}: no member is online; ${wait}: start a consumer`)
  if (owner === '')
    return verdict(
      'NO_OWNER',
      `${group} has not consumed ${what}: none of its ${online.clients.length} members has ${placeText(lies)}; ${wait}: skua lag ${group} shows who has what, and a restart of the members shares the queues out again`,
    )
  const who = owner === undefined ? '' : `, which ${owner} has`
  const note = filter === undefined ? '' : `; it will be left out: ${filter}`
  const where = stands === undefined ? 'nothing is committed there yet' : wait
  return verdict('NOT_REACHED', `${group} has not reached ${what} in ${placeText(lies)}${who}: ${where}${note}`)
}

function waitText({ stands }: Fate, lies: FoundMessage): string {
  if (stands === undefined) return `nothing is committed in ${placeText(lies)}`
  const before = lies.queueOffset - stands.consumerOffset
  const first =
    before === 0 ? 'it is the next one' : `${before} ${before === 1 ? 'message is' : 'messages are'} before it`
  return `${first} of ${stands.diff} that wait there`
}

/** Of a message that no log holds any more. */
export const expired = (sentence: string): Verdict => verdict('EXPIRED', sentence)

/** Whether a message is one that the group made of another. */
export const isCopyOf = (group: string, { topic, properties }: FoundMessage): boolean =>
  topic === `${retryPrefix}${group}` ||
  topic === `${deadLetterPrefix}${group}` ||
  (topic === scheduleTopic && properties[PropertyName.realTopic] === `${retryPrefix}${group}`)

import { AdminError, type AdminSession, type FoundMessage, messageAt, readQueue } from '@skua-mq/admin'
import type { OpenPop } from '@skua-mq/broker'
import { isSystemTopic, PropertyName, retryPrefix, scheduleTopic, wheelTimerTopic } from '@skua-mq/protocol'
import { TestMessage } from './messages.ts'

/** A message that waits for its time. */
export interface ScheduledMessage {
  readonly message: TestMessage
  /** Where it goes then. */
  readonly topic: string
  readonly dueAtMs: number
  /** A level of messageDelayLevel, a time of its own, or the end of the time for which a group that pops has it. */
  readonly by: 'level' | 'time' | 'pop'
  /** A message that a consumer gave back, or popped and has not acknowledged. */
  readonly isRetry: boolean
  /** Who tries it again, where `isRetry`. */
  readonly group: string | undefined
}

export interface ScheduledParts {
  readonly session: AdminSession
  readonly brokerName: string
  readonly messageDelayLevel: string
  /** What groups have popped and not acknowledged. */
  readonly openPops: readonly OpenPop[]
  /** Whether a handler of the group works at it just now. */
  readonly isRunning: (group: string, msgId: string) => boolean
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const levelsOf = (text: string): number[] =>
  text.split(/\s+/).map(level => Number(level.slice(0, -1)) * units[level.at(-1) as string]!)

/** Messages that are not delivered yet, the next one first. */
export async function scheduledMessages(parts: ScheduledParts): Promise<ScheduledMessage[]> {
  const nowMs = parts.session.runtime.clock.now()
  const found = [...(await ofLevels(parts)), ...(await ofTimes(parts)), ...(await ofPops(parts))]
  const waiting = found.filter(({ dueAtMs }) => dueAtMs > nowMs)
  return waiting.sort((a, b) => a.dueAtMs - b.dueAtMs)
}

async function ofLevels({ session, brokerName, messageDelayLevel }: ScheduledParts): Promise<ScheduledMessage[]> {
  const found: ScheduledMessage[] = []
  for (const [queueId, delayMs] of levelsOf(messageDelayLevel).entries())
    for (const message of await allOf(session, { topic: scheduleTopic, brokerName, queueId }))
      found.push(scheduled(message, { dueAtMs: message.storedAtMs + delayMs, by: 'level' }))
  return found
}

async function ofTimes({ session, brokerName }: ScheduledParts): Promise<ScheduledMessage[]> {
  const all = await allOf(session, { topic: wheelTimerTopic, brokerName, queueId: 0 })
  const recalled = new Set(all.flatMap(message => recallOf(message) ?? []))
  const found = new Map<string, ScheduledMessage>()
  for (const message of all) {
    const dueAtMs = timeOf(message)
    if (dueAtMs === undefined || recallOf(message) !== undefined || recalled.has(slotKeyOf(message))) continue
    const one = scheduled(message, { dueAtMs, by: 'time' })
    // One that waits for weeks is stored anew from time to time.
    found.set(`${message.msgId} ${one.topic}`, one)
  }
  return [...found.values()]
}

async function ofPops({ session, brokerName, openPops, isRunning }: ScheduledParts): Promise<ScheduledMessage[]> {
  const found: ScheduledMessage[] = []
  for (const { group, topic, queueId, queueOffset, visibleAtMs: dueAtMs, retryTopic } of openPops) {
    const message = await messageAt(session, { topic, brokerName, queueId }, queueOffset).catch(ignoreMissing)
    if (message === undefined || isRunning(group, message.msgId)) continue
    found.push({
      ...{ message: new TestMessage(message), topic: retryTopic, dueAtMs, by: 'pop', isRetry: true, group },
    })
  }
  return found
}

function scheduled(
  message: FoundMessage,
  { dueAtMs, by }: { dueAtMs: number; by: 'level' | 'time' },
): ScheduledMessage {
  const topic = message.properties[PropertyName.realTopic] ?? message.topic
  const isRetry = message.properties[PropertyName.retryTopic] !== undefined
  const group = isRetry && topic.startsWith(retryPrefix) ? topic.slice(retryPrefix.length) : undefined
  return { message: new TestMessage(message), topic, dueAtMs, by, isRetry, group }
}

/** The topic is made when the first message needs it. */
async function allOf(session: AdminSession, queue: Parameters<typeof readQueue>[1]): Promise<FoundMessage[]> {
  const found: FoundMessage[] = []
  try {
    for await (const message of readQueue(session, queue)) found.push(message)
  } catch (error) {
    ignoreMissing(error)
  }
  return found
}

const ignoreMissing = (error: unknown): undefined => {
  if (!(error instanceof AdminError)) throw error
}

/** Which message a record takes back, which is none itself: it lies in the same slot. */
function recallOf({ properties }: FoundMessage): string | undefined {
  const key = properties[PropertyName.timerDelUniqueKey]
  return key === undefined ? undefined : `${properties[PropertyName.timerOutMs]} ${key}`
}

const slotKeyOf = ({ properties }: FoundMessage): string =>
  `${properties[PropertyName.timerOutMs]} ${properties[PropertyName.realTopic]}+${properties[PropertyName.uniqueKey]}`

function timeOf({ properties, storedAtMs }: FoundMessage): number | undefined {
  const out = properties[PropertyName.timerOutMs]
  // Check points of pops lie in the same topic, and are no messages of anybody.
  if (out === undefined || isSystemTopic(properties[PropertyName.realTopic] ?? '')) return undefined
  const at = properties[PropertyName.timerDeliverMs]
  const delayMs = properties[PropertyName.timerDelayMs]
  if (at !== undefined) return Number(at)
  // Of one that was stored anew meanwhile only the second is known.
  const isFirst = properties[PropertyName.timerRollTimes] === undefined
  return delayMs !== undefined && isFirst ? storedAtMs + Number(delayMs) : Number(out)
}

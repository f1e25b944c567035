import { AdminError, type AdminSession, type FoundMessage, readQueue } from '@skua-mq/admin'
import { isSystemTopic, PropertyName, scheduleTopic, wheelTimerTopic } from '@skua-mq/protocol'
import { TestMessage } from './messages.ts'

/** A message that waits for its time. */
export interface ScheduledMessage {
  readonly message: TestMessage
  /** Where it goes then. */
  readonly topic: string
  readonly dueAtMs: number
  /** A level of messageDelayLevel, or a time of its own. */
  readonly by: 'level' | 'time'
  /** A message that a consumer gave back. */
  readonly isRetry: boolean
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const levelsOf = (text: string): number[] =>
  text.split(/\s+/).map(level => Number(level.slice(0, -1)) * units[level.at(-1) as string]!)

/** Messages that are not delivered yet, the next one first. */
export async function scheduledMessages(
  session: AdminSession,
  { brokerName, messageDelayLevel }: { brokerName: string; messageDelayLevel: string },
): Promise<ScheduledMessage[]> {
  const nowMs = session.runtime.clock.now()
  const found: ScheduledMessage[] = []
  const look = async (topic: string, queueId: number, each: (message: FoundMessage) => number | undefined) => {
    for await (const message of readQueue(session, { topic, brokerName, queueId })) {
      const dueAtMs = each(message)
      if (dueAtMs === undefined || dueAtMs <= nowMs) continue
      const real = message.properties[PropertyName.realTopic] ?? message.topic
      const isRetry = message.properties[PropertyName.retryTopic] !== undefined
      const by = topic === scheduleTopic ? 'level' : 'time'
      found.push({ message: new TestMessage(message), topic: real, dueAtMs, by, isRetry })
    }
  }
  for (const [at, delayMs] of levelsOf(messageDelayLevel).entries())
    await look(scheduleTopic, at, ({ storedAtMs }) => storedAtMs + delayMs).catch(ignoreMissing)
  await look(wheelTimerTopic, 0, timeOf).catch(ignoreMissing)
  // One that waits for weeks is stored anew from time to time.
  const latest = new Map(found.map(one => [`${one.by} ${one.message.msgId} ${one.topic}`, one]))
  return [...latest.values()].sort((a, b) => a.dueAtMs - b.dueAtMs)
}

/** The topic is made when the first message needs it. */
const ignoreMissing = (error: unknown): void => {
  if (!(error instanceof AdminError)) throw error
}

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

import { nearest } from '@skua-mq/runtime'
import type { Where } from '../cluster.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { putTopic } from './config.ts'

/** Which messages clients of RocketMQ 5 may send to a topic. */
export const topicTypes = ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'] as const
export type TopicType = (typeof topicTypes)[number]

/** A topic as applications declare it. */
export interface TopicPlan {
  readonly name: string
  /** Default 4. */
  readonly queues?: number | undefined
  /** Default: none is said; clients of RocketMQ 5 take it for NORMAL. */
  readonly type?: TopicType | undefined
}

const members = ['name', 'queues', 'type']
const mostQueues = 1024

/** The plan that a value is: a name alone, or an object. Errors: ARGUMENT, which names the place. */
export function topicPlan(value: unknown, place: string): TopicPlan {
  const wrong = (problem: string) => new AdminError('ARGUMENT', `${place}: ${problem}`)
  if (typeof value === 'string') return topicPlan({ name: value }, place)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(`a topic is a name or { name, queues, type }, and not ${JSON.stringify(value)}`)
  for (const key of Object.keys(value)) {
    if (members.includes(key)) continue
    const near = nearest(key, members)
    throw wrong(`a topic has no "${key}"${near === undefined ? `: ${members.join(', ')}` : `; did you mean ${near}?`}`)
  }
  const { name, queues, type } = value as Record<string, unknown>
  if (typeof name !== 'string' || !/^[%|\w-]{1,127}$/.test(name))
    throw wrong(`name is ${JSON.stringify(name) ?? 'missing'}: 1 to 127 of letters, digits, _ - % and | are wanted`)
  if (
    queues !== undefined &&
    !(Number.isInteger(queues) && (queues as number) >= 1 && (queues as number) <= mostQueues)
  )
    throw wrong(`queues of ${name} is ${JSON.stringify(queues)}: a number from 1 to ${mostQueues} is wanted`)
  if (type !== undefined && !topicTypes.includes(type as TopicType))
    throw wrong(`type of ${name} is ${JSON.stringify(type)}: one of ${topicTypes.join(', ')} is wanted`)
  return { name, queues: queues as number | undefined, type: type as TopicType | undefined }
}

/** The plans of a list, in which no topic is twice. Errors: ARGUMENT, which names the place. */
export function topicPlans(value: unknown, place: string): TopicPlan[] {
  if (!Array.isArray(value))
    throw new AdminError('ARGUMENT', `${place}: a list of topics is wanted, and not ${JSON.stringify(value)}`)
  const plans = value.map((one, at) => topicPlan(one, `${place}, topic ${at + 1}`))
  const names = plans.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw new AdminError('ARGUMENT', `${place}: topic ${twice} is there twice`)
  return plans
}

/** Creates the topics, or changes those that are there, at each master. */
export async function declareTopics(session: AdminSession, where: Where, plans: readonly TopicPlan[]): Promise<void> {
  const puts = plans.map(({ name: topic, queues = 4, type }) =>
    putTopic(session, where, {
      topic,
      readQueueNums: queues,
      writeQueueNums: queues,
      attributes: type && `+message.type=${type}`,
    }),
  )
  await Promise.all(puts)
}

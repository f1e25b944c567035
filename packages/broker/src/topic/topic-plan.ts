import { Perm } from '@skua-mq/protocol'
import { Failure, nearest } from '@skua-mq/runtime'
import { changedAttributes } from './attributes.ts'
import { illegalTopicName } from './names.ts'
import type { TopicTable } from './topic-table.ts'

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
const plannedQueues = 4
export const maxPlannedQueues = 1024

/** The plans of a list, in which no topic is twice: names, or objects. Errors: Failure ECONFIG, which names the place. */
export function topicPlans(value: unknown, place: string): TopicPlan[] {
  if (!Array.isArray(value)) throw wrong(place, `a list of topics is wanted, and not ${shown(value)}`)
  const plans = value.map((one, at) => topicPlan(one, `${place}, topic ${at + 1}`))
  const names = plans.map(({ name }) => name)
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) throw wrong(place, `topic ${twice} is there twice`)
  return plans
}

function topicPlan(value: unknown, place: string): TopicPlan {
  if (typeof value === 'string') return topicPlan({ name: value }, place)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(place, `a topic is a name or { name, queues, type }, and not ${shown(value)}`)
  for (const key of Object.keys(value)) {
    if (members.includes(key)) continue
    const near = nearest(key, members)
    throw wrong(
      place,
      `a topic has no "${key}"${near === undefined ? `: ${members.join(', ')}` : `; did you mean ${near}?`}`,
    )
  }
  const { name, queues, type } = value as Record<string, unknown>
  if (typeof name !== 'string') throw wrong(place, `name is ${shown(name)}: a text is wanted`)
  const illegal = illegalTopicName(name)
  if (illegal !== undefined) throw wrong(place, illegal)
  if (
    queues !== undefined &&
    !(Number.isInteger(queues) && (queues as number) >= 1 && (queues as number) <= maxPlannedQueues)
  )
    throw wrong(place, `queues of ${name} is ${shown(queues)}: a number from 1 to ${maxPlannedQueues} is wanted`)
  if (type !== undefined && !topicTypes.includes(type as TopicType))
    throw wrong(place, `type of ${name} is ${shown(type)}: one of ${topicTypes.join(', ')} is wanted`)
  return { name, queues: queues as number | undefined, type: type as TopicType | undefined }
}

const wrong = (place: string, problem: string) => new Failure('ECONFIG', `${place}: ${problem}`)
const shown = (value: unknown): string => JSON.stringify(value) ?? 'missing'

/** Makes the topics; those that are there get the queues and the type that are said, and keep the rest. On disk when it resolves. */
export async function declareTopics(topics: TopicTable, plans: readonly TopicPlan[]): Promise<void> {
  const own = plans.find(({ name }) => topics.isSystem(name))
  if (own !== undefined) throw wrong('topics', `the topic ${own.name} belongs to the broker`)
  await Promise.all(plans.map(plan => declare(topics, plan)))
}

async function declare(topics: TopicTable, { name, queues, type }: TopicPlan): Promise<void> {
  const known = topics.find(name)
  const attributes = changedAttributes(known?.attributes, type === undefined ? '' : `+message.type=${type}`)
  if (typeof attributes === 'string') throw wrong('topics', attributes)
  await topics.put(
    {
      ...(known ?? { perm: Perm.read | Perm.write, topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false }),
      topicName: name,
      readQueueNums: queues ?? known?.readQueueNums ?? plannedQueues,
      writeQueueNums: queues ?? known?.writeQueueNums ?? plannedQueues,
      ...(attributes.size === 0 ? {} : { attributes }),
    },
    'declared at the start',
  )
}

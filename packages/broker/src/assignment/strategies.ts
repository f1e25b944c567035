import type { MessageQueue } from '@skua-mq/protocol'

/** Shares out queues: all members reckon with the same sorted lists, and each gets its part. */
export type Strategy = (clientId: string, queues: readonly MessageQueue[], members: readonly string[]) => MessageQueue[]

/** A row of queues for each, the first members one more where it does not come out even. */
const averagely: Strategy = (clientId, queues, members) => {
  const index = members.indexOf(clientId)
  if (index < 0) return []
  const rest = queues.length % members.length
  const each = Math.floor(queues.length / members.length)
  const start = index * each + Math.min(index, rest)
  return queues.slice(start, start + each + (index < rest ? 1 : 0))
}

/** Every nth queue. */
const byCircle: Strategy = (clientId, queues, members) => {
  const index = members.indexOf(clientId)
  return index < 0 ? [] : queues.filter((_, at) => at % members.length === index)
}

/** By the names that clients give them. */
export const strategies: ReadonlyMap<string, Strategy> = new Map([
  ['AVG', averagely],
  ['AVG_BY_CIRCLE', byCircle],
])

/** Sharing of queues among those who pop them. */
export interface PopShare {
  readonly clientId: string
  readonly queues: readonly MessageQueue[]
  readonly members: readonly string[]
  /** Queues of so many members behind it a member pops, too; 0 and less, or nearly all: everybody pops everything. */
  readonly shareQueueNum: number
  readonly strategy: Strategy
}

/** Where all pop all, a broker stands once, with the queue -1. */
export function sharePops({ clientId, queues, members, shareQueueNum, strategy }: PopShare): MessageQueue[] {
  if (shareQueueNum <= 0 || shareQueueNum >= members.length - 1) {
    const brokers = new Map(queues.map(({ topic, brokerName }) => [brokerName, { topic, brokerName, queueId: -1 }]))
    return [...brokers.values()]
  }
  const index = members.indexOf(clientId)
  if (index < 0 || queues.length === 0) return []
  if (members.length > queues.length) return [queues[index % queues.length]!]
  const shared = new Set<MessageQueue>()
  for (let step = 0; step <= shareQueueNum; step++)
    for (const queue of strategy(members[(index + step) % members.length]!, queues, members)) shared.add(queue)
  return [...shared]
}

import {
  type FoundMessage,
  heldSize,
  type NamedQueue,
  type PullMessages,
  PullPace,
  pullAtPace,
  queueRange,
  type ReadRange,
} from '@skua-mq/admin'
import type { Cluster } from './cluster.ts'

/** What is asked of a queue, and how many at a time. */
export interface Pull extends Omit<PullMessages, 'count'> {
  /** Learns how large the messages of the queue are. */
  readonly pace: PullPace
  /** At most so many, however small they are. Default 32. */
  readonly most?: number | undefined
}

/** What was made of the messages of one answer. */
export interface Taken<T> {
  readonly items: readonly T[]
  /** How many it looked at. */
  readonly messages: number
  /** Bytes of the messages; their bodies are not held any more. */
  readonly bytes: number
  readonly unreadable: number
  /** Where to go on; the same offset at the end of the queue. */
  readonly nextBeginOffset: number
}

/**
 * One question to a broker. `take` makes of each message what is kept of it, undefined is nothing: bodies, which may have megabytes, are
 * held only so long, and of all who ask together within the dashboard's budget.
 */
export async function pullEach<T>(
  cluster: Cluster,
  { pace, most, ...at }: Pull,
  take: (message: FoundMessage) => T | undefined,
): Promise<Taken<T>> {
  const bytes = Math.min(most ?? pace.count, pace.count) * pace.messageBytes
  return cluster.reading.use(bytes, async () => {
    const { messages, unreadable, nextBeginOffset } = await pullAtPace(cluster.session, { ...at, most }, pace)
    const items = messages.map(take).filter(item => item !== undefined)
    const read = messages.reduce((sum, one) => sum + heldSize(one), 0)
    return { items, messages: messages.length, bytes: read, unreadable, nextBeginOffset }
  })
}

/** A queue, and what of it is read. */
export interface Pieces {
  readonly queue: NamedQueue
  readonly range: Pick<ReadRange, 'beginMs' | 'endMs'>
  readonly signal: AbortSignal
}

/** A range of a queue in its order, answer by answer, until the signal is aborted; what comes meanwhile is left out. */
export async function* queuePieces<T>(
  cluster: Cluster,
  { queue, range, signal }: Pieces,
  take: (message: FoundMessage) => T | undefined,
): AsyncGenerator<Taken<T>, void, void> {
  const { address, from, end } = await queueRange(cluster.session, queue, range)
  const pace = new PullPace()
  let offset = from
  while (offset < end && !signal.aborted) {
    let beyond = 0
    const pulled = await pullEach(cluster, { address, queue, offset, pace, most: end - offset }, message => {
      if (message.queueOffset < end) return take(message)
      beyond++
      return undefined
    })
    if (signal.aborted) return
    yield { ...pulled, messages: pulled.messages - beyond }
    if (pulled.nextBeginOffset <= offset) return
    offset = pulled.nextBeginOffset
  }
}

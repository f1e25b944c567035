import type { MessageQueue } from '@skua-mq/protocol'
import { unwrapName } from '../name/namespace.ts'
import type { Offsets } from './offset-store/offsets.ts'
import type { QueueOffsets } from './queue-ends.ts'

/** How far a consumer is behind in one of its queues. */
export interface QueueLag {
  readonly queue: MessageQueue
  /** Where it stands: all before is done. Undefined where that is not known yet. */
  readonly offset: number | undefined
  /** The offset that the next message will get. */
  readonly maxOffset: number
  /** Messages between; of a queue without an offset, 0. */
  readonly lag: number
}

/** How far a consumer is behind in the queues that it owns; other members have others. */
export interface ConsumerLag {
  readonly total: number
  readonly queues: readonly QueueLag[]
}

/** Asks the brokers for the ends. Errors: ClientErrors of the first that does not answer. */
export async function lagOf(
  queues: Iterable<MessageQueue>,
  { offsets, ends, namespace }: { offsets: Offsets; ends: QueueOffsets; namespace: string },
): Promise<ConsumerLag> {
  const found = await Promise.all(
    [...queues].map(async queue => {
      const [offset, maxOffset] = await Promise.all([offsets.read(queue), ends.maxOffset(queue)])
      const lag = offset === undefined ? 0 : Math.max(0, maxOffset - offset)
      return { queue: { ...queue, topic: unwrapName(namespace, queue.topic) }, offset, maxOffset, lag }
    }),
  )
  return { total: found.reduce((sum, { lag }) => sum + lag, 0), queues: found }
}

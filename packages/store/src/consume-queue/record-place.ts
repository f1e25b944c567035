import type { RecordView } from '../record/record-view.ts'
import type { ConsumeQueue } from './consume-queue.ts'
import type { QueueTable } from './queue-table.ts'

/** A queue offset further ahead than this is taken for damage, not for messages that were deleted. */
const maxGapUnits = 10_000_000

/**
 * The queue in which a record of the log is the next one; undefined where it has no place, or has it already, and 'gap'
 * where messages before it are missing. `fillsGaps`: they are gone from this log, which begins at `begin`, and their places
 * are filled.
 */
export function queueAwaiting(
  queues: QueueTable,
  view: RecordView,
  { topic, fillsGaps, begin }: { topic: string; fillsGaps: boolean; begin: number },
): ConsumeQueue | 'gap' | undefined {
  if (!view.hasQueueEntry) return undefined
  const queue = queues.findOrCreate(topic, view.queueId)
  if (view.physicalOffset + view.size <= queue.maxPhysicalOffset) return undefined
  // What is before the log may be of another life of the topic, of which the log says nothing.
  if (fillsGaps && queue.maxPhysicalOffset <= begin && view.queueOffset < queue.maxOffset) queues.restart(queue)
  if (view.queueOffset > queue.maxOffset) {
    if (!fillsGaps) return 'gap'
    if (queue.maxOffset === 0 || view.queueOffset - queue.maxOffset <= maxGapUnits) queue.fillTo(view.queueOffset)
  }
  // A topic that was deleted and made again begins at 0 again.
  if (view.queueOffset === 0 && queue.maxOffset > 0) queues.restart(queue)
  return view.queueOffset === queue.maxOffset ? queue : undefined
}

import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import type { ExtWindow } from '../consume-queue/queue-ext.ts'
import { unitPhysicalOffset, unitTagsHash } from '../consume-queue/unit.ts'
import type { MessageFilter } from '../get.ts'

/** What an entry alone tells. One whose extended unit is lost passes: the record and the consumer decide. */
export function passesUnit(
  queue: ConsumeQueue,
  filter: MessageFilter,
  { bytes, at, window }: { bytes: Buffer; at: number; window?: ExtWindow | undefined },
): boolean {
  if (!queue.isExtended(bytes, at)) return filter.matchesTag(unitTagsHash(bytes, at))
  const unit = queue.extUnit(bytes, at, window)
  if (unit === undefined) return true
  if (!filter.matchesTag(unit.tagsLow)) return false
  if (unit.bitmap === undefined || filter.matchesBitmap === undefined) return true
  return filter.matchesBitmap(unit.bitmap, unitPhysicalOffset(bytes, at))
}

import type { ConsumeQueue } from './consume-queue.ts'
import { extAddress } from './ext-unit.ts'
import type { QueueFiles } from './queue-files.ts'
import { isMessageUnit, isUnit, unitBytes, unitPhysicalOffset, unitTagsHash, unitTagsHigh } from './unit.ts'

/**
 * Where the messages of a queue begin that are still in the log: the first unit which is no filling and lies at or
 * behind `minPhysicalOffset`. When even the last one is too old the queue is empty, its offsets stay (store.md 3.3).
 */
export function correctMinOffset(queue: ConsumeQueue, files: QueueFiles, minPhysicalOffset: number): void {
  removeOldFiles(queue, files, minPhysicalOffset)
  let low = Math.max(queue.minOffset, queue.firstFileUnit)
  let high = queue.maxOffset
  if (low < high && isThere(queue, low, minPhysicalOffset)) high = low
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (isThere(queue, middle, minPhysicalOffset)) high = middle
    else low = middle + 1
  }
  queue.minOffset = low
  if (queue.hasExt && low < queue.maxOffset && queue.readSync(low, unit, 1) === 1 && queue.isExtended(unit, 0))
    queue.ext.deleteBefore(extAddress(unitTagsHigh(unit, 0), unitTagsHash(unit, 0)))
}

const unit = Buffer.alloc(unitBytes)

function isThere(queue: ConsumeQueue, offset: number, minPhysicalOffset: number): boolean {
  const got = queue.readSync(offset, unit, 1)
  return got === 1 && isMessageUnit(unit, 0) && unitPhysicalOffset(unit, 0) >= minPhysicalOffset
}

/** A unit that was written, and whose message is no longer in the log; filled places count as such. */
function isOld(queue: ConsumeQueue, offset: number, minPhysicalOffset: number): boolean {
  return queue.readSync(offset, unit, 1) === 1 && isUnit(unit, 0) && unitPhysicalOffset(unit, 0) < minPhysicalOffset
}

/** Removes files, never the last one, whose last unit lies before the log. */
function removeOldFiles(queue: ConsumeQueue, files: QueueFiles, minPhysicalOffset: number): void {
  for (;;) {
    const next = queue.firstFileUnit + files.fileUnits
    if (next > queue.writtenOffset - 1 || !isOld(queue, next - 1, minPhysicalOffset)) return
    files.remove(queue.directory, queue.firstFileUnit)
    queue.firstFileUnit = next
    queue.minOffset = Math.max(queue.minOffset, next)
  }
}

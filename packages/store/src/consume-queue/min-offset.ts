import type { ConsumeQueue } from './consume-queue.ts'
import { extAddress } from './ext-unit.ts'
import type { QueueFiles } from './queue-files.ts'
import { isMessageUnit, unitBytes, unitPhysicalOffset, unitTagsHash, unitTagsHigh } from './unit.ts'

/**
 * Where the messages of a queue begin that are still in the log: the first unit which is no filling and lies at or
 * behind `minPhysicalOffset`. When even the last one is too old the queue is empty, its offsets stay (store.md 3.3).
 */
export function correctMinOffset(queue: ConsumeQueue, files: QueueFiles, minPhysicalOffset: number): void {
  removeOldFiles(queue, files, minPhysicalOffset)
  queue.minOffset = firstInLog(queue, Math.max(queue.minOffset, queue.firstFileUnit), minPhysicalOffset)
  if (queue.hasExt && queue.minOffset < queue.maxOffset && queue.isExtended(unit, 0))
    queue.ext.deleteBefore(extAddress(unitTagsHigh(unit, 0), unitTagsHash(unit, 0)))
}

const unit = Buffer.alloc(unitBytes)
const span = Buffer.alloc(256 * unitBytes)

/** Whether the message that was found last is still in the log. */
const isThere = (minPhysicalOffset: number): boolean => unitPhysicalOffset(unit, 0) >= minPhysicalOffset

/** The first message of a queue from `from` on that is in the log, which is then in `unit`; the end where there is none. */
function firstInLog(queue: ConsumeQueue, from: number, minPhysicalOffset: number): number {
  let [low, high] = [from, queue.maxOffset]
  if (low < high && firstMessage(queue, low, low + 1) === low && isThere(minPhysicalOffset)) return low
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    // A filling says nothing of what is before it: the next message does.
    const found = firstMessage(queue, middle, high)
    if (found === high || isThere(minPhysicalOffset)) high = middle
    else low = found + 1
  }
  return firstMessage(queue, low, queue.maxOffset)
}

/** The first unit of `[from, to)` that is no filling; `to` where there is none. It is then in `unit`. */
export function firstMessage(queue: ConsumeQueue, from: number, to: number): number {
  for (let at = from; at < to; ) {
    // Mostly the first one is it.
    const got = queue.readSync(at, span, at === from ? 1 : to - at)
    if (got === 0) return to
    for (let i = 0; i < got; i++) if (isMessage(i)) return at + i
    at += got
  }
  return to
}

/** Whether the last unit of `[from, to)` that is no filling lies before the log, or all are fillings; false where one cannot be read. */
function endsOld(queue: ConsumeQueue, from: number, to: number, minPhysicalOffset: number): boolean {
  for (let end = to, count = 1; end > from; ) {
    const start = Math.max(from, end - count)
    const got = queue.readSync(start, span, end - start)
    if (got === 0) return false
    if (got < end - start) {
      // What lies together ends before: from there on one by one.
      count = 1
      if (end - start > 1) continue
    }
    for (let i = got - 1; i >= 0; i--) if (isMessage(i)) return !isThere(minPhysicalOffset)
    end = start
    count = 256
  }
  return true
}

/** Whether a unit of the span is a message's; it is then in `unit`. */
function isMessage(at: number): boolean {
  if (!isMessageUnit(span, at * unitBytes)) return false
  span.copy(unit, 0, at * unitBytes, (at + 1) * unitBytes)
  return true
}

/** Removes files, never the last one, whose last message lies before the log. */
function removeOldFiles(queue: ConsumeQueue, files: QueueFiles, minPhysicalOffset: number): void {
  for (;;) {
    const next = queue.firstFileUnit + files.fileUnits
    if (next > queue.writtenOffset - 1 || !endsOld(queue, queue.firstFileUnit, next, minPhysicalOffset)) return
    files.remove(queue.directory, queue.firstFileUnit)
    queue.firstFileUnit = next
    queue.minOffset = Math.max(queue.minOffset, next)
  }
}

import type { TimerUnit } from '@skua-mq/store'
import type { TimerBook } from './timer-book.ts'

/** A unit of a slot, and where it stands in the timer log. */
export interface SlotUnit {
  readonly unit: TimerUnit
  readonly position: number
}

/**
 * The units of a slot, newest first, or from `start` on. It ends where the chain does: also where the slot was done meanwhile, and its
 * place in the log holds something else, which `broken` is told. Throws DiskError.
 */
export async function* slotUnits(
  book: Pick<TimerBook, 'slot' | 'reader'>,
  slotMs: number,
  start = book.slot(slotMs)?.lastPosition ?? -1,
  broken: (position: number) => void = () => {},
): AsyncGenerator<SlotUnit, void, void> {
  const reader = book.reader()
  for (let position = start; position >= 0; ) {
    const unit = reader.unitNow(position) ?? (await reader.unit(position))
    if (unit === undefined || unit.slotMs !== slotMs) {
      broken(position)
      return
    }
    yield { unit, position }
    if (unit.previous >= position) {
      broken(unit.previous)
      return
    }
    position = unit.previous
  }
}

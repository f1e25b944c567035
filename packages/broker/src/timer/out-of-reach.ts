import { type Clock, delay } from '@skua-mq/runtime'
import { TimerMagic, type TimerUnit, timerSlotsAhead } from '@skua-mq/store'
import { isPlaceMark } from './slot-schedule.ts'
import { slotUnits } from './slot-units.ts'
import type { TimerBook } from './timer-book.ts'

/** Slots that are looked at in one turn, unless the wheel knows that they are empty. */
const slotsInTurn = 16_384

export interface SetBack {
  readonly clock: Clock
  readonly precisionMs: number
  /** To this slot. */
  readonly toMs: number
  /** Where what is out of reach waits to be stored again. */
  readonly rollMs: number
  readonly isOver: () => boolean
  /** The log has no unit of a slot where its chain leads to; throws where the slot must stay as it is. */
  readonly broken: (slotMs: number, position: number) => void
}

/**
 * Before the slots follow a clock that is set back: the wheel begins again after 14 days, so that a timer of the time when the clock
 * was ahead would have to give way to the first one that comes into the same place. It lies in a slot within reach from now on, and is
 * stored again when that is over. Nobody adds anything meanwhile. False where it was ended before. Throws DiskError.
 */
export async function bringIntoReach(book: TimerBook, back: SetBack): Promise<boolean> {
  const { clock, toMs, precisionMs, isOver } = back
  const roundMs = 2 * timerSlotsAhead * precisionMs
  const endMs = book.readMs + roundMs
  // All before has its own place still.
  for (let slotMs = Math.max(book.readMs, toMs + roundMs); slotMs < endMs && book.size > 0; ) {
    const stopMs = Math.min(slotMs + slotsInTurn * precisionMs, endMs)
    slotMs = book.firstFilled(slotMs, stopMs)
    if (slotMs < stopMs) await move(book, slotMs, back)
    if (book.isFull && !(await book.save())) throw new Error('the timer files could not be saved')
    await delay(clock, 0)
    if (isOver()) return false
  }
  return true
}

/** A slot leaves in one step what it has: a half of it would come twice after a crash. */
async function move(book: TimerBook, slotMs: number, { clock, rollMs, broken }: SetBack): Promise<void> {
  const units: TimerUnit[] = []
  const told = (position: number) => broken(slotMs, position)
  for await (const { unit } of slotUnits(book, slotMs, undefined, told)) units.push({ ...unit })
  const place = { slotMs: rollMs, writtenAtMs: book.floor(clock.now()) }
  for (const unit of units.reverse())
    if (!isPlaceMark(unit)) book.add({ ...unit, ...place, magic: unit.magic | TimerMagic.roll })
  book.vacate(slotMs)
}

import { ResponseCode } from '@skua-mq/protocol'
import { isBadPlace, type Random } from '@skua-mq/runtime'
import { timerSlotsAhead } from '@skua-mq/store'
import type { SendStop } from '../send/send-stop.ts'
import type { TimerBook } from './timer-book.ts'

/** What RocketMQ makes of timerPrecisionMs: the next smaller of these. */
const precisions = [1000, 500, 200, 100]
/** Slots of the wheel that stay free. */
const blankSlots = 60
const hourMs = 3_600_000

/** The length of a slot. */
export const precisionOf = (ms: number): number => precisions.find(each => each <= ms) ?? 100

/**
 * How far ahead a message lies in its slot at most. RocketMQ's default, two days, is two thirds of its fileReservedTime: here
 * it never is more, or retention would take messages which wait.
 */
export function windowOf(
  config: { readonly timerRollWindowSlot: number; readonly fileReservedTime: number },
  precisionMs: number,
): () => number {
  const slots = Math.min(config.timerRollWindowSlot, timerSlotsAhead - blankSlots)
  return () => Math.max(2 * precisionMs, Math.min(slots * precisionMs, (config.fileReservedTime * hourMs * 2) / 3))
}

/** RocketMQ's flow control: above the limit some timers of a slot are refused, above twice the limit all. */
export function congestion(
  book: Pick<TimerBook, 'slot'>,
  { random, limit }: { random: Random; limit: () => number },
): (outMs: number) => SendStop | undefined {
  return outMs => {
    const count = countIn(book, outMs)
    const most = limit()
    if (count <= most) return undefined
    // RocketMQ asks the dice the wrong way round: it refuses fewer the fuller the slot is.
    if (count < most * 2 && random.int(1000) >= (1000 * (count - most)) / most) return undefined
    return {
      code: ResponseCode.systemError,
      remark: `${count} messages wait for the same time already: timerCongestNumEachSlot is ${most}, and none are taken above ${most * 2}`,
    }
  }
}

/** A bad place of the wheel refuses no message: it is made again when the message comes there. */
function countIn(book: Pick<TimerBook, 'slot'>, outMs: number): number {
  try {
    return book.slot(outMs)?.count ?? 0
  } catch (error) {
    if (!isBadPlace(error)) throw error
    return 0
  }
}

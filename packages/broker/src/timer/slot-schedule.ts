import { TimerMagic, type TimerUnit } from '@skua-mq/store'
import { recallKey } from './recall-key.ts'

/** A timer that is due in a slot of the present. */
export interface DueTimer {
  /** When it is delivered. */
  readonly dueMs: number
  /** Its place in the timer log: of one time, what was put there first goes first. */
  readonly position: number
  readonly unit: TimerUnit
  /** Its message, where it was read ahead. */
  record?: Buffer | undefined
}

/** Units of a slot that are in memory at once; a slot with more goes piece by piece, oldest first. */
export const maxScheduled = 65_536

/** Whether a unit only says that another one of its slot is recalled. */
export const isRecall = ({ magic }: TimerUnit): boolean => (magic & TimerMagic.delete) !== 0 && !isRoll({ magic })

/**
 * A recall of no message, as the last unit of the timer log: RocketMQ goes on in the timer's topic behind the message of the
 * last unit. `withinMs`, which RocketMQ does not read, is negative. (`TimerMessageStore.reviseQueueOffset`)
 */
export const placeMark = (newest: TimerUnit, slotMs: number, writtenAtMs: number): TimerUnit => ({
  ...newest,
  magic: TimerMagic.plain | TimerMagic.delete,
  writtenAtMs,
  slotMs,
  withinMs: -1,
})

export const isPlaceMark = (unit: TimerUnit): boolean => unit.withinMs < 0

/**
 * Stands in `withinMs`, where RocketMQ does not read: its message could not be read when it was due, or came into the wheel. It
 * lies in a later slot, in which it is tried again.
 */
const triedAgainMark = 2 ** 40

export const isTriedAgain = ({ withinMs }: Pick<TimerUnit, 'withinMs'>): boolean => withinMs === triedAgainMark

/**
 * A message that the disk does not give is tried again after a minute, and then every ten minutes while the log holds it. Each try is a
 * unit of 52 bytes more.
 */
export const triedAgainMs = 60_000
export const triedLaterMs = 600_000

/** The unit of a message that cannot be read now. */
export const tryAgainAt = (unit: TimerUnit, slotMs: number, writtenAtMs: number): TimerUnit => ({
  ...unit,
  ...{ slotMs, writtenAtMs, withinMs: triedAgainMark },
})

/** What a unit adds to the timers of its slot. */
export const countOf = (unit: TimerUnit): number => {
  if (isPlaceMark(unit)) return 0
  return (unit.magic & TimerMagic.delete) === 0 ? 1 : -1
}

/** Whether a message is put into the timer's topic again, to wait on. */
export const isRoll = ({ magic }: Pick<TimerUnit, 'magic'>): boolean => (magic & TimerMagic.roll) !== 0

/** Its topic was not known when it came into the wheel, so that nobody counted it there: it has the hash of none. */
export const isUncounted = (unit: TimerUnit): boolean => isTriedAgain(unit) && isRoll(unit) && unit.topicHash === 0

/** When a unit is due; `precisionMs`: the length of a slot. */
export const dueOf = ({ slotMs, withinMs, magic }: TimerUnit, precisionMs: number): number => {
  if (isRoll({ magic })) return slotMs
  return slotMs + (withinMs > 0 && withinMs <= precisionMs ? withinMs : precisionMs)
}

/** The timers of one slot by their times, and what is known of its recalls. */
export class SlotSchedule {
  readonly slotMs: number
  /** All that was in the slot when it was read is here, or in `pieces`. */
  isLoaded = false
  /** Ends of pieces which have not been read yet: [from, before), newest first. */
  readonly pieces: { readonly from: number; readonly before: number }[] = []
  /** By `recallKey`, and whether the message was found. */
  private readonly recalls = new Map<string, boolean>()
  readonly recallUnits: TimerUnit[] = []
  /** Handed to delivery and not done. */
  readonly undone = new Map<number, DueTimer>()
  /** Some of its timers are done. */
  isBegun = false
  /** Resolves when it is loaded. */
  loading: Promise<void> = Promise.resolve()
  private readonly heap: DueTimer[] = []

  constructor(slotMs: number) {
    this.slotMs = slotMs
  }

  get size(): number {
    return this.heap.length
  }

  /** A message is recalled. */
  recall(key: string): void {
    const kept = recallKey(key)
    if (!this.recalls.has(kept)) this.recalls.set(kept, false)
  }

  /** Whether one that is due is recalled; that it was there is noted. */
  isRecalled(topic: string, uniqueKey: () => string): boolean {
    if (this.recalls.size === 0) return false
    const kept = recallKey(`${topic}+${uniqueKey()}`)
    if (!this.recalls.has(kept)) return false
    this.recalls.set(kept, true)
    return true
  }

  /** Keys of recalls that have found no message. */
  missed(): string[] {
    return [...this.recalls].filter(([, isFound]) => !isFound).map(([key]) => key)
  }

  /** What keys of recalls take, in characters. */
  get recallChars(): number {
    let chars = 0
    for (const key of this.recalls.keys()) chars += key.length
    return chars
  }

  /** Nothing is left of it in memory or to be read. */
  get isDone(): boolean {
    return this.isLoaded && this.heap.length === 0 && this.pieces.length === 0 && this.undone.size === 0
  }

  /** When the first one is due. */
  get firstMs(): number | undefined {
    return this.heap[0]?.dueMs
  }

  add(timer: DueTimer): void {
    const { heap } = this
    let at = heap.length
    heap.push(timer)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(timer, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = timer
  }

  /** The first one, which leaves the schedule. */
  take(): DueTimer | undefined {
    const { heap } = this
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
      if (!isBefore(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }

  /** Those that wait, in no order. */
  get waiting(): readonly DueTimer[] {
    return this.heap
  }

  /** Forgets what is scheduled and not taken, up to this place of the timer log; it is read again. */
  drop(upTo = Number.POSITIVE_INFINITY): void {
    const left = this.heap.filter(({ position }) => position > upTo)
    this.heap.length = 0
    for (const timer of left) this.add(timer)
  }

  /** All that is not done, oldest first. */
  left(): DueTimer[] {
    return [...this.heap, ...this.undone.values()].sort((a, b) => a.position - b.position)
  }

  /** All that was not handed to delivery, oldest first. */
  read(): DueTimer[] {
    return [...this.heap].sort((a, b) => a.position - b.position)
  }
}

const isBefore = (a: DueTimer, b: DueTimer): boolean =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.position < b.position)

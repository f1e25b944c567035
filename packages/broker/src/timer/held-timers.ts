import { wheelTimerTopic } from '@skua-mq/protocol'
import { DamagedTimerLog, type MessageStore, type QueueEntry, type TimerLog, type TimerUnit } from '@skua-mq/store'
import { isPlaceMark, isTriedAgain, triedAgainMs } from './slot-schedule.ts'

type HeldLog = Pick<TimerLog, 'begin' | 'written' | 'reader'>

/** A message that the disk did not give at its second try either is tried again as long as the log has it: the log must not grow for it. */
const isNobodys = (unit: TimerUnit): boolean =>
  isPlaceMark(unit) || (isTriedAgain(unit) && unit.slotMs - unit.writtenAtMs > triedAgainMs)

/** Units that are passed in one look. */
const unitsInLook = 2_000_000

/**
 * Where the first message lies in the commit log that a timer still needs: retention must not take it for its age, as where
 * fileReservedTime was lowered. Units lie in the order of the log, so that each is looked at once; what was put behind all others
 * late is due, or could not be read.
 */
export class HeldTimers {
  private readonly store: Pick<MessageStore, 'queue' | 'minPhysicalOffset' | 'maxPhysicalOffset'>
  private readonly fileBytes: number
  private position = 0
  /** Of the last look; before the first one nobody knows. */
  private first = 0

  constructor({ store, fileBytes }: { store: HeldTimers['store']; fileBytes: number }) {
    this.store = store
    this.fileBytes = fileBytes
  }

  /** Infinite where no message waits. `queueOffset`: those before it are in the timer log. */
  from(queueOffset: number, isOpen: boolean): number {
    const untaken = this.untaken(queueOffset)
    return isOpen ? Math.min(this.first, untaken) : untaken
  }

  /** Where the first message lies that is not taken up; infinite where there is none. */
  private untaken(queueOffset: number): number {
    const entry: QueueEntry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    try {
      if (this.store.queue(wheelTimerTopic, 0)?.entries(queueOffset, [entry]) === 1) return entry.physicalOffset
    } catch {
      // Whoever takes them up tells of it.
    }
    return Number.POSITIVE_INFINITY
  }

  /** Goes on to the first unit whose slot is not done. `queueOffset`: what lies before it in the topic is in the log. Throws DiskError, or DamagedTimerLog: what lies behind may wait. */
  async look(log: HeldLog, { readMs, queueOffset }: { readMs: () => number; queueOffset: number }): Promise<void> {
    const { store, fileBytes } = this
    // What is taken up from now on may be older than all that is.
    const first = Math.min(store.maxPhysicalOffset, this.untaken(queueOffset))
    const from = Math.max(this.position, log.begin)
    let count = 0
    const broken = (at: number) => {
      throw new DamagedTimerLog(`the timer log has no unit at ${at}`)
    }
    for await (const { unit, position } of log.reader().units(from, log.written, fileBytes, broken)) {
      this.position = position
      const isDone = unit.slotMs < readMs() || isNobodys(unit) || unit.physicalOffset < store.minPhysicalOffset
      if (isDone && ++count < unitsInLook) continue
      this.first = Math.min(first, unit.physicalOffset)
      return
    }
    this.first = first
  }

  /** The timer log is made again. */
  restart(): void {
    this.position = 0
    this.first = 0
  }
}

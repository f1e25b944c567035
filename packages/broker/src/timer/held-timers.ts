import { wheelTimerTopic } from '@skua-mq/protocol'
import type { MessageStore, QueueEntry, TimerLog } from '@skua-mq/store'
import { isPlaceMark } from './slot-schedule.ts'

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
    const entry: QueueEntry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    let untaken = Number.POSITIVE_INFINITY
    try {
      if (this.store.queue(wheelTimerTopic, 0)?.entries(queueOffset, [entry]) === 1) untaken = entry.physicalOffset
    } catch {
      // Whoever takes them up tells of it.
    }
    return isOpen ? Math.min(this.first, untaken) : untaken
  }

  /** Goes on to the first unit whose slot is not done. Throws DiskError. */
  async look(log: Pick<TimerLog, 'begin' | 'end' | 'reader'>, readMs: () => number): Promise<void> {
    const { store, fileBytes } = this
    const first = store.maxPhysicalOffset
    const from = Math.max(this.position, log.begin)
    let count = 0
    for await (const { unit, position } of log.reader().units(from, log.end, fileBytes)) {
      this.position = position
      const isDone = unit.slotMs < readMs() || isPlaceMark(unit) || unit.physicalOffset < store.minPhysicalOffset
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

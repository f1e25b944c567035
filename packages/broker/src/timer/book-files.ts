import type { TimerCheckFile, TimerCheckpoint, TimerLog, TimerWheel } from '@skua-mq/store'

export interface BookFilesParts {
  readonly wheel: TimerWheel
  readonly log: TimerLog
  readonly file: Pick<TimerCheckFile, 'waiting' | 'logBegin'>
  /** What a start has found. */
  readonly check: TimerCheckpoint | undefined
  readonly precisionMs: number
}

/** Whether what a start finds of the timers' files belongs together. */
export class BookFiles {
  private readonly parts: BookFilesParts

  constructor(parts: BookFilesParts) {
    this.parts = parts
  }

  /** Undefined where each file is there, as far as that can be told without reading. */
  whyNotWhole(): string | undefined {
    const { check, wheel, log, file } = this.parts
    if (check === undefined) return 'there is no timercheck, or it does not read'
    // What is there may be of before, or not on the medium: a power cut brings removed files back.
    if (check.logFlushed <= 0) return 'they were being made when this broker ended'
    if (!wheel.exists) return 'there is no timerwheel, or of another size'
    if (check.logFlushed > log.end || check.logFlushed < log.begin) return 'the timer log lacks units'
    if (log.begin > (file.logBegin ?? log.begin)) return 'the timer log has lost its beginning'
    return undefined
  }

  /**
   * Opens the wheel, which stays open where it is the right one. Its slots are multiples of the precision, and say nothing where that was
   * another one. One without any, where timers waited, is not the one that was written. Throws DiskError.
   */
  async whyAnother(): Promise<string | undefined> {
    const { check, wheel, log, file, precisionMs } = this.parts
    wheel.open({ isNew: false })
    const reader = log.reader()
    let isEmpty = true
    for await (const { slotMs, lastPosition } of wheel.all()) {
      if (lastPosition >= log.begin) isEmpty = false
      if (lastPosition < log.begin || lastPosition >= check!.logFlushed) continue
      const unit = await reader.unit(lastPosition)
      if (unit !== undefined && unit.slotMs - (unit.slotMs % precisionMs) === slotMs) return undefined
      wheel.close()
      return 'the timerwheel is of another timerPrecisionMs, or not of this timer log'
    }
    if (!isEmpty || (file.waiting ?? 0) <= 0) return undefined
    wheel.close()
    return 'the timerwheel has lost the timers that waited'
  }
}

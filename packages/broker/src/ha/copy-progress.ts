import { type Clock, defineEvent, type Events, type Socket, type Timer } from '@skua-mq/runtime'

export const copyBegan = defineEvent<{ from: number; to: number }>('the log of the master is copied as a whole', 'info')
export const copyProgress = defineEvent<{ offset: number; to: number; percent: number }>(
  "so much of the master's log is here",
  'info',
)
export const copyEnded = defineEvent<{ to: number }>("all of the master's log is here", 'info')

/** A log that comes from the beginning of the master's: from where to where it goes. */
export interface Copying {
  readonly from: number
  /** Where the master's log ended when it began. */
  readonly to: number
}

/** What lasts of a copy beyond an end of this broker. */
export interface CopyNote {
  copying: Copying | undefined
}

export interface CopyProgressParts {
  readonly clock: Clock
  readonly events: Events
  readonly note: CopyNote
  readonly logEnd: () => number
  /** haCopyBytesPerSecond; 0: as fast as it comes. */
  readonly bytesPerSecond: () => number
}

/** Bytes may come in bursts of a tenth of a second. */
const sliceMs = 100
const tellMs = 5000

/**
 * A slave that takes its master's log from the beginning. Until it has what the master had when it began it is told how far it
 * is, takes so many bytes in a second, and is nobody's choice for a new master. What the master writes meanwhile comes behind.
 */
export class CopyProgress {
  private readonly parts: CopyProgressParts
  private timer: Timer | undefined
  private sliceFrom = 0
  private sliceBytes = 0
  private toldMs = 0
  /** It takes nothing for a moment, so that the master is silent here for no fault of its own. */
  isPaused = false

  constructor(parts: CopyProgressParts) {
    this.parts = parts
  }

  get isOver(): boolean {
    return this.parts.note.copying === undefined
  }

  /** `12/345`, in bytes from the beginning of the log on; undefined where nothing is copied. */
  get text(): string | undefined {
    const { note, logEnd } = this.parts
    const { copying } = note
    return copying && `${Math.max(0, logEnd() - copying.from)}/${copying.to - copying.from}`
  }

  begins(copying: Copying): void {
    const { note, events, clock } = this.parts
    note.copying = copying
    this.toldMs = clock.monotonic()
    events.emit(copyBegan({ ...copying }))
  }

  /** Bytes came over this connection, and the log ends at `offset` with them. */
  came(bytes: number, socket: Pick<Socket, 'pause' | 'resume'>, offset: number): void {
    const { note, events, clock } = this.parts
    const { copying } = note
    if (copying === undefined) return
    if (offset >= copying.to) {
      note.copying = undefined
      events.emit(copyEnded({ to: copying.to }))
      return
    }
    const now = clock.monotonic()
    if (now - this.toldMs >= tellMs) {
      this.toldMs = now
      const percent = Math.floor((100 * Math.max(0, offset - copying.from)) / (copying.to - copying.from))
      events.emit(copyProgress({ offset, to: copying.to, percent }))
    }
    this.throttle(bytes, socket, now)
  }

  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    this.isPaused = false
  }

  private throttle(bytes: number, socket: Pick<Socket, 'pause' | 'resume'>, now: number): void {
    const limit = this.parts.bytesPerSecond()
    if (limit === 0) return
    if (now - this.sliceFrom >= sliceMs) {
      this.sliceFrom = now
      this.sliceBytes = 0
    }
    this.sliceBytes += bytes
    if (this.sliceBytes * 1000 < limit * sliceMs || this.isPaused) return
    this.isPaused = true
    socket.pause()
    // What one chunk is too much, the next slices are shorter of.
    const ms = Math.max(1, Math.ceil((this.sliceBytes * 1000) / limit - (now - this.sliceFrom)))
    this.timer = this.parts.clock.after(ms, () => {
      this.isPaused = false
      this.sliceFrom = this.parts.clock.monotonic()
      this.sliceBytes = 0
      socket.resume()
    })
  }
}

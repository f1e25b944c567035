import type { Clock, Timer } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'

/** Messages of one level that are kept in mind at once; with more the level waits. */
export const maxUnreadable = 1024
/**
 * So long a message that cannot be read holds back what counts as delivered on disk, so that a restart tries it again, too.
 * For longer it must not: a restart would deliver all again that came behind it. Where nothing came behind it, as of a disk that gives
 * nothing, it does for as long as that lasts.
 */
export const unreadableHoldMs = 60_000
/** Between two tries. */
const againMs = 5000

/** A delayed message, by its place in its queue and in the log. */
export interface Unreadable {
  readonly queueOffset: number
  readonly physicalOffset: number
}

export interface UnreadableParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly store: Pick<MessageStore, 'readRecord'>
  /** It can be read, or the log has none there any more (undefined). False where it has to be tried again. */
  readonly readable: (message: Unreadable, record: Buffer | undefined) => Promise<boolean>
  /** All messages that were delivered lie before this queue offset. */
  readonly deliveredUpTo: () => number
  /** Told after each round of tries. */
  readonly tried: () => void
}

/**
 * Delayed messages whose time has come and which the disk does not give, as at a bad place of it: those behind them go on,
 * and they are tried again while the broker runs and the log holds them.
 */
export class UnreadableMessages {
  private readonly parts: UnreadableParts
  private readonly waiting = new Map<Unreadable, number>()
  private timer: Timer | undefined
  private running: Promise<void> | undefined
  private stopped = false

  constructor(parts: UnreadableParts) {
    this.parts = parts
  }

  get size(): number {
    return this.waiting.size
  }

  get isFull(): boolean {
    return this.waiting.size >= maxUnreadable
  }

  /** Queue offset of the first one that holds back what counts as delivered. */
  get held(): number | undefined {
    return this.firstHeld(this.parts.deliveredUpTo())
  }

  /** The same of retention: the log must not grow for one that never reads again. */
  get heldInLog(): number | undefined {
    return this.firstHeld(Number.POSITIVE_INFINITY)
  }

  private firstHeld(upTo: number): number | undefined {
    const fromMs = this.parts.clock.monotonic() - unreadableHoldMs
    for (const [{ queueOffset }, sinceMs] of this.waiting)
      if (sinceMs > fromMs || queueOffset >= upTo) return queueOffset
    return undefined
  }

  add(message: Unreadable): void {
    this.waiting.set(message, this.parts.clock.monotonic())
    this.arm()
  }

  /** Resolves when nothing is read any more. */
  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    await this.running
  }

  private arm(): void {
    if (this.stopped || this.waiting.size === 0 || this.running !== undefined) return
    this.timer ??= this.parts.clock.after(againMs, () => {
      this.timer = undefined
      this.running = this.round().finally(() => {
        this.running = undefined
        this.parts.tried()
        this.arm()
      })
    })
  }

  /** One after another: a disk may take seconds to say that it cannot. */
  private async round(): Promise<void> {
    for (const message of [...this.waiting.keys()]) {
      if (this.stopped) return
      let record: Buffer | undefined
      try {
        record = await this.parts.store.readRecord(message.physicalOffset)
      } catch {
        continue
      }
      if (this.stopped || !(await this.parts.readable(message, record))) return
      this.waiting.delete(message)
    }
  }
}

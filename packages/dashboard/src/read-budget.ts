import type { Clock } from '@skua-mq/runtime'
import { Problem } from './problem.ts'

/** Bytes of messages that are on their way from brokers or looked at, of all who ask together. */
export const maxReadBytes = 32 * 1024 * 1024
/** Longest wait for others who read, ms. */
const patienceMs = 15_000

interface Waiting {
  readonly bytes: number
  readonly begin: () => void
}

/** What all requests together hold of bodies at a time; who comes when it is used up waits for his turn. */
export class ReadBudget {
  private readonly clock: Clock
  private readonly most: number
  private held = 0
  private waiting: Waiting[] = []

  constructor(clock: Clock, most = maxReadBytes) {
    this.clock = clock
    this.most = most
  }

  /** Bytes that are promised now. */
  get heldBytes(): number {
    return this.held
  }

  /** Runs the work when there is room for so many bytes; what alone is too much runs alone. Errors: BUSY after 15 s. */
  async use<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    const own = Math.min(bytes, this.most)
    await this.room(own)
    try {
      return await work()
    } finally {
      this.held -= own
      this.wake()
    }
  }

  private room(bytes: number): Promise<void> {
    if (this.waiting.length === 0 && this.held + bytes <= this.most) {
      this.held += bytes
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      const timer = this.clock.after(patienceMs, () => {
        this.waiting = this.waiting.filter(other => other !== one)
        // Who stands behind may need less.
        this.wake()
        const why = `others read messages now, and ${this.most} bytes of them are held at a time (maxReadBytes)`
        reject(new Problem(503, 'BUSY', `${why}: try again in a moment`))
      })
      const begin = () => {
        timer.cancel()
        resolve()
      }
      const one: Waiting = { bytes, begin }
      this.waiting.push(one)
    })
  }

  private wake(): void {
    for (let next = this.waiting[0]; next !== undefined; next = this.waiting[0]) {
      if (this.held + next.bytes > this.most) return
      this.waiting.shift()
      this.held += next.bytes
      next.begin()
    }
  }
}

import { type Clock, delay } from '@skua-mq/runtime'

/** What is smaller than this is done before anybody would wait for it. */
const smallBytes = 32 * 1024

/** An answer of this kind is taken to bring so much: a connection waits for one before it asks for another. */
export const largeAnswerBytes = 4 * 1024 * 1024

/** All of the slices as one, with a turn for others behind each. */
export async function inTurns(clock: Pick<Clock, 'after'>, slices: Iterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for (const slice of slices) {
    parts.push(slice)
    if (slice.length >= smallBytes) await delay(clock, 0)
  }
  return Buffer.concat(parts)
}

interface Asking {
  readonly resolve: (bytes: Buffer) => void
  readonly reject: (error: unknown) => void
}

/**
 * An answer that may be too large to be made in one turn: it is made in slices, once for all who ask before it is begun, and
 * given to one of them in a turn, since each gets a copy.
 */
export class LargeAnswer {
  private readonly clock: Pick<Clock, 'after'>
  private readonly slices: () => Iterable<Uint8Array>
  private asking: Asking[] = []
  private isWorking = false

  constructor(clock: Pick<Clock, 'after'>, slices: () => Iterable<Uint8Array>) {
    this.clock = clock
    this.slices = slices
  }

  /** Holds all that was there when it was asked for; rejects with what `slices` throws. */
  bytes(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.asking.push({ resolve, reject })
      if (!this.isWorking) void this.work()
    })
  }

  private async work(): Promise<void> {
    this.isWorking = true
    while (this.asking.length > 0) {
      const asking = this.asking
      this.asking = []
      try {
        const bytes = await inTurns(this.clock, this.slices())
        for (const one of asking) {
          one.resolve(bytes)
          if (bytes.length >= smallBytes) await delay(this.clock, 0)
        }
      } catch (error) {
        for (const one of asking) one.reject(error)
      }
    }
    this.isWorking = false
  }
}

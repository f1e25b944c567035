import { type Clock, delay, Failure } from '@skua-mq/runtime'
import type { Exposition } from './exposition.ts'
import { own } from './skua-families.ts'
import type { MetricSource } from './source.ts'

/** Lines that are written, or rows that are looked at, before the loop gets a turn. */
export const linesPerTurn = 500
/** The same in time, for code that is not warm yet and for machines that are busy. */
export const sliceMs = 2
/** How often that is looked at. */
const rowsPerLook = 32

export interface ScrapeParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly sources: readonly MetricSource[]
  readonly exposition: Exposition
  /** The broker stops: what the sources read is about to go. */
  readonly isOver: () => boolean
}

/** All that the sources tell, a piece a turn of the loop. Throws ESTOPPED when the broker stops meanwhile. */
export async function* scrape(parts: ScrapeParts): AsyncIterable<string> {
  const { sources, exposition } = parts
  const slice = new Slice(parts)
  for (const source of sources) {
    const rows = source.collect(exposition)
    // Most sources wait for nothing: a promise for each of their rows would cost more than the row.
    if (Symbol.iterator in rows) {
      for (const _ of rows) if (slice.isOver()) yield* slice.end()
    } else {
      for await (const _ of rows) if (slice.isOver()) yield* slice.end()
    }
    slice.goOn()
  }
  for (const [{ name }, count] of [...exposition.dropped]) exposition.sample(own.seriesDropped, [name], count)
  yield exposition.take()
}

/** What is done in one turn of the loop. */
class Slice {
  private readonly parts: ScrapeParts
  private rows = 0
  private beganMs: number

  constructor(parts: ScrapeParts) {
    this.parts = parts
    this.beganMs = parts.clock.monotonic()
  }

  /** Asked behind each row. */
  isOver(): boolean {
    this.rows++
    if (this.rows >= linesPerTurn || this.parts.exposition.size >= linesPerTurn) return true
    return this.rows % rowsPerLook === 0 && this.parts.clock.monotonic() - this.beganMs >= sliceMs
  }

  /** Gives away what is written, and goes on in another turn. */
  async *end(): AsyncIterable<string> {
    const { clock, exposition } = this.parts
    const piece = exposition.take()
    if (piece !== '') yield piece
    // Also where the reader has taken the piece at once.
    await delay(clock, 0)
    this.rows = 0
    this.beganMs = clock.monotonic()
    this.goOn()
  }

  goOn(): void {
    if (this.parts.isOver()) throw new Failure('ESTOPPED', 'the broker stops')
  }
}

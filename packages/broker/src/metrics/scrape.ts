import { type Clock, delay, Failure } from '@skua-mq/runtime'
import type { Exposition } from './exposition.ts'
import { own } from './skua-families.ts'
import type { MetricSource } from './source.ts'

/** Lines that are written, or rows that are looked at, before the loop gets a turn: about a millisecond. */
export const linesPerTurn = 500

export interface ScrapeParts {
  readonly clock: Pick<Clock, 'after'>
  readonly sources: readonly MetricSource[]
  readonly exposition: Exposition
  /** The broker stops: what the sources read is about to go. */
  readonly isOver: () => boolean
}

/** All that the sources tell, a piece a turn of the loop. Throws ESTOPPED when the broker stops meanwhile. */
export async function* scrape({ clock, sources, exposition, isOver }: ScrapeParts): AsyncIterable<string> {
  let steps = 0
  for (const source of sources) {
    for await (const _ of source.collect(exposition)) {
      steps++
      if (steps < linesPerTurn && exposition.size < linesPerTurn) continue
      steps = 0
      const piece = exposition.take()
      if (piece !== '') yield piece
      // Also where the reader has taken the piece at once.
      await delay(clock, 0)
      if (isOver()) throw new Failure('ESTOPPED', 'the broker stops')
    }
    if (isOver()) throw new Failure('ESTOPPED', 'the broker stops')
  }
  for (const [{ name }, count] of [...exposition.dropped]) exposition.sample(own.seriesDropped, [name], count)
  yield exposition.take()
}

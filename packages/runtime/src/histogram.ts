/**
 * Counts of measured values by size, as metrics read them: additions are a short search and three sums, and nothing is
 * allocated.
 */
export class Histogram {
  /** Upper ends, ascending; each belongs to its bucket. */
  readonly bounds: readonly number[]
  /** By bucket, one more than `bounds`: the last one has what is above all of them. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  add(value: number): void {
    const { bounds } = this
    let at = 0
    while (at < bounds.length && value > (bounds[at] as number)) at++
    this.counts[at]! += 1
    this.sum += value
  }

  get count(): number {
    let count = 0
    for (const each of this.counts) count += each
    return count
  }
}

/** Latencies in microseconds, in buckets that grow by 1/32: percentiles within 3 %, no memory per sample. */
export class Histogram {
  private readonly buckets = new Float64Array(32 * 40)
  private count = 0

  add(us: number): void {
    this.buckets[place(us)]!++
    this.count++
  }

  /** `share` in [0, 1]. */
  percentile(share: number): number {
    let left = Math.max(1, Math.ceil(this.count * share))
    for (let i = 0; i < this.buckets.length; i++) {
      left -= this.buckets[i]!
      if (left <= 0) return middle(i)
    }
    return middle(this.buckets.length - 1)
  }
}

function place(us: number): number {
  if (us < 32) return Math.max(0, Math.floor(us))
  const power = Math.floor(Math.log2(us))
  return Math.min(32 * 40 - 1, 32 * (power - 4) + Math.floor((us / 2 ** power - 1) * 32))
}

function middle(index: number): number {
  if (index < 32) return index
  const power = Math.floor(index / 32) + 4
  return 2 ** power * (1 + ((index % 32) + 0.5) / 32)
}

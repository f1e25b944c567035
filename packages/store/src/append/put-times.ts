/** Upper ends of the classes in ms, and their names in RocketMQ's runtime information (28). */
const classes = [
  [0, '[<=0ms]'],
  [10, '[0~10ms]'],
  [50, '[10~50ms]'],
  [100, '[50~100ms]'],
  [200, '[100~200ms]'],
  [500, '[200~500ms]'],
  [1000, '[500ms~1s]'],
  [2000, '[1~2s]'],
  [3000, '[2~3s]'],
  [4000, '[3~4s]'],
  [5000, '[4~5s]'],
  [10_000, '[5~10s]'],
  [Number.POSITIVE_INFINITY, '[10s~]'],
] as const

/** How long writes to the log took, counted by the messages that waited for them, since the start. */
export class PutTimes {
  private readonly counts = new Float64Array(classes.length)
  /** Messages that were written since the start, whoever put them: those of a batch one by one. */
  messages = 0
  /** Of their records. */
  bytes = 0

  /** The longest write, ms. */
  mostMs = 0

  add(ms: number, messages: number): void {
    if (ms > this.mostMs) this.mostMs = ms
    // Whole milliseconds, as RocketMQ measures.
    const whole = Math.floor(ms)
    let at = 0
    if (whole > 0) for (at = 1; whole >= classes[at]![0]; ) at++
    this.counts[at]! += messages
  }

  /** In how many ms a share of the messages was written, at most: the upper end of a class. */
  within(share: number): number {
    const wanted = share * this.counts.reduce((sum, count) => sum + count, 0)
    let sum = 0
    const at = this.counts.findIndex(count => {
      sum += count
      return sum >= wanted
    })
    return Math.min(this.mostMs, classes[at]?.[0] ?? 0)
  }

  /** As in RocketMQ: `[<=0ms]:12 [0~10ms]:3 …`. */
  toString(): string {
    return classes.map(([, name], at) => `${name}:${this.counts[at]} `).join('')
  }
}

/**
 * So much in a second, and as much at once after a second of silence. What is taken may be more than is left: the time
 * for it is waited out afterwards, so that a message larger than the rate passes as well.
 */
export class Bucket {
  private level = 0
  private readAtMs = Number.NEGATIVE_INFINITY

  /** What is left, below 0 after more was taken. `rate` may be another one than before. */
  left(rate: number, nowMs: number): number {
    const added = ((nowMs - this.readAtMs) * rate) / 1000
    this.level = Math.min(rate, this.level + added)
    this.readAtMs = nowMs
    return this.level
  }

  /** Behind `left`. */
  take(amount: number): void {
    this.level -= amount
  }
}

/** Longest time for which a connection waits for those behind it to be accepted. */
const patienceMs = 250

/** So much of a turn the beginnings take: a hundred connections or two. Those that are connected already wait for it. */
const sliceMs = 5

/**
 * Connections that come together are accepted together, before any of them is read. libuv accepts one connection in a
 * turn of the loop, so that of a thousand clients which connect at once, and are served as they come, the first ones
 * keep the loop busy while the last ones wait for seconds in the kernel's queue (measured: 3.5 s of 1,024).
 */
export class AcceptBurst {
  private waiting: (() => void)[] = []
  private sinceMs = 0
  private hasCome = false
  private isWatching = false
  private isBeginning = false

  /** Connections that wait. */
  get size(): number {
    return this.waiting.length
  }

  /** `begin` is called when a turn of the loop has brought no connection; of many, some in each turn from then on. */
  add(begin: () => void): void {
    if (this.waiting.length === 0) this.sinceMs = performance.now()
    this.waiting.push(begin)
    this.hasCome = true
    if (!this.isWatching && !this.isBeginning) this.watch()
  }

  private watch(): void {
    this.isWatching = true
    setImmediate(() => {
      if (this.hasCome && performance.now() - this.sinceMs < patienceMs) {
        this.hasCome = false
        this.watch()
        return
      }
      this.isWatching = false
      this.hasCome = false
      this.begin()
    })
  }

  private begin(): void {
    const { waiting } = this
    const untilMs = performance.now() + sliceMs
    let begun = 0
    while (begun < waiting.length) {
      waiting[begun++]?.()
      if (performance.now() >= untilMs) break
    }
    this.waiting = waiting.slice(begun)
    this.isBeginning = this.waiting.length > 0
    if (this.isBeginning) setImmediate(() => this.begin())
  }
}

/** Longest time for which a connection waits for those behind it to be accepted. */
const patienceMs = 250

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

  /** Connections that wait. */
  get size(): number {
    return this.waiting.length
  }

  /** `begin` is called when a turn of the loop has brought no connection. */
  add(begin: () => void): void {
    if (this.waiting.length === 0) this.sinceMs = performance.now()
    this.waiting.push(begin)
    this.hasCome = true
    if (!this.isWatching) this.watch()
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
      const { waiting } = this
      this.waiting = []
      for (const begin of waiting) begin()
    })
  }
}

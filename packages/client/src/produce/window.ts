/** Sends between call and answer: bounded by number and bytes; who comes later waits, in order. */
export class SendWindow {
  private readonly maxCount: number
  private readonly maxBytes: number
  private readonly waiting: { bytes: number; enter: () => void }[] = []
  private count = 0
  private bytes = 0

  constructor(limits: { maxInFlight: number; maxInFlightBytes: number }) {
    this.maxCount = limits.maxInFlight
    this.maxBytes = limits.maxInFlightBytes
  }

  get inFlight(): number {
    return this.count
  }

  /** Resolves when there is room; the answer gives it back. Rejects with the signal's reason. */
  enter(bytes: number, signal?: AbortSignal): Promise<() => void> | (() => void) {
    if (this.waiting.length === 0 && this.fits(bytes)) return this.take(bytes)
    return new Promise((resolve, reject) => {
      const entry = {
        bytes,
        enter: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve(this.take(bytes))
        },
      }
      const onAbort = () => {
        this.waiting.splice(this.waiting.indexOf(entry), 1)
        reject(signal?.reason)
        this.admit()
      }
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.waiting.push(entry)
    })
  }

  /** A single message larger than the window passes alone. */
  private fits(bytes: number): boolean {
    return this.count === 0 || (this.count < this.maxCount && this.bytes + bytes <= this.maxBytes)
  }

  private take(bytes: number): () => void {
    this.count++
    this.bytes += bytes
    let given = false
    return () => {
      if (given) return
      given = true
      this.count--
      this.bytes -= bytes
      this.admit()
    }
  }

  private admit(): void {
    while (this.waiting.length > 0 && this.fits(this.waiting[0]!.bytes)) this.waiting.shift()!.enter()
  }
}

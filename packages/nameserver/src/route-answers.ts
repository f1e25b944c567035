/** Bytes of answers and their names that are kept; a cluster of 20,000 topics has a third of it. */
export const maxKeptRouteBytes = 16 * 1024 * 1024

/**
 * Encoded routes, kept for as long as nothing of the routes changes: clients ask for each topic every 30 s, and mostly
 * nothing is new. When the bytes that may be kept are reached, all go at once.
 */
export class RouteAnswers {
  private readonly kept = new Map<string, Uint8Array>()
  private readonly maxBytes: number
  private version = -1
  private bytes = 0

  constructor(maxBytes = maxKeptRouteBytes) {
    this.maxBytes = maxBytes
  }

  /** The answer of this name, as of this version of the routes; undefined where it has to be made. */
  get(name: string, version: number): Uint8Array | undefined {
    if (version !== this.version) {
      this.version = version
      this.clear()
    }
    return this.kept.get(name)
  }

  /** Keeps an answer of the version that was asked for last. */
  keep(name: string, answer: Uint8Array): Uint8Array {
    const bytes = name.length + answer.length
    if (bytes > this.maxBytes) return answer
    if (this.bytes + bytes > this.maxBytes) this.clear()
    this.kept.set(name, answer)
    this.bytes += bytes
    return answer
  }

  private clear(): void {
    this.kept.clear()
    this.bytes = 0
  }
}

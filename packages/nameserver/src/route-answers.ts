/** Bytes of answers and their names that are kept: 100,000 topics of one broker, or 2,000 that are on a hundred. */
export const maxKeptRouteBytes = 32 * 1024 * 1024

/**
 * Encoded routes, kept for as long as nothing of the routes changes: clients ask for each topic every 30 s, and mostly
 * nothing is new. When the bytes that may be kept are reached those that are there stay: whoever asks for more topics than
 * that asks for them in turn, and would find none of what was kept last.
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
      this.kept.clear()
      this.bytes = 0
    }
    return this.kept.get(name)
  }

  /** Keeps an answer of the version that was asked for last. */
  keep(name: string, answer: Uint8Array): Uint8Array {
    const bytes = name.length + answer.length
    if (this.bytes + bytes > this.maxBytes) return answer
    this.kept.set(name, answer)
    this.bytes += bytes
    return answer
  }
}

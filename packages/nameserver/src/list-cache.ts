/** Lists that are kept: those of all topics, and of some clusters. */
const maxKept = 16

/**
 * Encoded lists of topics, kept for as long as the routes do not change: a list of 20,000 topics is five milliseconds of
 * work, and may be asked for hundreds of times in one packet.
 */
export class ListCache {
  private readonly kept = new Map<string, Uint8Array>()
  private readonly version: () => number
  private keptVersion = -1

  constructor(version: () => number) {
    this.version = version
  }

  get(name: string, make: () => Uint8Array): Uint8Array {
    if (this.version() !== this.keptVersion || this.kept.size >= maxKept) {
      this.kept.clear()
      this.keptVersion = this.version()
    }
    let list = this.kept.get(name)
    if (list === undefined) {
      list = make()
      this.kept.set(name, list)
    }
    return list
  }
}

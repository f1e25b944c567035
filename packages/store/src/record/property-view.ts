const nameEnd = 1
const pairEnd = 2

/**
 * The properties that the store itself looks at: where their values lie in a stored property string. Later pairs win, as
 * in RocketMQ; pairs without a name or a value are dropped (store.md 2.4). A position of -1 means absent.
 */
export class PropertyView {
  bytes: Buffer = Buffer.alloc(0)
  tagsAt = -1
  tagsEnd = -1
  keysAt = -1
  keysEnd = -1
  uniqueKeyAt = -1
  uniqueKeyEnd = -1
  delayAt = -1
  delayEnd = -1

  scan(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.tagsAt = this.keysAt = this.uniqueKeyAt = this.delayAt = -1
    let at = start
    while (at < end) {
      let equals = -1
      let stop = at
      for (; stop < end && bytes[stop] !== pairEnd; stop++) {
        if (equals === -1 && bytes[stop] === nameEnd) equals = stop
      }
      if (equals > at && stop > equals + 1) this.take(at, equals, stop)
      at = stop + 1
    }
  }

  /** Java's hash of the tag, 0 without one. */
  tagsHash(): number {
    return this.tagsAt < 0 ? 0 : plainHasher.ofBytes(this.bytes, this.tagsAt, this.tagsEnd)
  }

  /** The value of DELAY; 0 when it is absent or not a positive number. */
  delayLevel(): number {
    if (this.delayAt < 0) return 0
    const level = Number.parseInt(this.bytes.toString('latin1', this.delayAt, this.delayEnd), 10)
    return Number.isNaN(level) || level < 0 ? 0 : level
  }

  private take(at: number, equals: number, stop: number): void {
    const length = equals - at
    const first = this.bytes[at]
    if (first === 0x54 && length === 4 && this.named(at, 'TAGS')) {
      this.tagsAt = equals + 1
      this.tagsEnd = stop
    } else if (first === 0x4b && length === 4 && this.named(at, 'KEYS')) {
      this.keysAt = equals + 1
      this.keysEnd = stop
    } else if (first === 0x55 && length === 8 && this.named(at, 'UNIQ_KEY')) {
      this.uniqueKeyAt = equals + 1
      this.uniqueKeyEnd = stop
    } else if (first === 0x44 && length === 5 && this.named(at, 'DELAY')) {
      this.delayAt = equals + 1
      this.delayEnd = stop
    }
  }

  private named(at: number, name: string): boolean {
    for (let i = 1; i < name.length; i++) if (this.bytes[at + i] !== name.charCodeAt(i)) return false
    return true
  }
}

/** Java's String.hashCode. `seed` is the hash of what stands before the hashed part; 0 for nothing. */
export class JavaHasher {
  seed = 0

  /** Of UTF-8 bytes `[start, end)`. */
  ofBytes(bytes: Buffer, start: number, end: number): number {
    let hash = this.seed
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      // Only ASCII has one UTF-16 unit per byte.
      if (byte >= 0x80) return this.from(hash, bytes.toString('utf8', at, end))
      hash = (Math.imul(hash, 31) + byte) | 0
    }
    return hash
  }

  ofText(text: string): number {
    return this.from(this.seed, text)
  }

  private from(seed: number, text: string): number {
    let hash = seed
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
    return hash
  }
}

const plainHasher = new JavaHasher()

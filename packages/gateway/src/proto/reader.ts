/** Bytes that are no message of protocol buffers, or not the wanted one. */
export class ProtoError extends Error {
  override readonly name = 'ProtoError'
}

/** How deep messages, or groups that nobody knows, may stand in each other; those of the service go to five. */
const maxDepth = 32

/** Reads bytes of protocol buffers. Throws ProtoError wherever they end too early or are none. */
export class ProtoReader {
  at: number
  readonly end: number
  private readonly bytes: Buffer
  private readonly depth: number

  constructor(bytes: Buffer, bounds: { at: number; end: number } = { at: 0, end: bytes.length }, depth = 0) {
    this.bytes = bytes
    this.at = bounds.at
    this.end = bounds.end
    this.depth = depth
    if (depth > maxDepth) throw new ProtoError(`messages stand deeper than ${maxDepth} in each other`)
  }

  get isAtEnd(): boolean {
    return this.at >= this.end
  }

  /** 64 bits as a number: those beyond 2^53 come out near to what they are. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let i = 0; i < 10; i++) {
      if (this.at >= this.end) throw new ProtoError('a number goes on behind the end')
      const byte = this.bytes[this.at++]!
      // The tenth byte holds bit 63: the number is negative.
      if (i === 9 || (i === 8 && byte >= 0x80)) return this.wide(i)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
    throw new ProtoError('a number of more than 64 bits')
  }

  private wide(index: number): number {
    const start = this.at - index - 1
    let value = 0n
    for (let i = 0; i < 10; i++) {
      if (start + i >= this.end) throw new ProtoError('a number goes on behind the end')
      const byte = this.bytes[start + i]!
      value |= BigInt(byte & 0x7f) << BigInt(7 * i)
      if (byte >= 0x80) continue
      this.at = start + i + 1
      return Number(BigInt.asIntN(64, value))
    }
    throw new ProtoError('a number of more than 64 bits')
  }

  /** 32 bits with a sign; more of them are cut off, as everywhere. */
  int32(): number {
    const value = this.varint()
    return Number.isSafeInteger(value) ? Number(BigInt.asIntN(32, BigInt(value))) : 0
  }

  float(): number {
    const at = this.take(4)
    return this.bytes.readFloatLE(at)
  }

  /** The bounds of what has a length. */
  private take(length: number): number {
    const at = this.at
    if (length < 0 || at + length > this.end) throw new ProtoError('a field goes on behind the end')
    this.at += length
    return at
  }

  text(): string {
    const length = this.varint()
    const at = this.take(length)
    return this.bytes.toString('utf8', at, at + length)
  }

  /** A view; it lives as long as what is read from. */
  blob(): Buffer {
    const length = this.varint()
    const at = this.take(length)
    return this.bytes.subarray(at, at + length)
  }

  nested(): ProtoReader {
    const length = this.varint()
    const at = this.take(length)
    return new ProtoReader(this.bytes, { at, end: at + length }, this.depth + 1)
  }

  /** Passes over a field that nobody here knows. */
  skip(wire: number, depth = 0): void {
    if (wire === 0) this.varint()
    else if (wire === 1) this.take(8)
    else if (wire === 2) this.take(this.varint())
    else if (wire === 5) this.take(4)
    else if (wire === 3 && depth < maxDepth) this.skipGroup(depth)
    else throw new ProtoError(`a field of the unknown kind ${wire}`)
  }

  private skipGroup(depth: number): void {
    for (;;) {
      const wire = this.varint() % 8
      if (wire === 4) return
      this.skip(wire, depth + 1)
    }
  }
}

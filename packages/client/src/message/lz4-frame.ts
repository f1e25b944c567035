const frameMagic = 0x184d2204
const minMatch = 4

/**
 * Reads one LZ4 frame (the standard frame format: magic, descriptor, blocks, end mark). Checksums are skipped, since
 * the broker's CRC covers the whole body. Throws RangeError on what is no frame or would grow beyond `maxBytes`.
 */
export function decodeLz4Frame(bytes: Uint8Array, maxBytes: number): Buffer {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.length < 7 || view.readUInt32LE(0) !== frameMagic) throw new RangeError('no LZ4 frame')
  const flags = view[4]!
  const blockChecksum = (flags & 0x10) !== 0
  let at = 6 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0) + 1
  const out = new Output(maxBytes)
  for (;;) {
    const word = view.readUInt32LE(at)
    at += 4
    if (word === 0) return out.bytes()
    const size = word & 0x7fff_ffff
    if (at + size > view.length) throw new RangeError('an LZ4 block is cut short')
    if ((word & 0x8000_0000) !== 0) out.literals(view, at, size)
    else decodeBlock(view.subarray(at, at + size), out)
    at += size + (blockChecksum ? 4 : 0)
  }
}

function decodeBlock(block: Uint8Array, out: Output): void {
  let at = 0
  const length = (short: number): number => {
    let sum = short
    if (short !== 15) return sum
    for (;;) {
      const more = block[at++]
      if (more === undefined) throw new RangeError('an LZ4 block is cut short')
      sum += more
      if (more !== 255) return sum
    }
  }
  while (at < block.length) {
    const token = block[at++]!
    const literals = length(token >> 4)
    if (at + literals > block.length) throw new RangeError('an LZ4 block is cut short')
    out.literals(block, at, literals)
    at += literals
    // The last sequence of a block has literals only.
    if (at >= block.length) return
    if (at + 2 > block.length) throw new RangeError('an LZ4 block is cut short')
    const back = block[at]! | (block[at + 1]! << 8)
    at += 2
    out.match(back, length(token & 15) + minMatch)
  }
}

class Output {
  private readonly limit: number
  private buffer = Buffer.allocUnsafe(16 * 1024)
  private length = 0

  constructor(limit: number) {
    this.limit = limit
  }

  literals(from: Uint8Array, at: number, count: number): void {
    this.reserve(count)
    this.buffer.set(from.subarray(at, at + count), this.length)
    this.length += count
  }

  /** Copies byte by byte, since a match may overlap what it writes. */
  match(back: number, count: number): void {
    if (back === 0 || back > this.length) throw new RangeError('an LZ4 match points before the start')
    this.reserve(count)
    for (let i = 0; i < count; i++) this.buffer[this.length + i] = this.buffer[this.length + i - back]!
    this.length += count
  }

  bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private reserve(count: number): void {
    const wanted = this.length + count
    if (wanted > this.limit) throw new RangeError(`more than ${this.limit} bytes`)
    if (wanted <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(wanted, this.buffer.length * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
  }
}

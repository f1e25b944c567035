import { BufferView } from '../message/buffer-view.ts'

/**
 * A growing buffer that replies are written into. Plain offsets instead of streams: a reply of the hot path costs no
 * object. The buffer is reused once its bytes have been sent.
 */
export class ByteWriter {
  bytes: Buffer
  at = 0

  constructor(capacity = 1024) {
    this.bytes = Buffer.allocUnsafeSlow(capacity)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.at + count
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.at))
    this.bytes = grown
  }

  raw(bytes: Uint8Array): void {
    const { length } = bytes
    this.reserve(length)
    // A call costs more than a loop over so few.
    if (length < 32) for (let i = 0; i < length; i++) this.bytes[this.at + i] = bytes[i]!
    else this.bytes.set(bytes, this.at)
    this.at += length
  }

  /** ASCII text of a few bytes. */
  ascii(text: string): void {
    this.reserve(text.length)
    this.at += this.bytes.write(text, this.at, 'latin1')
  }

  utf8(text: string): void {
    this.reserve(text.length * 3)
    this.at += this.bytes.write(text, this.at, 'utf8')
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.at++] = value
  }

  int16(value: number): void {
    this.reserve(2)
    this.at = this.bytes.writeInt16BE(value, this.at)
  }

  int32(value: number): void {
    this.reserve(4)
    this.at = this.bytes.writeInt32BE(value | 0, this.at)
  }

  /** A safe integer in decimal, without making a string for what is not negative. */
  decimal(value: number): void {
    if (value < 0) {
      this.ascii(String(value))
      return
    }
    this.reserve(17)
    const { bytes } = this
    const digits = decimalDigits(value)
    let at = this.at + digits
    this.at = at
    let rest = value
    while (rest > 0x3fff_ffff) {
      const head = Math.floor(rest / 10)
      bytes[--at] = 48 + (rest - head * 10)
      rest = head
    }
    let small = rest | 0
    do {
      const head = (small / 10) | 0
      bytes[--at] = 48 + (small - head * 10)
      small = head
    } while (small > 0)
  }

  /** 16 upper-case hex digits of a non-negative safe integer. */
  hex64(value: number): void {
    this.reserve(16)
    const high = Math.floor(value / 0x1_0000_0000)
    this.hex32(high)
    this.hex32(value - high * 0x1_0000_0000)
  }

  private hex32(value: number): void {
    const view = views.of(this.bytes)
    const at = views.base + this.at
    view.setUint16(at, hexPairs[value >>> 24]!)
    view.setUint16(at + 2, hexPairs[(value >>> 16) & 0xff]!)
    view.setUint16(at + 4, hexPairs[(value >>> 8) & 0xff]!)
    view.setUint16(at + 6, hexPairs[value & 0xff]!)
    this.at += 8
  }
}

const views = new BufferView()
/** Two digits of each byte, as one number: ids of batches are most of what replies say. */
const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).toUpperCase().padStart(2, '0')).readUInt16BE(),
)

/** How many decimal digits a non-negative safe integer has. */
export function decimalDigits(value: number): number {
  if (value < 10) return 1
  if (value < 100) return 2
  if (value < 1000) return 3
  if (value < 10_000) return 4
  if (value < 100_000) return 5
  let digits = 6
  let bound = 1_000_000
  while (value >= bound && digits < 16) {
    bound *= 10
    digits++
  }
  return digits
}

/** Bytes of protocol buffers; grows. Lengths of nested messages are put in when they are known. */
export class ProtoWriter {
  bytes: Buffer
  at = 0

  constructor(capacity = 256) {
    this.bytes = Buffer.allocUnsafe(capacity)
  }

  /** What is written so far: a view of it. */
  done(): Buffer {
    return this.bytes.subarray(0, this.at)
  }

  private room(count: number): void {
    if (this.at + count <= this.bytes.length) return
    const bytes = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.at + count))
    this.bytes.copy(bytes, 0, 0, this.at)
    this.bytes = bytes
  }

  /** A safe integer as a varint; a negative one takes ten bytes, as 64 bits of two's complement. */
  varint(value: number): void {
    this.room(10)
    if (value < 0) {
      this.negative(value)
      return
    }
    let rest = value
    while (rest > 0x7f) {
      this.bytes[this.at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.bytes[this.at++] = rest
  }

  private negative(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 0x7fn; rest >>= 7n) this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80
    this.bytes[this.at++] = Number(rest)
  }

  tag(number: number, wire: number): void {
    this.varint(number * 8 + wire)
  }

  float(value: number): void {
    this.room(4)
    this.at = this.bytes.writeFloatLE(value, this.at)
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.varint(length)
    this.room(length)
    this.at += this.bytes.write(value, this.at)
  }

  blob(value: Uint8Array): void {
    this.varint(value.length)
    this.room(value.length)
    this.bytes.set(value, this.at)
    this.at += value.length
  }

  /** Something whose length stands before it. Short ones, which most are, leave their one byte where it is. */
  nested(write: () => void): void {
    this.room(1)
    const start = ++this.at
    write()
    const length = this.at - start
    if (length < 0x80) {
      this.bytes[start - 1] = length
      return
    }
    let more = 0
    for (let rest = length; rest > 0x7f; rest = Math.floor(rest / 128)) more++
    this.room(more)
    this.bytes.copyWithin(start + more, start, this.at)
    this.at = start - 1
    this.varint(length)
    this.at += length
  }
}

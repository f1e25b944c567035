import { type ByteWriter, binaryEntry } from '@skua-mq/protocol'

/** Longest id that is kept as bytes: those of clients have 32 characters. V8 keeps so few bytes inside the array. */
const maxPlainBytes = 64

/**
 * The unique id of a message, kept until its reply is written. Nearly every id is plain ASCII and short, and stays the
 * bytes that came: no string is made for it. (With strings a send cost 0.3 µs more.)
 */
export class ReplyId {
  private readonly plain = new Uint8Array(maxPlainBytes)
  private length = 0
  /** An id that is long, or that JSON writes in another way. */
  private text = ''

  get isEmpty(): boolean {
    return this.length === 0 && this.text === ''
  }

  clear(): void {
    this.length = 0
    this.text = ''
  }

  set(text: string): void {
    this.length = 0
    this.text = text
  }

  /** Takes the UTF-8 text of `from[start, end)`. */
  copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start
    this.clear()
    if (length <= maxPlainBytes && this.copyPlain(from, start, length)) this.length = length
    else this.text = Buffer.from(from.buffer, from.byteOffset + start, length).toString('utf8')
  }

  private copyPlain(from: Uint8Array, start: number, length: number): boolean {
    const { plain } = this
    for (let i = 0; i < length; i++) {
      const byte = from[start + i] as number
      if (!isPlain(byte)) return false
      plain[i] = byte
    }
    return true
  }

  /** As a JSON string, quotes included. */
  json(out: ByteWriter): void {
    if (this.text !== '') {
      out.utf8(JSON.stringify(this.text))
      return
    }
    out.byte(quote)
    this.bytes(out)
    out.byte(quote)
  }

  /** The entry of a binary header. */
  binary(out: ByteWriter, name: string): void {
    if (this.text !== '') {
      binaryEntry(out, name, this.text)
      return
    }
    out.int16(name.length)
    out.ascii(name)
    out.int32(this.length)
    this.bytes(out)
  }

  private bytes(out: ByteWriter): void {
    const { length, plain } = this
    out.reserve(length)
    const { bytes, at } = out
    for (let i = 0; i < length; i++) bytes[at + i] = plain[i] as number
    out.at = at + length
  }
}

const quote = 0x22
const backslash = 0x5c

/** What JSON writes as it is, in one byte. */
const isPlain = (byte: number): boolean => byte >= 0x20 && byte < 0x7f && byte !== quote && byte !== backslash

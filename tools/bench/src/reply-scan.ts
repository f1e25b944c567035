/** What the generator wants of a reply. */
export interface Reply {
  code: number
  opaque: number
  /** Where the next pull begins; -1 where the reply does not say. */
  next: number
  bodyBytes: number
}

const opaqueKey = Buffer.from('"opaque":')
const nextKey = Buffer.from('"nextBeginOffset":"')

/** Reads replies off a connection without decoding them: the generator must not be the bottleneck. */
export class ReplyScan {
  private tail: Buffer = Buffer.alloc(0)
  private readonly reply: Reply = { code: 0, opaque: 0, next: -1, bodyBytes: 0 }

  push(chunk: Buffer, each: (reply: Reply) => void): void {
    const bytes = this.tail.length === 0 ? chunk : Buffer.concat([this.tail, chunk])
    let at = 0
    while (at + 8 <= bytes.length) {
      const end = at + 4 + bytes.readInt32BE(at)
      if (end > bytes.length) break
      this.read(bytes, at, end)
      each(this.reply)
      at = end
    }
    this.tail = at === bytes.length ? none : Buffer.from(bytes.subarray(at))
  }

  private read(bytes: Buffer, start: number, end: number): void {
    const { reply } = this
    const headerLength = bytes.readInt32BE(start + 4) & 0xff_ffff
    const headerEnd = start + 8 + headerLength
    reply.bodyBytes = end - headerEnd
    if (bytes[start + 4] === 1) {
      reply.code = bytes.readInt16BE(start + 8)
      reply.opaque = bytes.readInt32BE(start + 13)
      reply.next = -1
      return
    }
    reply.code = decimal(bytes, start + 8 + 8)
    const at = bytes.indexOf(opaqueKey, start + 8)
    reply.opaque = decimal(bytes, at + opaqueKey.length)
    const next = reply.bodyBytes > 0 || reply.code !== 0 ? bytes.subarray(start + 8, headerEnd).indexOf(nextKey) : -1
    reply.next = next < 0 ? -1 : decimal(bytes, start + 8 + next + nextKey.length)
  }
}

const none = Buffer.alloc(0)

function decimal(bytes: Buffer, from: number): number {
  let value = 0
  for (let at = from; ; at++) {
    const digit = (bytes[at] ?? 0) - 48
    if (digit < 0 || digit > 9) return value
    value = value * 10 + digit
  }
}

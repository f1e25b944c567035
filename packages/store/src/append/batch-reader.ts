import type { Draft } from '../put.ts'
import type { Content } from '../record/format.ts'

/** totalSize, magic, CRC, flag, bodyLength; then the body, propertiesLength int16, properties (remoting.md 14.5). */
const headBytes = 20

/** Walks the messages in a batch body. Reused. */
export class BatchReader {
  /** Messages read so far. */
  count = 0
  damaged = false
  /** Longest property string seen, with the batch's own behind it. */
  longestProperties = 0
  private bytes: Buffer = Buffer.alloc(0)
  private at = 0
  private end = 0

  open(draft: Draft): void {
    const { body } = draft
    this.bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.length)
    this.at = draft.bodyStart
    this.end = draft.bodyEnd
    this.count = 0
    this.longestProperties = 0
    this.damaged = draft.bodyStart === draft.bodyEnd
  }

  /** Points `into` at the next message; false at the end, or where the batch is damaged. */
  next(into: Content): boolean {
    if (this.damaged || this.at === this.end) return false
    const { bytes, at } = this
    this.damaged = true
    if (this.end - at < headBytes + 2) return false
    const size = bytes.readInt32BE(at)
    const bodyLength = bytes.readInt32BE(at + 16)
    if (size > this.end - at || bodyLength < 0 || headBytes + bodyLength + 2 > size) return false
    const propertiesLength = bytes.readInt16BE(at + headBytes + bodyLength)
    if (propertiesLength < 0 || headBytes + bodyLength + 2 + propertiesLength !== size) return false
    this.damaged = false
    into.flag = bytes.readInt32BE(at + 12)
    into.body.bytes = bytes
    into.body.start = at + headBytes
    into.body.end = into.body.start + bodyLength
    into.properties.bytes = bytes
    into.properties.start = into.body.end + 2
    into.properties.end = at + size
    this.longestProperties = Math.max(this.longestProperties, into.propertiesSize)
    this.at = at + size
    this.count++
    return true
  }
}

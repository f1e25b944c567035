import { createHmac, hash } from 'node:crypto'
import { copySigned, type HeaderScan } from '@skua-mq/protocol'

const blockBytes = 64
const digestBytes = 20

/** Up to here text and body are put side by side: two calls of a whole hash cost two thirds of one HMAC. */
const shortBytes = 64 * 1024

/** One for all: nothing of it is needed when a signature is made. */
const inner = Buffer.allocUnsafeSlow(blockBytes + shortBytes)
const outer = Buffer.allocUnsafeSlow(blockBytes + digestBytes)

/** HMAC-SHA1 (RFC 2104) with one key, as Base64. */
export class Mac {
  private readonly key: string
  /** The key, padded, over 0x36 and over 0x5c. */
  private readonly pads: readonly [Uint8Array, Uint8Array]

  constructor(key: string) {
    this.key = key
    const bytes = Buffer.from(key)
    const block = Buffer.alloc(blockBytes)
    block.set(bytes.length > blockBytes ? Buffer.from(hash('sha1', bytes, 'hex'), 'hex') : bytes)
    this.pads = [block.map(byte => byte ^ 0x36), block.map(byte => byte ^ 0x5c)]
  }

  of(text: string, body: Uint8Array | undefined): string {
    const bodyBytes = body?.length ?? 0
    if (text.length * 3 + bodyBytes > shortBytes) return this.ofLong(text, body)
    inner.set(this.pads[0])
    const at = blockBytes + inner.write(text, blockBytes)
    if (body !== undefined) inner.set(body, at)
    return this.closed(at + bodyBytes)
  }

  /** The same of a request where it stands in the read buffer; undefined where only the decoder can say what is signed. */
  ofScan(scan: HeaderScan): string | undefined {
    inner.set(this.pads[0])
    const at = copySigned(scan, inner, blockBytes)
    const end = at + scan.bodyEnd - scan.bodyStart
    if (at < 0 || end > inner.length) return undefined
    scan.bytes.copy(inner, at, scan.bodyStart, scan.bodyEnd)
    return this.closed(end)
  }

  private closed(end: number): string {
    outer.set(this.pads[1])
    outer.write(hash('sha1', inner.subarray(0, end), 'binary'), blockBytes, 'binary')
    return hash('sha1', outer, 'base64')
  }

  private ofLong(text: string, body: Uint8Array | undefined): string {
    const hmac = createHmac('sha1', this.key).update(text)
    if (body !== undefined) hmac.update(body)
    return hmac.digest('base64')
  }
}

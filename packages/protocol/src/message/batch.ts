import { readInt, writeInt } from './record.ts'

/** One message of a batch body (remoting.md 14.5), as positions in the bytes that were read. */
export interface BatchedSpan {
  bytes: Uint8Array
  flag: number
  bodyStart: number
  bodyEnd: number
  propertiesStart: number
  propertiesEnd: number
}

/** One message to be put into a batch body. */
export interface BatchedMessage {
  flag: number
  body: Uint8Array
  /** Properties text, UTF-8, at most 32767 bytes. */
  properties: Uint8Array
}

/** Why bytes are not a batch; `position` is that of the first byte that cannot be. */
export interface BatchRefusal {
  readonly position: number
  readonly remark: string
}

/** Bytes of a message in a batch, besides body and properties. */
const fixedBytes = 22

/**
 * Visits each message of the batch in [start, end) in order, without copying; the span is reused and valid until `visit`
 * returns. Returns how many there were, or a refusal, and then none was visited: the batch is checked first, so that a broken one
 * leaves no half of itself behind.
 */
export function forEachBatched(
  bytes: Uint8Array,
  range: { start: number; end: number },
  visit: (message: BatchedSpan) => void,
): number | BatchRefusal {
  const end = Math.min(range.end, bytes.length)
  const span: BatchedSpan = { bytes, flag: 0, bodyStart: 0, bodyEnd: 0, propertiesStart: 0, propertiesEnd: 0 }
  let count = 0
  for (let at = range.start; at < end; count++) {
    const refusal = layOut(span, at, end)
    if (refusal !== undefined) return refusal
    at = span.propertiesEnd
  }
  for (let at = range.start; at < end; at = span.propertiesEnd) {
    layOut(span, at, end)
    visit(span)
  }
  return count
}

/**
 * Finds the parts of the message at `at`. Its end is where its parts end: of total size, magic and CRC nothing is looked
 * at, as in Java, because no client had to get them right.
 */
function layOut(span: BatchedSpan, at: number, end: number): BatchRefusal | undefined {
  const { bytes } = span
  if (end - at < fixedBytes) return { position: at, remark: `${end - at} bytes are too few for a message of a batch` }
  const bodyLength = readInt(bytes, at + 16)
  span.flag = readInt(bytes, at + 12)
  span.bodyStart = at + 20
  span.bodyEnd = span.bodyStart + bodyLength
  if (bodyLength < 0 || span.bodyEnd + 2 > end) {
    return { position: at + 16, remark: `a body of ${bodyLength} bytes does not fit the batch` }
  }
  const propertiesLength = ((bytes[span.bodyEnd]! << 24) >> 16) | bytes[span.bodyEnd + 1]!
  span.propertiesStart = span.bodyEnd + 2
  span.propertiesEnd = span.propertiesStart + propertiesLength
  if (propertiesLength < 0 || span.propertiesEnd > end) {
    return { position: span.bodyEnd, remark: `properties of ${propertiesLength} bytes do not fit the batch` }
  }
  return undefined
}

/** Reads a whole batch body; bodies and properties are views of it. */
export function decodeBatch(bytes: Uint8Array): BatchedMessage[] | BatchRefusal {
  const messages: BatchedMessage[] = []
  const count = forEachBatched(bytes, { start: 0, end: bytes.length }, span =>
    messages.push({
      flag: span.flag,
      body: bytes.subarray(span.bodyStart, span.bodyEnd),
      properties: bytes.subarray(span.propertiesStart, span.propertiesEnd),
    }),
  )
  return typeof count === 'number' ? messages : count
}

/** Bytes that a message takes in a batch. */
export function batchedSize(message: BatchedMessage): number {
  return fixedBytes + message.body.length + message.properties.length
}

/** Writes a batch body. Throws RangeError on properties over 32767 bytes. */
export function encodeBatch(messages: readonly BatchedMessage[]): Buffer {
  const batch = Buffer.alloc(messages.reduce((sum, message) => sum + batchedSize(message), 0))
  let at = 0
  for (const message of messages) {
    const size = batchedSize(message)
    writeInt(batch, at, size)
    writeInt(batch, at + 12, message.flag)
    writeInt(batch, at + 16, message.body.length)
    batch.set(message.body, at + 20)
    batch.writeInt16BE(message.properties.length, at + 20 + message.body.length)
    batch.set(message.properties, at + 22 + message.body.length)
    at += size
  }
  return batch
}

import { BufferView } from './buffer-view.ts'
import { bodyCrc, copyWithCrc, crcNativeFrom } from './crc.ts'
import { hostBytesV6 } from './host.ts'
import { maxPropertiesBytes, propertySeparator } from './properties.ts'
import { maxTopicBytesV1, RecordAt, RecordMagic, writeInt } from './record.ts'
import { SpanCopy, spanOf } from './span-copy.ts'
import { SysFlag } from './sys-flag.ts'

/** All that a record says. Body and properties are spans of buffers which belong to the caller, and are copied. */
export interface RecordDraft {
  queueId: number
  flag: number
  queueOffset: number
  physicalOffset: number
  /** The bits of IPv6 hosts are set from the hosts' lengths. */
  sysFlag: number
  /** Milliseconds since 1970. */
  bornTimestamp: number
  /** 8 or 20 bytes: see host.ts. */
  bornHost: Uint8Array
  /** Milliseconds since 1970. */
  storeTimestamp: number
  /** 8 or 20 bytes. */
  storeHost: Uint8Array
  reconsumeTimes: number
  preparedTransactionOffset: number
  body: Uint8Array
  bodyStart: number
  bodyEnd: number
  /** UTF-8; longer than 127 bytes makes the record a V2. */
  topic: Uint8Array
  /** Properties text, UTF-8, at most 32767 bytes. */
  properties: Uint8Array
  propertiesStart: number
  propertiesEnd: number
  /** What follows the properties: of a message in a batch, the properties of the batch. */
  tail: Uint8Array
  tailStart: number
  tailEnd: number
  /** 1 where a separator is missing between properties and tail, else 0. */
  tailGap: number
}

const nothing = new Uint8Array(0)
const noHost = new Uint8Array(8)

/** A draft with nothing in it but what is given. `body` and `properties` are taken whole unless the spans are given, too. */
export function draftRecord(parts: Partial<RecordDraft>): RecordDraft {
  const body = parts.body ?? nothing
  const properties = parts.properties ?? nothing
  return {
    queueId: 0,
    flag: 0,
    queueOffset: 0,
    physicalOffset: 0,
    sysFlag: 0,
    bornTimestamp: 0,
    bornHost: noHost,
    storeTimestamp: 0,
    storeHost: noHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    bodyStart: 0,
    bodyEnd: body.length,
    topic: nothing,
    propertiesStart: 0,
    propertiesEnd: properties.length,
    tail: nothing,
    tailStart: 0,
    tailEnd: 0,
    tailGap: 0,
    ...parts,
    body,
    properties,
  }
}

/** Bytes of all fields but hosts, body, topic and properties, with the topic's length in one byte. */
const fixedBytes = 75

/** Bytes that `writeRecord` will write. */
export function recordSize(draft: RecordDraft): number {
  const { topic } = draft
  return (
    fixedBytes +
    draft.bornHost.length +
    draft.storeHost.length +
    (draft.bodyEnd - draft.bodyStart) +
    (topic.length > maxTopicBytesV1 ? 1 : 0) +
    topic.length +
    recordPropertiesLength(draft)
  )
}

/** Bytes of properties and tail. */
export function recordPropertiesLength(draft: RecordDraft): number {
  return draft.propertiesEnd - draft.propertiesStart + draft.tailGap + (draft.tailEnd - draft.tailStart)
}

/** Of the log, of bodies, of properties and of their tails: each in buffers of its own. */
const outputs = new BufferView()
const bodies = new BufferView()
const properties = new SpanCopy()
const tails = new SpanCopy()

/**
 * Writes the record at `at`, where `recordSize` bytes must be free, and returns the position behind it. Allocates
 * nothing, because it runs for each stored message, and writes words by DataView, which costs half of what single bytes
 * do. Throws RangeError on a draft that the format cannot hold: refuse those before.
 */
export function writeRecord(into: Uint8Array, at: number, draft: RecordDraft): number {
  const size = recordSize(draft)
  const { topic, bornHost, storeHost } = draft
  const propertiesLength = recordPropertiesLength(draft)
  if (propertiesLength > maxPropertiesBytes || topic.length > 0x7fff || at + size > into.length) {
    throw new RangeError(`a record of ${size} bytes at ${at} does not fit`)
  }
  const out = outputs.of(into)
  const { base } = outputs
  const bodyLength = draft.bodyEnd - draft.bodyStart
  const v2 = topic.length > maxTopicBytesV1
  out.setInt32(base + at, size)
  out.setInt32(base + at + RecordAt.magic, v2 ? RecordMagic.v2 : RecordMagic.v1)
  writeHead(out, base + at, draft)
  let to = copyFew(into, at + RecordAt.bornHost, bornHost)
  setLong(out, base + to, draft.storeTimestamp)
  to = copyFew(into, to + 8, storeHost)
  out.setInt32(base + to, draft.reconsumeTimes)
  setLong(out, base + to + 4, draft.preparedTransactionOffset)
  out.setInt32(base + to + 12, bodyLength)
  to += 16
  out.setInt32(base + at + RecordAt.bodyCrc, writeBody(into, to, draft))
  to += bodyLength
  if (v2) into[to++] = topic.length >> 8
  into[to++] = topic.length
  to = copyFew(into, to, topic)
  into[to] = propertiesLength >> 8
  into[to + 1] = propertiesLength
  to = properties.copy(into, to + 2, draft.properties, draft.propertiesStart, draft.propertiesEnd)
  if (draft.tailGap === 1) into[to++] = propertySeparator
  return tails.copy(into, to, draft.tail, draft.tailStart, draft.tailEnd)
}

/** The fields at fixed positions, but for size, magic and CRC. */
function writeHead(out: DataView, at: number, draft: RecordDraft): void {
  const born = draft.bornHost.length === hostBytesV6 ? SysFlag.bornHostV6 : 0
  const store = draft.storeHost.length === hostBytesV6 ? SysFlag.storeHostV6 : 0
  out.setInt32(at + RecordAt.queueId, draft.queueId)
  out.setInt32(at + RecordAt.flag, draft.flag)
  setLong(out, at + RecordAt.queueOffset, draft.queueOffset)
  setLong(out, at + RecordAt.physicalOffset, draft.physicalOffset)
  const hosts = SysFlag.bornHostV6 | SysFlag.storeHostV6
  out.setInt32(at + RecordAt.sysFlag, (draft.sysFlag & ~hosts) | born | store)
  setLong(out, at + RecordAt.bornTimestamp, draft.bornTimestamp)
}

const word = 0x1_0000_0000

function setLong(out: DataView, at: number, value: number): void {
  out.setInt32(at, Math.floor(value / word))
  out.setInt32(at + 4, value)
}

/** Copies the body and returns its CRC. */
function writeBody(into: Uint8Array, at: number, { body, bodyStart, bodyEnd }: RecordDraft): number {
  const length = bodyEnd - bodyStart
  if (length < crcNativeFrom) {
    const source = bodies.of(body)
    return copyWithCrc(source, bodies.base + bodyStart, length, outputs.of(into), outputs.base + at)
  }
  into.set(spanOf(body, bodyStart, bodyEnd), at)
  return bodyCrc(body, bodyStart, bodyEnd)
}

function copyFew(into: Uint8Array, at: number, from: Uint8Array): number {
  for (let i = 0; i < from.length; i++) into[at + i] = from[i]!
  return at + from.length
}

/** Fills the rest of a segment: `size` is what remains, these 8 bytes included (store.md 2.5). */
export function writeBlankRecord(into: Uint8Array, at: number, size: number): number {
  writeInt(into, at, size)
  writeInt(into, at + RecordAt.magic, RecordMagic.blank)
  return at + 8
}

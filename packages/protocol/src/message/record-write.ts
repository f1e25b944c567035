import { bodyCrc } from './crc.ts'
import { hostBytesV6 } from './host.ts'
import { maxPropertiesBytes, propertySeparator } from './properties.ts'
import { maxTopicBytesV1, RecordAt, RecordMagic, writeInt, writeLong } from './record.ts'
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

/**
 * Writes the record at `at`, where `recordSize` bytes must be free, and returns the position behind it. Allocates
 * nothing, because it runs for each stored message. Throws RangeError on a draft that the format cannot hold: refuse those before.
 */
export function writeRecord(into: Uint8Array, at: number, draft: RecordDraft): number {
  const size = recordSize(draft)
  const { topic, bornHost, storeHost } = draft
  const propertiesLength = recordPropertiesLength(draft)
  if (propertiesLength > maxPropertiesBytes || topic.length > 0x7fff || at + size > into.length) {
    throw new RangeError(`a record of ${size} bytes at ${at} does not fit`)
  }
  const v2 = topic.length > maxTopicBytesV1
  writeHead(into, at, draft)
  writeInt(into, at, size)
  writeInt(into, at + RecordAt.magic, v2 ? RecordMagic.v2 : RecordMagic.v1)
  let to = copy(into, at + RecordAt.bornHost, bornHost, 0, bornHost.length)
  writeLong(into, to, draft.storeTimestamp)
  to = copy(into, to + 8, storeHost, 0, storeHost.length)
  writeInt(into, to, draft.reconsumeTimes)
  writeLong(into, to + 4, draft.preparedTransactionOffset)
  writeInt(into, to + 12, draft.bodyEnd - draft.bodyStart)
  to = copy(into, to + 16, draft.body, draft.bodyStart, draft.bodyEnd)
  if (v2) into[to++] = topic.length >> 8
  into[to++] = topic.length
  to = copy(into, to, topic, 0, topic.length)
  into[to] = propertiesLength >> 8
  into[to + 1] = propertiesLength
  to = copy(into, to + 2, draft.properties, draft.propertiesStart, draft.propertiesEnd)
  if (draft.tailGap === 1) into[to++] = propertySeparator
  return copy(into, to, draft.tail, draft.tailStart, draft.tailEnd)
}

/** The fields at fixed positions, but for size and magic. */
function writeHead(into: Uint8Array, at: number, draft: RecordDraft): void {
  const born = draft.bornHost.length === hostBytesV6 ? SysFlag.bornHostV6 : 0
  const store = draft.storeHost.length === hostBytesV6 ? SysFlag.storeHostV6 : 0
  const crc = draft.bodyEnd === draft.bodyStart ? 0 : bodyCrc(draft.body, draft.bodyStart, draft.bodyEnd)
  writeInt(into, at + RecordAt.bodyCrc, crc)
  writeInt(into, at + RecordAt.queueId, draft.queueId)
  writeInt(into, at + RecordAt.flag, draft.flag)
  writeLong(into, at + RecordAt.queueOffset, draft.queueOffset)
  writeLong(into, at + RecordAt.physicalOffset, draft.physicalOffset)
  const hosts = SysFlag.bornHostV6 | SysFlag.storeHostV6
  writeInt(into, at + RecordAt.sysFlag, (draft.sysFlag & ~hosts) | born | store)
  writeLong(into, at + RecordAt.bornTimestamp, draft.bornTimestamp)
}

/** A loop is quicker below about 48 bytes, TypedArray.set above (architecture.md 2). Five numbers, since an object per copy costs more. */
function copy(into: Uint8Array, at: number, from: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length < 48) for (let i = 0; i < length; i++) into[at + i] = from[start + i]!
  // Not subarray: a Buffer's own costs twice as much, and every message has a body and properties.
  else
    into.set(
      start === 0 && end === from.length ? from : new Uint8Array(from.buffer, from.byteOffset + start, end - start),
      at,
    )
  return at + length
}

/** Fills the rest of a segment: `size` is what remains, these 8 bytes included (store.md 2.5). */
export function writeBlankRecord(into: Uint8Array, at: number, size: number): number {
  writeInt(into, at, size)
  writeInt(into, at + RecordAt.magic, RecordMagic.blank)
  return at + 8
}

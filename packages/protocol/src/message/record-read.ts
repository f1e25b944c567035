import { type Host, hostBytesV6, readHost } from './host.ts'
import { offsetMessageId } from './id.ts'
import { utf8 } from './java-hash.ts'
import { type Properties, parseProperties } from './properties.ts'
import {
  bodyCrcMatches,
  layOutRecord,
  RecordAt,
  RecordLayout,
  RecordMagic,
  readInt,
  readLong,
  topicOf,
} from './record.ts'

/** A stored message as an object (remoting.md 14.4). */
export interface StoredMessage {
  /** Bytes of the record as it states them. */
  storeSize: number
  bodyCrc: number
  queueId: number
  flag: number
  queueOffset: number
  physicalOffset: number
  sysFlag: number
  /** Milliseconds since 1970. */
  bornTimestamp: number
  bornHost: Host
  /** Milliseconds since 1970. */
  storeTimestamp: number
  storeHost: Host
  reconsumeTimes: number
  preparedTransactionOffset: number
  /** As stored, maybe compressed; a view of the bytes that were read. */
  body: Uint8Array
  topic: string
  properties: Properties
  /** Made from store host and physical offset (remoting.md 14.6). */
  offsetMsgId: string
}

/** A decoded record and where it ends, which is not where it says when it is unsound. */
export interface ReadRecord {
  message: StoredMessage
  next: number
}

export interface ReadOptions {
  /** Nothing from here on is read; default: all bytes. */
  end?: number
  /** A body that its CRC contradicts makes the record undecodable; default false, as in Java's clients. */
  verifyCrc?: boolean
}

/** Reads the record at `at`. Undefined when it is none, or does not end by `end`. */
export function readRecord(bytes: Uint8Array, at = 0, options: ReadOptions = {}): ReadRecord | undefined {
  const end = Math.min(options.end ?? bytes.length, bytes.length)
  const layout = new RecordLayout()
  if (!layOutRecord(bytes, at, { end, layout })) return undefined
  const magic = readInt(bytes, at + RecordAt.magic)
  if (magic !== RecordMagic.v1 && magic !== RecordMagic.v2) return undefined
  if (options.verifyCrc === true && !bodyCrcMatches(bytes, layout)) return undefined
  return { message: toMessage(bytes, layout), next: at + layout.size }
}

function toMessage(bytes: Uint8Array, layout: RecordLayout): StoredMessage {
  const { at } = layout
  const storeHost = bytes.subarray(layout.storeHostAt, layout.reconsumeTimesAt)
  const physicalOffset = readLong(bytes, at + RecordAt.physicalOffset)
  const propertiesEnd = layout.propertiesAt + layout.propertiesLength
  return {
    storeSize: readInt(bytes, at),
    bodyCrc: readInt(bytes, at + RecordAt.bodyCrc),
    queueId: readInt(bytes, at + RecordAt.queueId),
    flag: readInt(bytes, at + RecordAt.flag),
    queueOffset: readLong(bytes, at + RecordAt.queueOffset),
    physicalOffset,
    sysFlag: layout.sysFlag,
    bornTimestamp: readLong(bytes, at + RecordAt.bornTimestamp),
    bornHost: readHost(bytes, layout.bornHostAt, layout.storeTimestampAt - layout.bornHostAt === hostBytesV6),
    storeTimestamp: readLong(bytes, layout.storeTimestampAt),
    storeHost: readHost(bytes, layout.storeHostAt, storeHost.length === hostBytesV6),
    reconsumeTimes: readInt(bytes, layout.reconsumeTimesAt),
    preparedTransactionOffset: readLong(bytes, layout.preparedTransactionOffsetAt),
    body: bytes.subarray(layout.bodyAt, layout.bodyAt + layout.bodyLength),
    topic: topicOf(bytes, layout),
    properties: parseProperties(utf8(bytes, layout.propertiesAt, propertiesEnd)),
    offsetMsgId: offsetMessageId(storeHost, physicalOffset),
  }
}

/** The messages of a pull's answer, up to the first that is undecodable: Java's clients stop there without a word, too. */
export function* decodeRecords(bytes: Uint8Array, options: ReadOptions = {}): Generator<StoredMessage, void, void> {
  let read = readRecord(bytes, 0, options)
  while (read !== undefined) {
    yield read.message
    read = readRecord(bytes, read.next, options)
  }
}

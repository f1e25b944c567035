import { isUtf8 } from 'node:buffer'
import type { FoundMessage } from '@skua-mq/admin'
import {
  bool,
  int,
  list,
  number,
  oneOf,
  optional,
  orNull,
  record,
  type Schema,
  shape,
  text,
  type ValueOf,
} from './schema.ts'

/** Longest names: RocketMQ's own bounds are 127 and 255, with prefixes. */
export const topicName = text({ min: 1, max: 300, help: 'name of the topic' })
export const groupName = text({ min: 1, max: 300, help: 'name of the group' })
export const brokerName = text({ min: 1, max: 255, help: 'name of the broker' })
export const address = text({ min: 3, max: 300, help: 'host:port' })
export const messageId = text({ min: 1, max: 128, help: 'unique id, or offset id' })
export const clientIdText = text({ min: 1, max: 512, help: 'id of the client' })
export const count = int({ min: 0 })
export const ms = int({ help: 'milliseconds since 1970' })

/** Texts of an answer: bounded so that the form is true, and far above what there is. */
export const told = text({ max: 1_000_000 })
/** A body that is whole: what is inflated ends at 64 MiB, as base64. */
const content = text({ max: 100_000_000 })

/** Characters of a body in a list, and bytes of one that is shown whole. */
const previewLength = 200
export const maxShownBytes = 256 * 1024

/** A message in a list. */
export const messageRow = shape({
  topic: told,
  msgId: told,
  offsetMsgId: told,
  brokerName: told,
  queueId: int(),
  queueOffset: int(),
  storedAtMs: ms,
  bornAtMs: ms,
  tags: orNull(told),
  keys: list(told, { max: 10_000 }),
  reconsumeTimes: int(),
  size: count,
  preview: told,
  /** Bytes of the body behind the preview; 0: it is whole. */
  cutBytes: count,
})
export type MessageRow = ValueOf<typeof messageRow>

/** Longest id and tag of a list, and all keys of a message there, in characters: properties may have 32 KiB. A row is a few KiB at most. */
const maxWordLength = 300
const maxKeysLength = 1_000

/** What a list tells of a message. Holds nothing of the message itself. */
export function messageRowOf(message: FoundMessage): MessageRow {
  const { queueId, queueOffset, storedAtMs, bornAtMs, reconsumeTimes } = message
  return {
    ...{ queueId, queueOffset, storedAtMs, bornAtMs, reconsumeTimes },
    topic: wordOf(message.topic),
    msgId: wordOf(message.msgId),
    offsetMsgId: message.offsetMsgId,
    brokerName: message.brokerName,
    tags: message.tags === undefined ? null : wordOf(message.tags),
    keys: keysOf(message.keys),
    size: message.body.length,
    ...previewOf(message.body),
  }
}

/** A part of a text keeps all of it in memory, until it is copied. */
const own = (given: string): string => Buffer.from(given, 'utf16le').toString('utf16le')

const wordOf = (given: string): string =>
  own(given.length > maxWordLength ? `${given.slice(0, maxWordLength)}…` : given)

function keysOf(keys: readonly string[]): string[] {
  const shown: string[] = []
  let left = maxKeysLength
  for (const key of keys) {
    // An empty key is a row's place as well.
    left -= Math.max(1, key.length)
    if (left < 0) return [...shown, '…']
    shown.push(wordOf(key))
  }
  return shown
}

/** The beginning of a body as text; where it is none, as hex. */
export function previewOf(body: Buffer): { readonly preview: string; readonly cutBytes: number } {
  const head = body.subarray(0, 4 * previewLength)
  const isShownAsText = isText(head)
  const shown = isShownAsText ? head.toString('utf8') : head.toString('hex')
  const characters = [...shown].slice(0, previewLength).join('')
  const isCut = body.length > head.length || characters.length < shown.length
  const shownBytes = isShownAsText ? Buffer.byteLength(characters) : characters.length / 2
  return {
    preview: isCut ? `${characters}…` : characters,
    cutBytes: isCut ? Math.max(1, body.length - shownBytes) : 0,
  }
}

/** Whether bytes are UTF-8; a character that is cut at the end is none that is wrong. */
function isText(bytes: Buffer): boolean {
  const shown = bytes.toString('utf8')
  return !shown.slice(0, -1).includes('\ufffd') && !shown.includes('\u0000')
}

/** A message with all that it carries. */
export const messageDetail = shape({
  row: messageRow,
  bornHost: told,
  storeHost: told,
  physicalOffset: int(),
  flag: int(),
  sysFlag: int(),
  storeSize: int(),
  properties: record(told, { max: 10_000 }),
  /** As text where it is one, else as base64; of a page the first 256 KiB, of a file all. */
  body: shape({ encoding: oneOf('text', 'base64'), content, isCut: bool() }),
})

export function messageDetailOf(message: FoundMessage): ValueOf<typeof messageDetail> {
  const head = message.body.subarray(0, maxShownBytes)
  const isCut = head.length < message.body.length
  return { ...detailOf(message), body: { ...encoded(head, isText(head)), isCut } }
}

/** With its body whole, for a file. */
export function wholeMessageOf(message: FoundMessage): ValueOf<typeof messageDetail> {
  const { body } = message
  return { ...detailOf(message), body: { ...encoded(body, isUtf8(body) && !body.includes(0)), isCut: false } }
}

function detailOf(message: FoundMessage) {
  const { bornHost, storeHost, physicalOffset, flag, sysFlag, storeSize, properties } = message
  const { msgId, keys, tags = null } = message
  // Here ids, keys and tags are whole.
  const row = { ...messageRowOf(message), msgId, keys, tags }
  return { row, bornHost, storeHost, physicalOffset, flag, sysFlag, storeSize, properties }
}

const encoded = (bytes: Buffer, isShownAsText: boolean) =>
  isShownAsText
    ? { encoding: 'text' as const, content: bytes.toString('utf8') }
    : { encoding: 'base64' as const, content: bytes.toString('base64') }

/** A queue and how a group goes on in it. */
export const plannedQueue = shape({
  brokerName: told,
  address: told,
  topic: told,
  queueId: int(),
  from: orNull(int()),
  to: int(),
  first: int(),
  end: int(),
})

/** Servers that took a change. */
export const takenBy = shape({ addresses: list(told, { max: 10_000 }) })

/** A client of a cluster. */
export const clientRow = shape({
  clientId: told,
  clientAddr: told,
  language: told,
  version: int(),
  versionName: told,
})

/** What is said again for what destroys: the name, typed. */
export const confirmation = text({ min: 1, max: 300, help: 'the name again: this cannot be undone' })

export const optionalTopic = optional(topicName)

/** At most `max` rows, and how many there are. */
export const limited = <T>(of: Schema<T>, max: number) =>
  shape({ rows: list(of, { max }), total: count, problems: list(told, { max: 100 }) })

export const cutTo = <T>(rows: readonly T[], max: number, problems: readonly string[] = []) => ({
  rows: rows.slice(0, max),
  total: rows.length,
  problems: problems.slice(0, 100),
})

export const figure: Schema<number | null> = orNull(number())
/** JSON knows no NaN. */
export const known = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value

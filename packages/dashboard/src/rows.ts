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
})
export type MessageRow = ValueOf<typeof messageRow>

export function messageRowOf(message: FoundMessage): MessageRow {
  const { topic, msgId, offsetMsgId, queueId, queueOffset, storedAtMs, bornAtMs, keys, reconsumeTimes } = message
  return {
    ...{ topic, msgId, offsetMsgId, queueId, queueOffset, storedAtMs, bornAtMs, keys, reconsumeTimes },
    brokerName: message.brokerName,
    tags: message.tags ?? null,
    size: message.body.length,
    preview: previewOf(message.body),
  }
}

/** The beginning of a body as text; where it is none, as hex. */
export function previewOf(body: Buffer): string {
  const head = body.subarray(0, 4 * previewLength)
  const shown = isText(head) ? head.toString('utf8') : head.toString('hex')
  const characters = [...shown].slice(0, previewLength).join('')
  return body.length > head.length || characters.length < shown.length ? `${characters}…` : characters
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
  /** As text where it is one, else as base64; the first 256 KiB. */
  body: shape({ encoding: oneOf('text', 'base64'), content: told, isCut: bool() }),
})

export function messageDetailOf(message: FoundMessage): ValueOf<typeof messageDetail> {
  const { bornHost, storeHost, physicalOffset, flag, sysFlag, storeSize, properties, body } = message
  const head = body.subarray(0, maxShownBytes)
  const encoding = isText(head) ? 'text' : 'base64'
  return {
    row: messageRowOf(message),
    ...{ bornHost, storeHost, physicalOffset, flag, sysFlag, storeSize, properties },
    body: {
      encoding,
      content: head.toString(encoding === 'text' ? 'utf8' : 'base64'),
      isCut: head.length < body.length,
    },
  }
}

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

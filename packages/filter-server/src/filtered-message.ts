import { inflateBody, isCompressed, type StoredMessage } from '@skua-mq/protocol'

/** What a filter sees of a message beside its body; plain data, because it crosses into the sandbox as JSON. */
export interface FilteredFields {
  readonly topic: string
  readonly tags: string | undefined
  readonly keys: string | undefined
  readonly properties: Readonly<Record<string, string>>
  readonly flag: number
  readonly queueId: number
  readonly queueOffset: number
  /** Milliseconds since 1970. */
  readonly bornTimestamp: number
  readonly storeTimestamp: number
  readonly reconsumeTimes: number
  readonly msgId: string
}

/** A message as a filter sees it. The body is unpacked only for a filter that asks for it. */
export interface FilteredMessage {
  readonly fields: FilteredFields
  /** As its sender gave it. Throws BodyError. */
  body(): Uint8Array
}

export function filteredMessage(stored: StoredMessage): FilteredMessage {
  const properties = Object.fromEntries(stored.properties)
  const { topic, flag, queueId, queueOffset, bornTimestamp, storeTimestamp, reconsumeTimes } = stored
  return {
    fields: {
      topic,
      tags: properties['TAGS'],
      keys: properties['KEYS'],
      properties,
      flag,
      queueId,
      queueOffset,
      bornTimestamp,
      storeTimestamp,
      reconsumeTimes,
      msgId: properties['UNIQ_KEY'] ?? stored.offsetMsgId,
    },
    body: () => (isCompressed(stored.sysFlag) ? inflateBody(stored.body, stored.sysFlag) : stored.body),
  }
}

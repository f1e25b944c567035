import {
  isInnerBatch,
  PropertyName,
  parseProperties,
  printProperties,
  type StoredMessage,
  utf8,
} from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import { isRetryTopic } from '../name/namespace.ts'
import type { Draft } from './outgoing.ts'

/** Size, magic, CRC, flag, body length, properties length (remoting.md 14.5). */
const fixedBytes = 22

/** Bytes that a message takes in a batch. */
export function batchedSize(draft: Draft): number {
  return fixedBytes + draft.body.length + Buffer.byteLength(printProperties(draft.properties))
}

/** Messages in groups of at most `maxBytes` each, in their order. A single larger one stands alone. */
export function splitBySize<T extends Draft>(drafts: readonly T[], maxBytes: number): T[][] {
  const groups: T[][] = []
  let current: T[] = []
  let size = 0
  for (const draft of drafts) {
    const bytes = batchedSize(draft)
    if (current.length > 0 && size + bytes > maxBytes) {
      groups.push(current)
      current = []
      size = 0
    }
    current.push(draft)
    size += bytes
  }
  if (current.length > 0) groups.push(current)
  return groups
}

/** One draft whose body is the batch. Throws ClientError ARGUMENT on messages that cannot go together. */
export function batchDraft(drafts: readonly Draft[]): Draft {
  const [head] = drafts
  if (head === undefined) throw new ClientError('ARGUMENT', 'a batch needs a message')
  const wait = head.properties.get(PropertyName.waitStoreMsgOk)!
  for (const draft of drafts) checkTogether(draft, { topic: head.topic, wait })
  const msgId = drafts.map(draft => draft.msgId).join(',')
  const properties = new Map([[PropertyName.waitStoreMsgOk as string, wait]])
  return { topic: head.topic, body: encodeBatch(drafts), properties, flag: 0, sysFlag: 0, msgId, batch: true }
}

function checkTogether({ topic, properties }: Draft, head: { topic: string; wait: string }): void {
  const refuse = (why: string) => {
    throw new ClientError('ARGUMENT', `these messages cannot be one batch: ${why}`)
  }
  if (topic !== head.topic) refuse(`topics differ (${head.topic}, ${topic})`)
  if (properties.get(PropertyName.waitStoreMsgOk) !== head.wait) refuse('waitStoreMsgOk differs')
  if (isRetryTopic(topic)) refuse('retry topics take none')
  for (const name of [PropertyName.delayTimeLevel, PropertyName.timerDelayMs, PropertyName.timerDeliverMs]) {
    if (properties.has(name)) refuse('a delayed message must be sent alone')
  }
}

export function encodeBatch(drafts: readonly Pick<Draft, 'body' | 'flag' | 'properties'>[]): Buffer {
  return Buffer.concat(
    drafts.map(({ body, flag, properties }) => {
      const text = Buffer.from(printProperties(properties))
      const record = Buffer.alloc(fixedBytes + body.length + text.length)
      record.writeInt32BE(record.length, 0)
      record.writeInt32BE(flag, 12)
      record.writeInt32BE(body.length, 16)
      record.set(body, 20)
      record.writeInt16BE(text.length, 20 + body.length)
      record.set(text, fixedBytes + body.length)
      return record
    }),
  )
}

/** A 5.x inner batch as the messages in it; any other message alone. Throws RangeError on bytes that are no batch. */
export function unpackInnerBatch(stored: StoredMessage): StoredMessage[] {
  if (!isInnerBatch(stored.sysFlag)) return [stored]
  const messages: StoredMessage[] = []
  const bytes = Buffer.from(stored.body.buffer, stored.body.byteOffset, stored.body.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readInt32BE(at)
    const bodyLength = bytes.readInt32BE(at + 16)
    const propertiesAt = at + 20 + bodyLength + 2
    // A sender may have written anything: a size of 0 would go on for ever.
    if (size < fixedBytes || at + size > bytes.length || bodyLength < 0 || propertiesAt > at + size)
      throw new RangeError(`no message of ${size} bytes begins at ${at} of the batch`)
    const propertiesEnd = propertiesAt + bytes.readInt16BE(propertiesAt - 2)
    if (propertiesEnd !== at + size)
      throw new RangeError(`the message at ${at} of the batch has another size than it says`)
    const properties = parseProperties(utf8(bytes, propertiesAt, propertiesEnd))
    messages.push({
      ...stored,
      sysFlag: 0,
      flag: bytes.readInt32BE(at + 12),
      body: bytes.subarray(at + 20, at + 20 + bodyLength),
      properties,
      queueOffset: stored.queueOffset + messages.length,
    })
    at += size
  }
  return messages
}

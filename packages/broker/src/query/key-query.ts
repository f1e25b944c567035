import { layOutRecord, PropertyName, RecordAt, RecordLayout, readLong, splitKeys, topicOf } from '@skua-mq/protocol'
import type { MessageStore } from '@skua-mq/store'
import { RecordProperties } from '../filter/record-properties.ts'

/** How many messages a query by unique key answers at most, whatever it asks for (remoting.md 9.6). */
export const maxUniqueKeyMessages = 32
/** Java's clients close a connection on a frame of more than 16 MiB; what does not fit is left out. */
export const maxQueryBodyBytes = 15 * 1024 * 1024

export interface KeyWish {
  readonly topic: string
  readonly key: string
  readonly maxCount: number
  readonly beginMs: number
  readonly endMs: number
  /** The key is a unique id (UNIQ_KEY), not one of KEYS. */
  readonly unique: boolean
}

export interface KeyAnswer {
  /** Stored records, in the order of the log. */
  readonly records: readonly Buffer[]
  readonly indexUpdatedAtMs: number
  readonly indexUpdatedOffset: number
}

/**
 * Messages by key. The index holds hashes only: a record that has another topic or another key is left out here, and not
 * handed to the client for sorting out, as Java's broker does.
 */
export async function queryByKey(store: Pick<MessageStore, 'query' | 'readRecord'>, wish: KeyWish): Promise<KeyAnswer> {
  const { topic, key, beginMs, endMs } = wish
  const maxCount = wish.unique ? maxUniqueKeyMessages : wish.maxCount
  const found = await store.query({ topic, key, maxCount, beginMs, endMs })
  const records: Buffer[] = []
  let bytes = 0
  for (const offset of found.physicalOffsets) {
    const record = await store.readRecord(offset)
    if (record === undefined || !isWanted(record, wish)) continue
    if (bytes + record.length > maxQueryBodyBytes) break
    bytes += record.length
    records.push(record)
  }
  return { records, indexUpdatedAtMs: found.indexUpdatedAtMs, indexUpdatedOffset: found.indexUpdatedOffset }
}

/** The record that begins at a physical offset, and says so itself: any number can stand in a message id. */
export async function recordAt(
  store: Pick<MessageStore, 'readRecord'>,
  physicalOffset: number,
): Promise<Buffer | undefined> {
  const record = await store.readRecord(physicalOffset)
  if (record === undefined || readLong(record, RecordAt.physicalOffset) !== physicalOffset) return undefined
  return record
}

const layout = new RecordLayout()
const properties = new RecordProperties()

function isWanted(record: Buffer, { topic, key, unique }: KeyWish): boolean {
  if (!layOutRecord(record, 0, { end: record.length, layout }) || topicOf(record, layout) !== topic) return false
  properties.read(record, 0, record.length)
  if (properties.find(PropertyName.uniqueKey) === key) return true
  return !unique && splitKeys(properties.find(PropertyName.keys) ?? '').includes(key)
}

import { PropertyScan, PropertySlot, scanProperties } from '@skua-mq/protocol'
import { indexHash } from '../index-file/format.ts'
import { JavaHasher } from '../index-file/java-hasher.ts'
import type { RecordView } from '../record/record-view.ts'

const rollback = 0xc

/** A key by which a message is found, and its hash in the index. */
export interface RecordKey {
  readonly key: string
  readonly hash: number
}

const properties = new PropertyScan()
const hasher = new JavaHasher()

/** The keys of a record as the index holds them: UNIQ_KEY and each token of KEYS (store.md 4); none of a rolled back one. */
export function keysOf(view: RecordView, topic: string): RecordKey[] {
  if ((view.sysFlag & rollback) === rollback) return []
  scanProperties(view.bytes, view.propertiesAt, view.propertiesAt + view.propertiesLength, properties)
  const keys: RecordKey[] = []
  const add = (key: string | undefined) => {
    if (key !== undefined && key !== '') keys.push({ key, hash: indexHash(hasher.ofText(`${topic}#${key}`)) })
  }
  add(properties.text(PropertySlot.uniqueKey))
  for (const key of properties.text(PropertySlot.keys)?.split(' ') ?? []) add(key)
  return keys
}

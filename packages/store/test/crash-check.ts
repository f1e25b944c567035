import assert from 'node:assert/strict'
import type { QueueEntry, Store } from '../src/index.ts'

/** A message that was acknowledged as stored. */
export interface Known {
  readonly topic: string
  readonly queueId: number
  readonly body: string
  readonly key: string
  readonly physicalOffset: number
  readonly queueOffset: number
  /** Acknowledged after an fdatasync. */
  readonly mustSurvivePowerCut: boolean
}

export interface History {
  readonly known: readonly Known[]
  /** Where the log ended when a topic was deleted. */
  readonly deletedAt: ReadonlyMap<string, number>
  /** Up to here retention has deleted the log. */
  readonly deletedTo: number
}

/** The invariants of architecture.md section 2, on a store that has just been started. */
export async function checkInvariants(store: Store, history: History): Promise<void> {
  assert.ok(store.minPhysicalOffset <= history.deletedTo, 'only retention takes the beginning of the log')
  for (const message of history.known) checkEnd(store, message)
  for (const message of history.known)
    if (message.physicalOffset >= store.minPhysicalOffset) await checkKnown(store, message)
  await checkLog(store, history)
  checkQueues(store, history)
}

/** Offsets are not used twice, also where the log has lost the messages that had them. */
function checkEnd(store: Store, { topic, queueId, queueOffset, physicalOffset }: Known): void {
  const end = store.maxOffset(topic, queueId)
  assert.ok(end > queueOffset, `${topic}/${queueId} ends at ${end}, and had ${queueOffset} at ${physicalOffset}`)
}

/** 1: what was acknowledged is there, where it was said to be, by offset, by queue and by key. */
async function checkKnown(store: Store, message: Known): Promise<void> {
  const { topic, queueId, body, key, physicalOffset, queueOffset } = message
  const name = `${topic}/${queueId} ${queueOffset} at ${physicalOffset}`
  const record = await store.readRecord(physicalOffset)
  assert.ok(record, `${name} is in the log`)
  assert.equal(bodyOf(record), body, name)
  assert.equal(entryOf(store, message)?.physicalOffset, physicalOffset, `${name} is in its queue`)
  const query = { topic, key, maxCount: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  assert.ok((await store.query(query)).physicalOffsets.includes(physicalOffset), `${name} is found by its key`)
}

/** 3: the log is whole from its begin to its end, and each record is in its queue and in the index. */
async function checkLog(store: Store, { deletedAt }: History): Promise<void> {
  let at = store.minPhysicalOffset
  while (at < store.maxPhysicalOffset) {
    const record = store.readRecordSync(at)
    if (record === undefined) {
      const next = nextSegment(store, at)
      assert.ok(next > at && next <= store.maxPhysicalOffset, `a record at ${at} of ${store.maxPhysicalOffset}`)
      at = next
      continue
    }
    const message = decode(record)
    assert.equal(message.physicalOffset, at)
    // Of a topic that was deleted, the queues are gone, and may be back after a power cut.
    if (at >= (deletedAt.get(message.topic) ?? 0))
      assert.equal(entryOf(store, message)?.physicalOffset, at, `the record at ${at} is in its queue`)
    const query = { ...message, maxCount: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
    assert.ok((await store.query(query)).physicalOffsets.includes(at), `the record at ${at} is in the index`)
    at += record.length
  }
  assert.equal(at, store.maxPhysicalOffset)
}

/** 2: queue order is log order, and each entry leads to a record which says so. */
function checkQueues(store: Store, { deletedAt }: History): void {
  for (const queue of store.queues()) {
    let before = -1
    for (let offset = queue.minOffset; offset < queue.maxOffset; offset++) {
      const entry = entryOf(store, { ...queue, topic: queue.topic, queueId: queue.queueId, queueOffset: offset })
      assert.ok(entry && entry.physicalOffset > before, `${queue.topic}/${queue.queueId} ${offset} is behind ${before}`)
      // What a power cut brought back of a topic that was deleted may lack its extended units.
      if (entry.physicalOffset >= (deletedAt.get(queue.topic) ?? 0))
        assert.equal(entry.tagsCode, 'A'.charCodeAt(0), `${queue.topic}/${queue.queueId} ${offset} has the tag's hash`)
      const record = store.readRecordSync(entry.physicalOffset)
      assert.ok(record, `${queue.topic}/${queue.queueId} ${offset} leads to a record`)
      const { topic, queueId, queueOffset } = decode(record)
      assert.deepEqual([topic, queueId, queueOffset], [queue.topic, queue.queueId, offset])
      before = entry.physicalOffset
    }
  }
}

function nextSegment(store: Store, at: number): number {
  for (const size of [4096, 16_384]) {
    const next = Math.ceil((at + 1) / size) * size
    if (next <= store.maxPhysicalOffset && (next === store.maxPhysicalOffset || store.readRecordSync(next))) return next
  }
  return at
}

function entryOf(store: Store, at: { topic: string; queueId: number; queueOffset: number }): QueueEntry | undefined {
  const into: QueueEntry[] = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  return store.queue(at.topic, at.queueId)?.entries(at.queueOffset, into) === 1 ? into[0] : undefined
}

function bodyOf(record: Buffer): string {
  return record.toString('utf8', 88, 88 + record.readInt32BE(84))
}

function decode(record: Buffer) {
  const topicAt = 88 + record.readInt32BE(84)
  const topicEnd = topicAt + 1 + record.readUInt8(topicAt)
  const properties = record.toString('utf8', topicEnd + 2)
  return {
    topic: record.toString('utf8', topicAt + 1, topicEnd),
    queueId: record.readInt32BE(12),
    queueOffset: Number(record.readBigInt64BE(20)),
    physicalOffset: Number(record.readBigInt64BE(28)),
    key: properties.split('\x02')[0]!.slice('UNIQ_KEY\x01'.length),
  }
}

/** The records of a buffer in which they lie one behind the other. */
export function* recordsOf(bytes: Buffer): Iterable<ReturnType<typeof decode>> {
  for (let at = 0; at < bytes.length; at += bytes.readInt32BE(at))
    yield decode(bytes.subarray(at, at + bytes.readInt32BE(at)))
}

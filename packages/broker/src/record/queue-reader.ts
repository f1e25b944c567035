import { minRecordBytes, RecordAt, readInt, readLong, readRecord, type StoredMessage } from '@skua-mq/protocol'
import { isBadPlace } from '@skua-mq/runtime'
import { GetRequest, GetResult, type MessageStore, type QueueEntry } from '@skua-mq/store'

const blockBytes = 256 * 1024
/** Messages that are read one by one where a block does not read. */
const aloneCount = 256

/** A message that is in a queue, and that the disk does not give, or gives damaged. */
export interface UnreadableMessage {
  /** -1 where its record is damaged and its place in the log is what is known. */
  readonly queueOffset: number
  /** -1 where the queue does not read there. */
  readonly physicalOffset: number
  readonly error: string
}

export interface QueueToRead {
  readonly topic: string
  readonly queueId: number
  /** Told of each that is passed over for it. */
  readonly unreadable: (message: UnreadableMessage) => void
}

type ReadStore = Pick<MessageStore, 'get' | 'queue' | 'maxOffset' | 'minOffset' | 'readRecord'>

/**
 * The messages of a queue from an offset on, in blocks of at most 256 KiB. The bodies of a message are valid until the
 * next one is asked for. What the log does not hold any more is passed over, and so is what the disk does not give: one bad place
 * keeps none of those behind it. Throws where the disk fails as a whole.
 */
export async function* readQueue(store: ReadStore, queue: QueueToRead, from: number): AsyncGenerator<StoredMessage> {
  const { topic, queueId } = queue
  const request = Object.assign(new GetRequest(), { topic, queueId, maxBytes: blockBytes })
  const result = new GetResult()
  request.offset = Math.max(from, store.minOffset(topic, queueId))
  while (request.offset < store.maxOffset(topic, queueId)) {
    try {
      await store.get(request, result)
    } catch (error) {
      result.release()
      if (!isBadPlace(error)) throw error
      // Neighbours are read together: by itself a message may be read where that fails.
      const end = Math.min(request.offset + aloneCount, store.maxOffset(topic, queueId))
      for (; request.offset < end; request.offset++) {
        const message = await readAlone(store, queue, request.offset)
        if (message !== undefined) yield message
      }
      continue
    }
    try {
      for (const slice of result.slices) yield* recordsOf(slice, queue, { from: request.offset, to: result.nextOffset })
      if (result.nextOffset <= request.offset) return
      request.offset = result.nextOffset
    } finally {
      result.release()
    }
  }
}

async function readAlone(
  store: ReadStore,
  queue: QueueToRead,
  queueOffset: number,
): Promise<StoredMessage | undefined> {
  const { topic, queueId, unreadable } = queue
  const entry: QueueEntry = { physicalOffset: -1, size: 0, tagsCode: 0 }
  try {
    if ((store.queue(topic, queueId)?.entries(queueOffset, [entry]) ?? 0) === 0) return undefined
    const record = await store.readRecord(entry.physicalOffset)
    if (record === undefined) return undefined
    const message = readRecord(record, 0, { verifyCrc: true })?.message
    if (message?.queueOffset === queueOffset) return message
    unreadable({ queueOffset, physicalOffset: entry.physicalOffset, error: damaged })
    return undefined
  } catch (error) {
    if (!isBadPlace(error)) throw error
    unreadable({ queueOffset, physicalOffset: entry.physicalOffset, error: error.message })
    return undefined
  }
}

const damaged = 'its record is damaged'

/**
 * By what each record says of its size, which the store has compared with the queue: one that is damaged inside hides none behind it.
 * Nor does one that says of itself that it is elsewhere in the queue than where it was read: readers go on behind what they read last.
 */
function* recordsOf(
  slice: Uint8Array,
  { unreadable }: QueueToRead,
  { from, to }: { readonly from: number; readonly to: number },
): Generator<StoredMessage> {
  for (let at = 0; at + minRecordBytes <= slice.length; ) {
    const size = readInt(slice, at)
    if (size < minRecordBytes) return
    const message = readRecord(slice, at, { end: at + size, verifyCrc: true })?.message
    if (message !== undefined && message.queueOffset >= from && message.queueOffset < to) yield message
    else unreadable({ queueOffset: -1, physicalOffset: readLong(slice, at + RecordAt.physicalOffset), error: damaged })
    at += size
  }
}

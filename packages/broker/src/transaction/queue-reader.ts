import { decodeRecords, type StoredMessage } from '@skua-mq/protocol'
import { GetRequest, GetResult, type MessageStore } from '@skua-mq/store'

const blockBytes = 256 * 1024

/**
 * The messages of a queue from an offset on, in blocks of at most 256 KiB. The bodies of a message are valid until the
 * next one is asked for. What the log does not hold any more is passed over.
 */
export async function* readQueue(
  store: Pick<MessageStore, 'get' | 'maxOffset' | 'minOffset'>,
  { topic, queueId }: { topic: string; queueId: number },
  from: number,
): AsyncGenerator<StoredMessage> {
  const request = Object.assign(new GetRequest(), { topic, queueId, maxBytes: blockBytes })
  const result = new GetResult()
  request.offset = Math.max(from, store.minOffset(topic, queueId))
  while (request.offset < store.maxOffset(topic, queueId)) {
    await store.get(request, result)
    try {
      for (const slice of result.slices) yield* decodeRecords(slice)
      if (result.nextOffset <= request.offset) return
      request.offset = result.nextOffset
    } finally {
      result.release()
    }
  }
}

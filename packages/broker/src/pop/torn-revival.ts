import { isBadPlace } from '@skua-mq/runtime'
import { Draft, type MessageStore, type QueueEntry } from '@skua-mq/store'
import type { UnreadableMessage } from '../record/queue-reader.ts'
import { RecordCopy } from '../record/record-copy.ts'
import type { CheckPoint } from './check-point.ts'
import { retryCopy, retryTopicOf } from './retry-copy.ts'
import type { RetryTopics } from './retry-topics.ts'

export interface TornRevivalParts {
  readonly store: Pick<MessageStore, 'queue' | 'readRecord'>
  readonly retries: Pick<RetryTopics, 'of'>
  /** Of the last record of pops, physical. */
  readonly lastJournalOffset: number
  /** What the disk does not give is taken for no copy, and nothing is waited for. */
  readonly unreadable: (topic: string, message: UnreadableMessage) => void
}

/**
 * A kill or a power cut may come between the two records of a revival: the copy in the retry topic is there, and that the
 * message is settled is not. As one message is revived after another, there is at most one such copy, and no record of pops
 * behind it.
 */
export class TornRevival {
  private readonly parts: TornRevivalParts
  /** By retry topic: its last message, where that may be such a copy. */
  private readonly lasts = new Map<string, Buffer | undefined>()

  constructor(parts: TornRevivalParts) {
    this.parts = parts
  }

  /** The queue offset of the message whose copy it is, where that is one of this check point. */
  async of(point: CheckPoint): Promise<number | undefined> {
    const { retries } = this.parts
    const last = await this.lastOf(retryTopicOf(point, retries))
    if (last === undefined) return undefined
    for (const offset of point.offsetsWithout(point.settled)) {
      const record = await this.readAt(point, offset)
      const wanted = record && retryCopy(record.bytes, point, retries)
      if (wanted !== undefined && isCopy(wanted, last)) return offset
    }
    return undefined
  }

  private async lastOf(topic: string): Promise<Buffer | undefined> {
    if (this.lasts.has(topic)) return this.lasts.get(topic)
    const { store, lastJournalOffset } = this.parts
    const end = store.queue(topic, 0)?.maxOffset ?? 0
    const last = await this.readAt({ topic, queueId: 0 }, end - 1)
    const bytes = last !== undefined && last.physicalOffset > lastJournalOffset ? last.bytes : undefined
    this.lasts.set(topic, bytes)
    return bytes
  }

  private async readAt(
    { topic, queueId }: { readonly topic: string; readonly queueId: number },
    queueOffset: number,
  ): Promise<{ bytes: Buffer; physicalOffset: number } | undefined> {
    const { store, unreadable } = this.parts
    const entry: QueueEntry = { physicalOffset: -1, size: 0, tagsCode: 0 }
    try {
      if ((store.queue(topic, queueId)?.entries(queueOffset, [entry]) ?? 0) === 0) return undefined
      const { physicalOffset } = entry
      const bytes = await store.readRecord(physicalOffset)
      return bytes === undefined ? undefined : { bytes, physicalOffset }
    } catch (error) {
      if (!isBadPlace(error)) throw error
      const { physicalOffset } = entry
      unreadable(topic, { queueOffset, physicalOffset, error: error.message })
      return undefined
    }
  }
}

function isCopy(wanted: Draft, record: Buffer): boolean {
  return retryFields(record)?.equals(fieldsOf(wanted)) === true
}

function retryFields(record: Buffer): Buffer | undefined {
  const draft = new Draft()
  return new RecordCopy().fill(draft, record) ? fieldsOf(draft) : undefined
}

/** All that a copy takes over, one behind the other. */
function fieldsOf(draft: Draft): Buffer {
  const { body, bodyStart, bodyEnd, properties, propertiesStart, propertiesEnd } = draft
  const numbers = [draft.flag, draft.bornAtMs, draft.reconsumeTimes, bodyEnd - bodyStart]
  return Buffer.concat([
    Buffer.from(`${numbers.join()} `),
    body.subarray(bodyStart, bodyEnd),
    properties.subarray(propertiesStart, propertiesEnd),
  ])
}

import { PropertyName, retryPrefix } from '@skua-mq/protocol'
import { Draft } from '@skua-mq/store'
import { RecordCopy } from '../record/record-copy.ts'
import { propertiesOf, setProperties } from '../record/rewrite.ts'
import type { CheckPoint } from './check-point.ts'
import type { RetryTopics } from './retry-topics.ts'

/** The topic into which messages of a pop go that were not acknowledged. */
export const retryTopicOf = ({ topic, group }: CheckPoint, retries: Pick<RetryTopics, 'of'>): string =>
  topic.startsWith(retryPrefix) ? topic : retries.of(topic, group)

/**
 * What a message becomes that was not acknowledged, as RocketMQ has it (store.md 9.3): once more, and since when it is tried.
 * Of the same record the same bytes each time. Undefined where the bytes are no record.
 */
export function retryCopy(record: Uint8Array, point: CheckPoint, retries: Pick<RetryTopics, 'of'>): Draft | undefined {
  const draft = new Draft()
  if (!new RecordCopy().fill(draft, record)) return undefined
  const { popTime } = point
  draft.topic = retryTopicOf(point, retries)
  draft.queueId = 0
  draft.reconsumeTimes++
  draft.preparedTransactionOffset = 0
  draft.waitStored = false
  const properties = propertiesOf(draft)
  if (!properties.has(PropertyName.firstPopTime)) properties.set(PropertyName.firstPopTime, String(popTime))
  // It was delayed, if ever, before it was popped.
  properties.delete(PropertyName.delayTimeLevel)
  setProperties(draft, properties)
  return draft
}

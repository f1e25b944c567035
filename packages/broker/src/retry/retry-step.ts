import {
  type Dialect,
  PropertyName,
  parseProperties,
  printProperties,
  ResponseCode,
  retryPrefix,
  type SubscriptionGroupConfig,
} from '@skua-mq/protocol'
import type { PropertyRewrite } from '../send/property-rewrite.ts'
import type { SendStep } from '../send/send-step.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { deadLetterTopic, reconsumeLimit } from './dead-letter.ts'

export interface RetryStepParts {
  readonly topics: Pick<TopicTable, 'ensure'>
  /** Creates it where that is allowed. */
  readonly group: (group: string) => SubscriptionGroupConfig | undefined
  readonly dialect: Pick<Dialect, 'retrySendAtLimitIsDead' | 'retrySendOfLockedGroupIsDead'>
  /** Whether somebody holds a queue of the group at the moment, to consume it in order. */
  readonly isLocked: (group: string) => boolean
  /** Told of each message that becomes a dead letter, with the topic that it was sent to. */
  readonly dead?: (group: string, topic: string) => void
}

/**
 * A consumer sends to its own retry topic when 36 did not work, and when a message that is consumed in order has failed
 * for good. At the limit (5.3: only beyond it) the message is a dead letter and no longer delayed (remoting.md 9.3).
 */
export function retryStep({ topics, group, dialect, isLocked, dead }: RetryStepParts): SendStep {
  const { retrySendAtLimitIsDead, retrySendOfLockedGroupIsDead } = dialect
  return ({ view, draft, properties }) => {
    if (!view.topic.startsWith(retryPrefix)) return undefined
    const name = view.topic.slice(retryPrefix.length)
    const config = group(name)
    if (config === undefined)
      return {
        code: ResponseCode.subscriptionGroupNotExist,
        remark: `group ${name} does not exist here, and autoCreateSubscriptionGroup does not let it be created`,
      }
    const maxReconsumeTimes = view.maxReconsumeTimes < 0 ? undefined : view.maxReconsumeTimes
    const limit = reconsumeLimit({ version: view.version, maxReconsumeTimes }, config)
    const isBeyond = view.reconsumeTimes > limit || (retrySendAtLimitIsDead && view.reconsumeTimes === limit)
    // Who consumes in order sends only what has failed for good.
    if (!isBeyond && !(retrySendOfLockedGroupIsDead && isLocked(name))) return undefined
    draft.topic = deadLetterTopic(name, topics)
    draft.queueId = 0
    dead?.(name, view.topic)
    if (properties.delayLevel > 0) clearDelay(properties)
    return undefined
  }
}

function clearDelay(properties: PropertyRewrite): void {
  const { bytes } = properties
  const map = parseProperties(bytes.toString('utf8', 0, properties.length))
  map.set(PropertyName.delayTimeLevel, '0')
  properties.length = bytes.write(printProperties(map), 0, 'utf8')
  properties.delayLevel = 0
}

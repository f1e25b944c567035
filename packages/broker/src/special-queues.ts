import { scheduleTopic } from '@skua-mq/protocol'
import { DelayQueue, type SpecialQueue } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'
import { parseDelayLevels } from './delay/delay-levels.ts'

/** What the store cannot know: topics whose queues carry something else than the hash of the tags. */
export function specialQueues({ messageDelayLevel }: Pick<BrokerConfig, 'messageDelayLevel'>): SpecialQueue[] {
  return [new DelayQueue(scheduleTopic, parseDelayLevels(messageDelayLevel))]
}

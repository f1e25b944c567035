import { scheduleTopic } from '@skua-mq/protocol'
import type { PutResult } from '@skua-mq/store'
import type { Family } from '../metrics/family.ts'
import { isRetryOrDeadLetter, systemLabel } from '../metrics/labels.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import type { MetricSource, Samples } from '../metrics/source.ts'
import type { GroupTaken, Traffic } from './traffic.ts'

/** Under which name RocketMQ counts the delivery of delayed messages. */
const scheduleGroup = 'SCHEDULE_CONSUMER'

/** Messages that went out: what the statistics of groups count anyway, and delayed messages that were delivered. */
export class MessagesOut implements MetricSource {
  private readonly traffic: Pick<Traffic, 'taken'>
  private messages = 0
  private bytes = 0

  constructor(traffic: Pick<Traffic, 'taken'>) {
    this.traffic = traffic
  }

  countDelayed({ count, size }: Pick<PutResult, 'count' | 'size'>): void {
    this.messages += count
    this.bytes += size
  }

  *collect(into: Samples): Iterable<void> {
    yield* this.each(rocketmq.messagesOut, { into, of: taken => taken.messages })
    yield* this.each(rocketmq.throughputOut, { into, of: taken => taken.bytes })
  }

  private *each(family: Family, { into, of }: { into: Samples; of: (taken: GroupTaken) => number }): Iterable<void> {
    if (this.messages > 0) {
      const delayed = { group: scheduleGroup, topic: scheduleTopic, messages: this.messages, bytes: this.bytes }
      yield into.sample(family, [scheduleGroup, 'true', scheduleTopic], of(delayed))
    }
    for (const taken of this.traffic.taken()) {
      const { group, topic } = taken
      if (isRetryOrDeadLetter(topic)) continue
      yield into.sample(family, [group, systemLabel(topic, group), topic], of(taken))
    }
  }
}

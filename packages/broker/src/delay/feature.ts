import { delayOffsetFile, undeliverableTopic } from '@skua-mq/protocol'
import { part } from '@skua-mq/runtime'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { offsetVersion } from '../offset/offset-version.ts'
import { MessageKind } from '../send/message-kind.ts'
import type { MessageCounts } from '../stats/feature.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { parseDelayLevels } from './delay-levels.ts'
import { delayStep } from './delay-step.ts'
import { DelayedDelivery } from './delayed-delivery.ts'
import { delayRoutes } from './routes.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'file'> & {
  topics: TopicTable
  counts: MessageCounts | undefined
}

/** Messages that are delivered later, by level. */
export const delays: Feature<Needs, { delays: Pick<DelayedDelivery, 'replace'> }> = {
  name: 'delays',
  make: ({ config, dialect, runtime, store, file, topics, counts }) => {
    const levels = parseDelayLevels(config.messageDelayLevel)
    const delivery = new DelayedDelivery({
      ...{ ...runtime, store, levels },
      file: file('delayOffset', delayOffsetFile),
      intervalMs: () => config.flushDelayOffsetInterval,
      delivered: (topic, result) => {
        counts?.out.countDelayed(result)
        counts?.in.count(topic, MessageKind.delay, result)
      },
      undeliverable: () => topics.ensure(undeliverableTopic, 1, 'a message could not be delivered').topicName,
    })
    // A slave has its master's progress, which delivers.
    const delivers = config.brokerRole !== 'SLAVE'
    return {
      gives: { delays: delivery },
      routes: delayRoutes(
        { table: () => (delivers ? delivery.table() : delivery.kept()) },
        offsetVersion(dialect, runtime.clock),
      ),
      tells: () => delivery.progress(),
      steps: [delayStep(levels)],
      tables: delivers ? [{ save: () => delivery.save() }] : [{ start: () => delivery.cutToLog() }],
      services: delivers
        ? [part('delayed delivery', { start: () => delivery.start(), stop: () => delivery.stop() })]
        : [],
    }
  },
}

import { parseDelayLevels } from '../delay/delay-levels.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { QueueLocks } from '../lock/queue-locks.ts'
import type { Traffic } from '../stats/traffic.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { DeadLetterCount } from './dead-letter-count.ts'
import { retryStep } from './retry-step.ts'
import { retryRoutes } from './routes.ts'
import { SendBack } from './send-back.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'measures'> & {
  topics: TopicTable
  groups: GroupTable
  locks: QueueLocks
  traffic: Traffic
}

/** Messages that a consumer could not consume: tried again, and dead letters in the end. */
export const retries: Feature<Needs> = {
  name: 'retries',
  make: ({ config, dialect, runtime, store, measures, topics, groups, locks, traffic }) => {
    const dead = measures ? new DeadLetterCount(config.metricsOtelCardinalityLimit) : undefined
    const group = (name: string) => groups.findOrCreate(name)
    const back = new SendBack({
      ...{ store, topics, group, random: runtime.random },
      levels: parseDelayLevels(config.messageDelayLevel),
      brokerPermission: () => config.brokerPermission,
      settings: config,
      dead: (name, topic) => dead?.count(name, topic),
      counted: (name, topic) => traffic.countSentBack(name, topic),
    })
    return {
      routes: retryRoutes(back),
      steps: [
        retryStep({
          ...{ topics, group, dialect },
          isLocked: name => locks.isHeld(name),
          dead: (name, topic) => dead?.count(name, topic),
        }),
      ],
      metrics: dead === undefined ? [] : [dead],
    }
  },
}

import type { ProducerGroups } from '../client-table/producer-groups.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { replyRoutes } from './routes.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'storeHost' | 'brokerAddr'> & {
  topics: TopicTable
  producers: ProducerGroups
}

/** Answers to messages, passed on to who has asked. */
export const requestReply: Feature<Needs> = {
  name: 'request-reply',
  make: ({ config, runtime, store, storeHost, brokerAddr, topics, producers }) => ({
    routes: replyRoutes({
      ...{ store, topics, storeHost, settings: config, storeAddress: brokerAddr, random: runtime.random },
      now: () => runtime.clock.now(),
      requester: clientId => producers.byClientId(clientId),
    }),
  }),
}

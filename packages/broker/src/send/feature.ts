import { encodeHost, hotSend } from '@skua-mq/protocol'
import { type Channel, hotRoute } from '@skua-mq/remoting'
import { over } from '../config/over.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { Traffic } from '../stats/traffic.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { SendHandler } from './send-handler.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'storeHost' | 'furniture'> & { topics: TopicTable; traffic: Traffic }

/** Messages of producers. */
export const sends: Feature<Needs> = {
  name: 'sends',
  make: ({ config, runtime, store, storeHost, furniture, topics, traffic }) => {
    const handler = new SendHandler({
      ...{ store, topics, random: runtime.random, steps: furniture.steps },
      announced: () => furniture.announced(),
      now: () => runtime.clock.now(),
      settings: over(config, { brokerPermission: () => config.brokerPermission, storeHost }),
      counted: (topic, result) => {
        if (result.isStored) traffic.countPut(topic, result.count, result.size)
        else traffic.putFailed++
      },
    })
    return { hot: [hotRoute(hotSend, (view, token) => handler.handle(view, token, bornHostOf(token.connection)))] }
  },
}

const unknownHost = new Uint8Array(8)

/** The peer's address as records carry it, made once per connection. */
function bornHostOf(channel: Channel): Uint8Array {
  channel.remoteHost ??= encodeHost(channel.remote.host, channel.remote.port) ?? unknownHost
  return channel.remoteHost
}

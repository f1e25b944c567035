import { encodeHost, hotPull, hotSend } from '@skua-mq/protocol'
import { type AnyHotRoute, type Channel, hotRoute } from '@skua-mq/remoting'
import type { Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'
import { PullHandler } from './pull/pull-handler.ts'
import { PullSubscriptions } from './pull/subscription-filter.ts'
import { SendHandler, type SendStep } from './send/send-handler.ts'
import type { BrokerTables } from './tables.ts'

export interface HotParts {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly store: MessageStore
  readonly tables: BrokerTables
  readonly storeHost: Uint8Array
  readonly totalMemoryBytes: number
  readonly announced: () => Promise<void>
  /** What becomes of messages that are not stored as they come. */
  readonly steps: readonly SendStep[]
}

/** Send and pull, with what they take of the broker. */
export function hotRequests(parts: HotParts): {
  routes: readonly AnyHotRoute[]
  stop: () => void
  held: () => number
  /** Pulls that are held for a queue are looked at again. */
  wake: (topic: string, queueId: number) => void
  topicDeleted: (topic: string) => void
} {
  const { config, runtime, store, tables } = parts
  const { traffic, resets } = tables
  const brokerPermission = () => config.brokerPermission
  const send = new SendHandler({
    store,
    topics: tables.topics,
    random: runtime.random,
    announced: parts.announced,
    now: () => runtime.clock.now(),
    settings: over(config, { brokerPermission, storeHost: parts.storeHost }),
    steps: parts.steps,
    counted: (topic, result) => {
      if (result.isStored) traffic.countPut(topic, result.count, result.size)
      else traffic.putFailed++
    },
  })
  const subscriptions = new PullSubscriptions(tables)
  // One object for all pulls.
  const got = { queueId: 0, nextOffset: 0, count: 0, bytes: 0 }
  const pull = new PullHandler({
    store,
    clock: runtime.clock,
    topic: topic => tables.topics.find(topic),
    group: group => tables.groups.findOrCreate(group),
    filterOf: view => subscriptions.filterOf(view),
    resetOf: view => resets.take({ group: view.consumerGroup, topic: view.topic, queueId: view.queueId }),
    counted: (view, result) => {
      if (result.count > 0) {
        traffic.found.add(1)
        got.queueId = view.queueId
        got.nextOffset = result.nextOffset
        got.count = result.count
        got.bytes = result.bytes
        traffic.countGet(view.consumerGroup, view.topic, got)
      } else traffic.missed.add(1)
    },
    commit: (view, who) =>
      tables.offsets.commit({
        group: view.consumerGroup,
        topic: view.topic,
        queueId: view.queueId,
        offset: view.commitOffset,
        who,
      }),
    settings: over(config, {
      brokerPermission,
      slowReaderBytes: (parts.totalMemoryBytes * config.accessMessageInMemoryMaxRatio) / 100,
    }),
  })
  store.onArrival(pull)
  return {
    routes: [
      hotRoute(hotSend, (view, token) => send.handle(view, token, bornHostOf(token.connection))),
      hotRoute(hotPull, (view, token) => pull.handle(view, token)),
    ],
    stop: () => pull.stop(),
    held: () => pull.held.size,
    wake: (topic, queueId) => pull.arrived(topic, queueId),
    topicDeleted: topic => pull.topicDeleted(topic),
  }
}

/** The configuration with further members, still read live: a copy would not see what a tool changes (25). */
function over<C extends object, F extends object>(config: C, further: F): Omit<C, keyof F> & F {
  return Object.assign(Object.create(config), further)
}

const unknownHost = new Uint8Array(8)

/** The peer's address as records carry it, made once per connection. */
function bornHostOf(channel: Channel): Uint8Array {
  channel.remoteHost ??= encodeHost(channel.remote.host, channel.remote.port) ?? unknownHost
  return channel.remoteHost
}

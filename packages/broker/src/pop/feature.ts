import {
  hotAck,
  hotPop,
  notification,
  orderInfoFile,
  type PopView,
  popOriginOf,
  reviveTopicPrefix,
  undeliverableTopic,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { hotRoute } from '@skua-mq/remoting'
import { part } from '@skua-mq/runtime'
import type { BrokerConfig } from '../config/options.ts'
import { over } from '../config/over.ts'
import type { ExpressionFilters } from '../filter/subscription-filters.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { own } from '../metrics/skua-families.ts'
import { figure } from '../metrics/source.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { PendingResets } from '../offset/pending-resets.ts'
import type { Traffic } from '../stats/traffic.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { AckHandler } from './ack-handler.ts'
import { CheckPoints } from './check-points.ts'
import { GoneGroups } from './gone-groups.ts'
import { HeldPops } from './held-pops.ts'
import { PopJournal } from './journal.ts'
import { Notifier } from './notifier.ts'
import { type OpenPop, openPops } from './open-pops.ts'
import { OrderTable } from './order-table.ts'
import { OrderWakes } from './order-wakes.ts'
import type { Taken } from './pop-answer.ts'
import { atSlave, PopHandler } from './pop-handler.ts'
import { PopRecovery } from './pop-recovery.ts'
import { PopPositions } from './positions.ts'
import { RetryTopics } from './retry-topics.ts'
import { Revival } from './revival.ts'
import { popRoutes } from './routes.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'file' | 'storeHost' | 'furniture'> & {
  topics: TopicTable
  groups: GroupTable
  offsets: OffsetTable
  resets: PendingResets
  filters: ExpressionFilters
  traffic: Traffic
}

/** Messages that groups take out of queues one by one, and acknowledge one by one. */
export const pops: Feature<Needs, { openPops: (limit: number) => OpenPop[] }> = {
  name: 'pops',
  make: needs => {
    const { runtime, store, topics } = needs
    const tables = tablesOf(needs)
    const { points, positions, orders, held, waits, retries } = tables
    const handler = handlerOf(needs, tables)
    const isSlave = needs.config.brokerRole === 'SLAVE'
    const acks = new AckHandler({
      ...{ ...needs, ...tables, clock: runtime.clock },
      topic: name => topics.find(name),
      startedAtMs: () => tables.positions.startedAtMs,
      startedAtOffset: () => tables.positions.startedAtOffset,
      refusal: isSlave ? atSlave(needs.config.brokerName) : undefined,
    })
    const goneGroups = new GoneGroups({ points, journal: tables.journal, events: needs.runtime.events })
    const notifier = notifierOf(needs, tables, handler)
    const arrived = (topic: string, queueId: number) => {
      if (held.size + waits.size === 0) return
      held.arrived(topic, queueId)
      waits.arrived(topic, queueId)
    }
    store.onArrival({ arrived })
    const check = (view: Pick<PopView, 'topic' | 'consumerGroup' | 'queueId'>) => handler.check(view)
    const find = (name: string) => topics.find(name)
    return {
      gives: { openPops: limit => openPops(points, { retries, limit }) },
      hot: [
        hotRoute(hotPop, (view, token) => (view.code === notification.code ? notifier : handler).handle(view, token)),
        hotRoute(hotAck, (view, token) => acks.handle(view, token)),
      ],
      routes: popRoutes({ store, topic: find, check, positions, acks, held }),
      tables: [orders],
      services: isSlave ? [] : servicesOf(needs, tables),
      presence: [part('held pops', { stop: () => stopAll(handler, held, waits) })],
      metrics: [
        figure(own.heldPops, () => held.size + waits.size),
        figure(own.popCheckPoints, () => points.size),
        figure(own.popCheckPointBytes, () => points.bytes),
      ],
      offsetReset: (topic, queueId) => {
        arrived(topic, queueId)
      },
      deletionSettled: async () => void (await Promise.all([retries.settled(), goneGroups.settled()])),
      topicDeleted: topic => {
        retries.topicDeleted(topic)
        held.endWhere(view => view.topic === topic)
        waits.endWhere(view => view.topic === topic)
        const isOf = (name: string, group: string) => name === topic || popOriginOf(name, group) === topic
        points.dropWhere(point => isOf(point.topic, point.group))
        positions.topicDeleted(isOf)
        orders.topicDeleted(isOf)
      },
      groupGone: (group, logEnd) => goneGroups.add(group, logEnd),
      groupDeleted: group => {
        positions.groupDeleted(group)
        orders.groupDeleted(group)
      },
    }
  },
}

function stopAll(handler: PopHandler, held: HeldPops, waits: HeldPops): void {
  handler.stop()
  held.stop()
  waits.stop()
}

const reviveTopicOf = ({ brokerClusterName }: Pick<BrokerConfig, 'brokerClusterName'>): string =>
  `${reviveTopicPrefix}${brokerClusterName}`

function tablesOf({ config, runtime, store, file, storeHost, furniture, topics, offsets, resets }: Needs) {
  const { clock } = runtime
  const reviveTopic = reviveTopicOf(config)
  const reviveQueues = () => topics.find(reviveTopic)?.readQueueNums ?? 0
  const points = new CheckPoints(clock, () => config.maxPopCheckPointBytes)
  const intervalMs = () => config.flushConsumerOffsetInterval
  const orders = new OrderTable({ clock, file: file('consumerOrderInfo', orderInfoFile), intervalMs })
  const positions = new PopPositions({
    ...{ clock, store, offsets, resets, points, reviveTopic, reviveQueues },
    wasReset: place => orders.clear(place),
    rereadLimit: () => config.maxPopRereadRecords,
    checkInMemory: config.initPopOffsetByCheckMsgInMem,
  })
  const ensureTopics = () => {
    topics.ensure(wheelTimerTopic, 1, 'the first pop')
    topics.ensure(reviveTopic, config.reviveQueueNum, 'the first pop')
  }
  const journal = new PopJournal({ store, clock, storeHost, reviveTopic, ensureTopics })
  const limits = {
    all: () => config.maxPopPollingSize,
    ofQueue: () => config.popPollingSize,
    ofConnection: () => config.maxHeldPullsPerConnection,
  }
  const [held, waits] = [new HeldPops(clock, limits), new HeldPops(clock, limits)]
  const wakes = new OrderWakes({ clock, held: [held, waits], maxHoldMs: () => config.maxPullHoldMs })
  const deleted = (topic: string) => furniture.topicDeleted(topic)
  const retries = new RetryTopics({ topics, offsets, isV2: config.enableRetryTopicV2, deleted })
  return { points, orders, positions, journal, held, waits, wakes, retries, reviveTopic, reviveQueues }
}

type Tables = ReturnType<typeof tablesOf>

function handlerOf({ config, runtime, store, topics, groups, filters, traffic }: Needs, tables: Tables): PopHandler {
  const { clock, random } = runtime
  return new PopHandler({
    ...{ ...tables, store, clock, random, brokerName: config.brokerName },
    topic: topic => topics.find(topic),
    group: group => groups.findOrCreate(group),
    filterOf: ({ topic, consumerGroup: group, exp, expType: type }) =>
      exp === undefined || exp === '' ? undefined : filters.ofText({ topic, group, expression: exp, type }),
    counted: (group, taken) => count(traffic, group, taken),
    settings: over(config, { brokerPermission: () => config.brokerPermission }),
  })
}

function count(traffic: Traffic, group: string, { topic, queueId, result, offsets }: Taken): void {
  const { nextOffset, bytes } = result
  traffic.found.add(1)
  traffic.countGet(group, topic, { queueId, nextOffset, count: offsets.length, bytes })
}

function notifierOf({ config, runtime, store, topics }: Needs, tables: Tables, handler: PopHandler): Notifier {
  const { positions, orders, waits, wakes } = tables
  return new Notifier({
    ...{ clock: runtime.clock, store, positions, orders, wakes, held: waits },
    topic: topic => topics.find(topic),
    check: view => handler.check(view),
    maxHoldMs: () => config.maxPullHoldMs,
  })
}

/** Reads what is in flight before the broker answers, then revives. A slave does neither: it may be started as a master. */
function servicesOf({ config, runtime, store, topics, groups, offsets, traffic }: Needs, tables: Tables) {
  const { points, positions } = tables
  const recovery = new PopRecovery({
    ...{ ...tables, ...runtime, store, offsets },
    timerCheckPath: `${config.storePathRootDir}/config/timercheck`,
  })
  const revival = new Revival({
    ...{ ...runtime, ...tables, store, points, positions },
    rereadLimit: () => config.maxPopRereadRecords,
    hasTopic: topic => topics.find(topic) !== undefined,
    ensureGroup: group => groups.findOrCreate(group) !== undefined,
    undeliverable: () => topics.ensure(undeliverableTopic, 1, 'a message cannot be delivered').topicName,
    revived: (topic, { count, size }) => traffic.countPut(topic, count, size),
  })
  const start = () => {
    tables.orders.cutTo((topic, queueId) => store.maxOffset(topic, queueId))
    return recovery.run()
  }
  return [
    { name: 'pops in flight', start, stop: async () => {} },
    part('positions of pops', { start: () => positions.start(), stop: () => positions.stop() }),
    part('revival', { start: () => revival.start(), stop: () => revival.stop() }),
  ]
}

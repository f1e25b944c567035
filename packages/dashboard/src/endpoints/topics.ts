import {
  AdminError,
  type AdminSession,
  brokerStats,
  deleteTopic,
  each,
  findTopicRoute,
  heldBy,
  isOwnTopic,
  putTopic,
  setTopicPerm,
  topicGroups,
  topicRoute,
  topicStats,
} from '@skua-mq/admin'
import { deadLetterPrefix, retryPrefix, type TopicConfig } from '@skua-mq/protocol'
import { type Ask, endpoint } from '../endpoint.ts'
import { confirmation, count, cutTo, figure, known, limited, ms, takenBy, told, topicName } from '../rows.ts'
import { bool, int, list, oneOf, optional, orNull, shape, text, type ValueOf } from '../schema.ts'
import { mustConfirm, mustSayWhere, where } from './where.ts'

/** Topics of a list, and those whose figures are asked for at once: rows that are seen. */
export const maxTopics = 50_000
const maxFigures = 60

const topicRow = shape({
  topic: told,
  /** own: of brokers and clients, nobody made it. */
  kind: oneOf('user', 'retry', 'dead', 'own'),
  /** NORMAL, FIFO, DELAY, TRANSACTION; UNSPECIFIED where brokers do not tell. */
  type: told,
  brokers: list(told, { max: 1_000 }),
  readQueues: count,
  writeQueues: count,
  /** Bits: read 4, write 2; -1 where brokers differ. */
  perm: int(),
  order: bool(),
})
/** Changed in place while it is summed up, and made as one literal: spreads of ten thousand rows cost more than all the rest of the answer. */
type TopicRow = { -readonly [K in keyof ValueOf<typeof topicRow>]: ValueOf<typeof topicRow>[K] } & { brokers: string[] }

function addTo(row: TopicRow, brokerName: string, { readQueueNums, writeQueueNums, perm }: TopicConfig): void {
  row.brokers.push(brokerName)
  row.readQueues += readQueueNums
  row.writeQueues += writeQueueNums
  if (row.perm !== perm) row.perm = -1
}

const typeOf = ({ attributes }: TopicConfig): string => {
  return attributes?.get('message.type') ?? 'UNSPECIFIED'
}

function kindOf(topic: string, own: ReadonlySet<string>): TopicRow['kind'] {
  if (topic.startsWith(retryPrefix)) return 'retry'
  if (topic.startsWith(deadLetterPrefix)) return 'dead'
  return isOwnTopic(topic, own) ? 'own' : 'user'
}

/** Every topic that a master has. */
export const topics = endpoint({
  name: 'topics',
  method: 'GET',
  role: 'view',
  help: 'Every topic with its settings, of all masters together, by name.',
  params: {},
  answer: limited(topicRow, maxTopics),
  run: ({ cluster }) =>
    cluster.share('topic rows', 2_000, async () => {
      const [tables, own] = await Promise.all([cluster.topicTables(), cluster.ownTopics()])
      const rows = new Map<string, TopicRow>()
      for (const { brokerName, rows: configs } of tables)
        for (const config of configs) {
          const { topicName: topic, readQueueNums, writeQueueNums, perm, order } = config
          const row = rows.get(topic)
          if (row === undefined)
            rows.set(topic, {
              topic,
              kind: kindOf(topic, own),
              type: typeOf(config),
              brokers: [brokerName],
              readQueues: readQueueNums,
              writeQueues: writeQueueNums,
              perm,
              order: order === true,
            })
          else addTo(row, brokerName, config)
        }
      const sorted = [...rows.values()].sort((a, b) => (a.topic < b.topic ? -1 : 1))
      return cutTo(
        sorted,
        maxTopics,
        tables.flatMap(({ problem }) => problem ?? []),
      )
    }),
})

const topicFigure = shape({ topic: told, messages: figure, lastWrittenMs: figure, inTps: figure })

async function figuresOf(session: AdminSession, topic: string): Promise<ValueOf<typeof topicFigure>> {
  try {
    const [stats, rate] = await Promise.all([topicStats(session, topic), rateOf(session, topic, 'TOPIC_PUT_NUMS')])
    const { messages, lastUpdateMs } = heldBy(stats)
    return { topic, messages, lastWrittenMs: known(lastUpdateMs), inTps: rate }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { topic, messages: null, lastWrittenMs: null, inTps: null }
  }
}

/** Messages a second in the last minute, of all brokers of the topic. */
async function rateOf(session: AdminSession, topic: string, statsName: string): Promise<number | null> {
  const route = await findTopicRoute(session, topic)
  const masters = (route?.brokers ?? []).flatMap(({ addresses }) => addresses.filter(({ brokerId }) => brokerId === 0))
  const rates = await each(masters, ({ address: at }) => brokerStats(session, at, { statsName, statsKey: topic }))
  return known(rates.reduce((sum, one) => sum + (one?.minute.tps ?? 0), 0))
}

/** Figures of the rows that are seen. */
export const topicFigures = endpoint({
  name: 'topics/figures',
  method: 'GET',
  role: 'view',
  help: 'Messages, last write and rate of some topics.',
  params: { topics: list(topicName, { max: maxFigures }) },
  answer: shape({ rows: list(topicFigure, { max: maxFigures }) }),
  run: async ({ cluster }, params) => ({
    rows: await each(params.topics, topic =>
      cluster.share(`figures ${topic}`, 2_000, session => figuresOf(session, topic)),
    ),
  }),
})

/** One topic. */
export const topic = endpoint({
  name: 'topic',
  method: 'GET',
  role: 'view',
  help: 'A topic: settings at each broker, each queue, the groups that consume it, rates.',
  params: { topic: topicName },
  answer: shape({
    topic: told,
    kind: oneOf('user', 'retry', 'dead', 'own'),
    type: told,
    configs: list(
      shape({
        ...{ brokerName: told, address: told, clusterName: told },
        ...{ readQueueNums: int(), writeQueueNums: int(), perm: int(), order: bool() },
      }),
      { max: 1_000 },
    ),
    queues: list(shape({ brokerName: told, queueId: int(), minOffset: int(), maxOffset: int(), lastUpdateMs: ms }), {
      max: 20_000,
    }),
    groups: list(told, { max: 10_000 }),
    inTps: figure,
    orderConf: orNull(told),
  }),
  run: async ({ cluster }, params) => {
    const { session } = cluster
    const route = await topicRoute(session, params.topic)
    const [tables, own, queues, groups, inTps] = await Promise.all([
      cluster.topicTables(),
      cluster.ownTopics(),
      topicStats(session, params.topic),
      topicGroups(session, params.topic),
      rateOf(session, params.topic, 'TOPIC_PUT_NUMS'),
    ])
    const clusterOf = new Map(route.brokers.map(one => [one.brokerName, one.clusterName]))
    const configs = tables.flatMap(({ brokerName, address: at, rows }) => {
      const config = rows.find(one => one.topicName === params.topic)
      return config === undefined ? [] : [{ brokerName, address: at, config }]
    })
    return {
      topic: params.topic,
      kind: kindOf(params.topic, own),
      type: configs[0] === undefined ? 'UNSPECIFIED' : typeOf(configs[0].config),
      configs: configs.map(({ brokerName, address: at, config }) => ({
        ...{ brokerName, address: at, clusterName: clusterOf.get(brokerName) ?? '' },
        ...{ readQueueNums: config.readQueueNums, writeQueueNums: config.writeQueueNums, perm: config.perm },
        order: config.order === true,
      })),
      queues: queues.slice(0, 20_000).map(({ brokerName, queueId, minOffset, maxOffset, lastUpdateMs }) => {
        return { brokerName, queueId, minOffset, maxOffset, lastUpdateMs }
      }),
      groups: groups.slice(0, 10_000),
      inTps,
      orderConf: route.orderTopicConf ?? null,
    }
  },
})

/** Creates or changes. */
export const topicPut = endpoint({
  name: 'topic/put',
  method: 'POST',
  role: 'admin',
  help: 'Creates a topic, or changes its settings.',
  params: {
    topic: topicName,
    ...where,
    readQueueNums: int({ min: 0, max: 65_535 }),
    writeQueueNums: int({ min: 0, max: 65_535 }),
    perm: int({ min: 0, max: 7, help: 'read 4, write 2' }),
    order: optional(bool()),
    type: optional(oneOf('NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'UNSPECIFIED')),
  },
  answer: takenBy,
  run: async ({ cluster }, { topic: name, clusterName, brokerAddr, type, order, ...queues }) => ({
    addresses: await putTopic(cluster.session, mustSayWhere({ clusterName, brokerAddr }), {
      ...{ topic: name, ...queues, order },
      attributes: type === undefined || type === 'UNSPECIFIED' ? undefined : `+message.type=${type}`,
    }),
  }),
})

/** Read, write, both or none. */
export const topicPerm = endpoint({
  name: 'topic/perm',
  method: 'POST',
  role: 'admin',
  help: 'Changes the permission of a topic, at each master that has it.',
  params: { topic: topicName, ...where, perm: int({ min: 0, max: 7, help: 'read 4, write 2' }) },
  answer: shape({ changed: list(shape({ address: told, before: int(), after: int() }), { max: 1_000 }) }),
  run: async ({ cluster }, { topic: name, perm, clusterName, brokerAddr }) => ({
    changed: (
      await setTopicPerm(cluster.session, mustSayWhere({ clusterName, brokerAddr }), { topic: name, perm })
    ).map(({ address: at, before, after }) => ({ address: at, before, after })),
  }),
})

/** With its messages. */
export const topicDelete = endpoint({
  name: 'topic/delete',
  method: 'POST',
  role: 'admin',
  help: 'Deletes a topic with its messages, at all brokers and name servers of the clusters that have it.',
  params: { topic: topicName, clusterName: text({ min: 1, max: 255 }), confirm: confirmation },
  answer: takenBy,
  run: async ({ cluster }: Ask, { topic: name, clusterName, confirm }) => {
    mustConfirm(confirm, name)
    const { brokers, nameServers } = await deleteTopic(cluster.session, { topic: name, clusterName })
    return { addresses: [...brokers, ...nameServers] }
  },
})

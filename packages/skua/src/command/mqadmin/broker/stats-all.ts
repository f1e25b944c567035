import {
  AdminError,
  type AdminSession,
  brokerStats,
  each,
  findTopicRoute,
  groupProgress,
  listTopics,
  type StatsItem,
  topicGroups,
} from '@skua-mq/admin'
import { text, toggle } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { table } from '../frame/table.ts'

interface Row {
  readonly topic: string
  readonly group: string
  /** Messages that wait. */
  readonly accumulation: number
  readonly inTps: number
  /** NaN where nobody consumes. */
  readonly outTps: number
  readonly in24Hours: number
  readonly out24Hours: number
}

export const statsAll = subcommand({
  requests: '206, 105, 300, 208, 315',
  flags: {
    activeTopic: toggle('a', 'activeTopic', 'only topics with messages in the last 24 hours'),
    topic: text('t', 'topic', 'only this topic'),
  },
  run: async ({ session, flags: { activeTopic, topic } }) => {
    const all = await listTopics(session)
    const topics = all.filter(name => (topic === undefined ? !name.startsWith('%') : name === topic))
    if (topics.length === 0) throw new AdminError('NOT_FOUND', `topic ${topic} does not exist: topicList lists them`)
    const rows = await each(topics, name => rowsOf(session, name))
    return rows.flat().filter(row => !activeTopic || row.in24Hours > 0 || row.out24Hours > 0)
  },
  show: rows => [
    table(
      [
        { title: '#Topic', cell: row => row.topic },
        { title: '#Consumer Group', cell: row => row.group },
        { title: '#Accumulation', cell: row => row.accumulation, right: true },
        { title: '#InTPS', cell: row => row.inTps.toFixed(2), right: true },
        { title: '#OutTPS', cell: row => (row.group === '' ? '' : row.outTps.toFixed(2)), right: true },
        { title: '#InMsg24Hour', cell: row => row.in24Hours, right: true },
        { title: '#OutMsg24Hour', cell: row => (row.group === '' ? 'NO_CONSUMER' : row.out24Hours), right: true },
      ],
      rows,
    ),
  ],
})

async function rowsOf(session: AdminSession, topic: string): Promise<Row[]> {
  const route = await findTopicRoute(session, topic)
  if (route === undefined) return []
  const addresses = route.brokers.flatMap(({ addresses: [first] }) => (first === undefined ? [] : [first.address]))
  const sums = async (statsName: string, statsKey: string) =>
    summed(await each(addresses, address => brokerStats(session, address, { statsName, statsKey })))
  const into = await sums('TOPIC_PUT_NUMS', topic)
  const common = { topic, inTps: into.tps, in24Hours: into.day }
  const groups = await topicGroups(session, topic)
  if (groups.length === 0) return [{ ...common, group: '', accumulation: 0, outTps: Number.NaN, out24Hours: 0 }]
  return each(groups, async group => {
    const out = await sums('GROUP_GET_NUMS', `${topic}@${group}`)
    const { queues } = await groupProgress(session, group, topic)
    const waiting = queues.filter(queue => queue.topic === topic).reduce((sum, { diff }) => sum + Math.max(0, diff), 0)
    return { ...common, group, accumulation: waiting, outTps: out.tps, out24Hours: out.day }
  })
}

/** Of all brokers. The longest time that has figures is taken: a broker that began today has none of a day. */
function summed(items: readonly (StatsItem | undefined)[]): { tps: number; day: number } {
  let tps = 0
  let day = 0
  for (const item of items) {
    tps += item?.minute.tps ?? 0
    day += item?.day.sum || item?.hour.sum || item?.minute.sum || 0
  }
  return { tps, day }
}

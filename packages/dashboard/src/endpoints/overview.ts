import { AdminError, brokerFigures, brokerRuntimeInfo, diagnose, each, isOwnTopic, isSystemGroup } from '@skua-mq/admin'
import { getBrokerClusterInfo } from '@skua-mq/protocol'
import { maxChanges } from '../change-log.ts'
import type { Cluster } from '../cluster.ts'
import { endpoint } from '../endpoint.ts'
import { count, cutTo, figure, known, limited, ms, told } from '../rows.ts'
import { bool, int, list, oneOf, orNull, shape, type ValueOf } from '../schema.ts'

/** Brokers of an overview. */
const maxBrokers = 1_000
/** Groups with the largest lag. */
const maxLags = 10
/** How long queues are watched for a standstill. */
const watchMs = 2_000
/** A diagnosis asks every group: once for everybody in so long. */
const diagnosisKeepMs = 60_000

const brokerRow = shape({
  clusterName: told,
  brokerName: told,
  brokerId: int(),
  address: told,
  version: told,
  inTps: figure,
  outTps: figure,
  disk: figure,
  putToday: figure,
  getToday: figure,
  earliestMs: figure,
  /** Bytes that the slave lacks; null at a master, or where it is not told. */
  behindBytes: figure,
  problem: orNull(told),
})
type BrokerRow = ValueOf<typeof brokerRow>

async function brokerRows(cluster: Cluster): Promise<BrokerRow[]> {
  const brokers = (await cluster.brokers()).slice(0, maxBrokers)
  const infos = await each(brokers, ({ address }) =>
    brokerRuntimeInfo(cluster.session, address).catch((error: unknown) => {
      if (error instanceof AdminError) return error
      throw error
    }),
  )
  const endOf = (info: Record<string, string> | AdminError | undefined): number =>
    info === undefined || info instanceof AdminError
      ? Number.NaN
      : Number.parseInt(info['commitLogMaxOffset'] ?? '', 10)
  return brokers.map((broker, i) => {
    const info = infos[i]!
    if (info instanceof AdminError) return { ...broker, ...untold, problem: info.message }
    const { version, putTps, getTps, diskRatio, putToday, getToday, earliestMessageMs } = brokerFigures(info)
    const master = brokers.findIndex(one => one.brokerName === broker.brokerName && one.brokerId === 0)
    return {
      ...broker,
      ...{ version, inTps: known(putTps), outTps: known(getTps) },
      disk: diskRatio >= 0 ? known(diskRatio) : null,
      ...{ putToday: known(putToday), getToday: known(getToday), earliestMs: known(earliestMessageMs) },
      behindBytes: broker.brokerId === 0 ? null : known(Math.max(0, endOf(infos[master]) - endOf(info))),
      problem: info['storeRefuses'] ?? null,
    }
  })
}

const untold = {
  ...{ version: '', inTps: null, outTps: null, disk: null, putToday: null, getToday: null },
  ...{ earliestMs: null, behindBytes: null },
}

/** Name servers that answer for themselves. */
const nameServers = (cluster: Cluster) =>
  each(cluster.session.namesrvAddrs, async address => {
    try {
      await cluster.session.read(address, { spec: getBrokerClusterInfo })
      return { address, problem: null }
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
      return { address, problem: error.message }
    }
  })

/** Brokers at a glance. */
export const overview = endpoint({
  name: 'overview',
  method: 'GET',
  role: 'view',
  help: 'Name servers and brokers with their figures, and how many topics there are.',
  params: {},
  answer: shape({
    nameServers: list(shape({ address: told, problem: orNull(told) }), { max: 100 }),
    brokers: list(brokerRow, { max: maxBrokers }),
    topics: count,
  }),
  run: async ({ cluster }) => {
    const [servers, brokers, topics, own] = await Promise.all([
      nameServers(cluster),
      cluster.share('overview', 1_000, () => brokerRows(cluster)),
      cluster.topics().catch(() => []),
      cluster.ownTopics().catch(() => new Set<string>()),
    ])
    return { nameServers: servers, brokers, topics: topics.filter(name => !isOwnTopic(name, own)).length }
  },
})

/** The groups that are behind most: apart from the overview, since brokers look at all their queues for it. */
export const lags = endpoint({
  name: 'lags',
  method: 'GET',
  role: 'view',
  help: 'The groups with the largest lag, and the sum of all.',
  params: {},
  timeMs: 40_000,
  answer: shape({
    groups: count,
    lag: count,
    largest: list(shape({ group: told, lag: count, topics: list(told, { max: 5 }) }), { max: maxLags }),
    problems: list(told, { max: 100 }),
  }),
  run: async ({ cluster }) => {
    const [tables, configs] = await Promise.all([cluster.progress(), cluster.groupTables()])
    const groups = new Map<string, { group: string; lag: number; topics: Map<string, number> }>()
    for (const { rows } of tables)
      for (const { group, topic, diff } of rows) {
        const line = groups.get(group) ?? { group, lag: 0, topics: new Map<string, number>() }
        groups.set(group, line)
        line.lag += Math.max(0, diff)
        if (diff > 0) line.topics.set(topic, (line.topics.get(topic) ?? 0) + diff)
      }
    const sorted = [...groups.values()].filter(({ lag }) => lag > 0).sort((a, b) => b.lag - a.lag)
    const names = new Set(configs.flatMap(({ rows }) => rows.map(({ groupName }) => groupName)))
    return {
      groups: [...names].filter(name => !isSystemGroup(name)).length,
      lag: sorted.reduce((sum, { lag }) => sum + lag, 0),
      largest: sorted.slice(0, maxLags).map(({ group, lag, topics }) => ({
        ...{ group, lag },
        topics: [...topics]
          .sort(([, a], [, b]) => b - a)
          .map(([topic]) => topic)
          .slice(0, 5),
      })),
      problems: tables.flatMap(({ problem }) => (problem === undefined ? [] : [problem])).slice(0, 100),
    }
  },
})

/** What `skua doctor` finds. */
export const doctor = endpoint({
  name: 'doctor',
  method: 'GET',
  role: 'view',
  help: 'What is wrong, each finding with its remedy; the last look of at most a minute ago.',
  params: {},
  timeMs: 60_000,
  answer: limited(shape({ severity: oneOf('error', 'warning'), check: told, sentence: told }), 200),
  run: async ({ cluster }) => {
    const { findings } = await cluster.share('doctor', diagnosisKeepMs, session => diagnose(session, { watchMs }))
    const shown = findings.map(({ severity, check, sentence }) => ({ severity, check, sentence }))
    return cutTo(
      shown.sort((a, b) => Number(a.severity === 'warning') - Number(b.severity === 'warning')),
      200,
    )
  },
})

/** The last hour. */
export const history = endpoint({
  name: 'history',
  method: 'GET',
  role: 'view',
  help: 'Figures of the last hour, all masters together, oldest first.',
  params: {},
  answer: shape({
    samples: list(shape({ atMs: ms, inTps: figure, outTps: figure, disk: figure, lag: figure }), { max: 400 }),
  }),
  run: ({ cluster }) => ({ samples: cluster.history.samples() }),
})

/** All names, for a search as one types. */
export const names = endpoint({
  name: 'names',
  method: 'GET',
  role: 'view',
  help: 'Names of all topics, groups and brokers.',
  params: {},
  answer: shape({
    topics: list(told, { max: 100_000 }),
    groups: list(told, { max: 100_000 }),
    brokers: list(shape({ brokerName: told, address: told, isMaster: bool() }), { max: maxBrokers }),
  }),
  run: async ({ cluster }) => {
    const [topics, configs, brokers] = await Promise.all([cluster.topics(), cluster.groupTables(), cluster.brokers()])
    const groups = new Set(configs.flatMap(({ rows }) => rows.map(({ groupName }) => groupName)))
    return {
      topics: topics.slice(0, 100_000),
      groups: [...groups].sort().slice(0, 100_000),
      brokers: brokers
        .slice(0, maxBrokers)
        .map(one => ({ brokerName: one.brokerName, address: one.address, isMaster: one.brokerId === 0 })),
    }
  },
})

/** Who changed what. */
export const changes = endpoint({
  name: 'changes',
  method: 'GET',
  role: 'view',
  help: 'What was changed by this dashboard, the last 500: who, when, what; oldest first. Of a file also what was changed before its start.',
  params: {},
  answer: shape({
    rows: list(
      shape({ atMs: ms, who: told, from: told, cluster: told, action: told, what: told, problem: orNull(told) }),
      { max: maxChanges },
    ),
    total: count,
    problems: list(told, { max: 100 }),
    /** Where they are kept; null is in memory, until the dashboard ends. */
    file: orNull(told),
  }),
  run: ({ dashboard: { changes: log } }) => {
    const problems = log.problem === undefined ? [] : [`the last change is not in ${log.path}: ${log.problem}`]
    return { ...cutTo(log.all(), maxChanges, problems), file: log.path ?? null }
  },
})

import {
  AdminError,
  type AdminSession,
  brokerFigures,
  brokerRuntimeInfo,
  type ClusterBroker,
  clusterBrokers,
  each,
  groupNames,
  topicNames,
} from '@skua-mq/admin'
import { getBrokerClusterInfo } from '@skua-mq/protocol'
import { emptyLine, lines, table } from '../mqadmin/frame/table.ts'
import { countText } from './figures.ts'
import { personCommand } from './frame.ts'
import { type GroupLine, groupLine, groupProblems } from './groups.ts'

/** A broker at a glance; figures are null where it does not tell. */
export interface BrokerLine extends ClusterBroker {
  readonly role: 'master' | 'slave'
  readonly answers: boolean
  readonly version: string
  readonly inTps: number | null
  readonly outTps: number | null
  /** Share of the disk that is in use, 0 to 1. */
  readonly disk: number | null
  /** Share of its master's log that a slave has, while it takes it from the beginning; 0 to 1. */
  readonly copied: number | null
  /** Where brokers choose their master: `holds the lease, 3 in sync`, of the one that is it. */
  readonly election: string | null
  readonly problem?: string
}

/** The cluster at a glance. */
export interface Status {
  readonly nameServers: readonly { readonly address: string; readonly problem?: string }[]
  readonly brokers: readonly BrokerLine[]
  readonly topics: number
  readonly groups: { readonly all: number; readonly online: number }
  /** Messages that wait, of all groups that tell. */
  readonly lag: number
  readonly problems: readonly string[]
}

/** `skua status`. */
export const status = personCommand({
  run: async ({ session }): Promise<Status> => {
    const nameServers = await each(session.nameServers(), address =>
      withProblem({ address }, async () => void (await session.read(address, { spec: getBrokerClusterInfo }))),
    )
    const brokers = await each(await clusterBrokers(session), broker => brokerLine(session, broker))
    const silent = [...nameServers, ...brokers].flatMap(({ problem }) => (problem === undefined ? [] : [problem]))
    const none = { nameServers, brokers, topics: 0, groups: { all: 0, online: 0 }, lag: 0 }
    if (brokers.length === 0)
      return { ...none, problems: [...silent, 'no broker is registered: start one with -n and this name server'] }
    const { topics, groups, problems } = await contents(session)
    return {
      ...none,
      topics,
      groups: { all: groups.length, online: groups.filter(({ online }) => online).length },
      lag: groups.reduce((sum, { lag }) => sum + (lag ?? 0), 0),
      problems: [...silent, ...problems, ...groupProblems(groups)],
    }
  },
  show: ({ nameServers, brokers, topics, groups, lag }) => [
    lines(
      ...nameServers.map(({ address, problem }) => `name server ${address} ${problem ? 'does not answer' : 'answers'}`),
    ),
    emptyLine,
    brokerTable(brokers),
    emptyLine,
    lines(`${topics} topics, ${groups.all} groups (${groups.online} online), ${countText(lag)} messages waiting`),
  ],
  problems: ({ problems }) => problems,
})

/** Topics and groups; a cluster without a master that answers has none, for a reason. */
async function contents(session: AdminSession) {
  try {
    const [topics, names] = await Promise.all([topicNames(session, false), groupNames(session, false)])
    const groups = await each(names, group => groupLine(session, group))
    return { topics: topics.length, groups, problems: [] }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    const groups: GroupLine[] = []
    return { topics: 0, groups, problems: [error.message] }
  }
}

async function withProblem<T>(line: T, ask: () => Promise<Partial<T> | undefined>): Promise<T & { problem?: string }> {
  try {
    return { ...line, ...(await ask()) }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { ...line, problem: error.message }
  }
}

function brokerLine(session: AdminSession, broker: ClusterBroker): Promise<BrokerLine> {
  const role: BrokerLine['role'] = broker.brokerId === 0 ? 'master' : 'slave'
  const unknown = { version: '', inTps: null, outTps: null, disk: null, copied: null, election: null }
  const silent = { ...broker, role, answers: false, ...unknown }
  return withProblem<BrokerLine>(silent, async () => {
    const info = await brokerRuntimeInfo(session, broker.address)
    const { version, putTps, getTps, diskRatio } = brokerFigures(info)
    const [inTps, outTps, disk] = [known(putTps), known(getTps), known(diskRatio)]
    const [copied, election] = [copiedOf(info['skuaCopying']), info['skuaElection'] ?? null]
    return { answers: true, version, inTps, outTps, disk, copied, election }
  })
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value)

/** `12/345`, in bytes. */
function copiedOf(text: string | undefined): number | null {
  if (text === undefined) return null
  const [has = 0, all = 0] = text.split('/').map(Number)
  return all > 0 ? Math.min(1, has / all) : 0
}

/** Who a broker is; a slave that is still copying is no choice for a master. */
export function roleText({
  role,
  brokerId,
  copied,
  election,
}: Pick<BrokerLine, 'role' | 'brokerId' | 'copied' | 'election'>): string {
  if (role === 'master') return election === null ? 'master' : `master, ${election}`
  return copied === null ? `slave ${brokerId}` : `slave ${brokerId}, copying: ${Math.floor(copied * 100)} %`
}

const brokerTable = (brokers: readonly BrokerLine[]) =>
  table(
    [
      { title: 'CLUSTER', cell: row => row.clusterName },
      { title: 'BROKER', cell: row => row.brokerName },
      { title: 'ROLE', cell: row => roleText(row) },
      { title: 'ADDRESS', cell: row => row.address },
      { title: 'VERSION', cell: row => (row.answers ? row.version : 'does not answer') },
      { title: 'IN/S', cell: row => countText(row.inTps ?? undefined), right: true },
      { title: 'OUT/S', cell: row => countText(row.outTps ?? undefined), right: true },
      {
        title: 'DISK',
        cell: row => (row.disk === null || row.disk < 0 ? '-' : `${Math.round(row.disk * 100)} %`),
        right: true,
      },
    ],
    brokers,
  )

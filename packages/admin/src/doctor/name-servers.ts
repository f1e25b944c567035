import { getAllTopicListFromNameserver, getBrokerClusterInfo } from '@skua-mq/protocol'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { type Finding, grave, listed } from './finding.ts'

/** A broker under the address that it told a name server. */
export interface Advertised {
  /** `broker-a`, or `broker-a:1` for a slave. */
  readonly name: string
  readonly brokerName: string
  readonly brokerId: number
  readonly clusterName: string
  readonly address: string
}

/** What one name server knows; `problem` where it does not answer. */
export interface NameServerView {
  readonly address: string
  readonly brokers: readonly Advertised[]
  readonly topics: ReadonlySet<string>
  readonly problem: string | undefined
}

/** Asks each name server for itself. */
export const nameServerViews = (session: AdminSession): Promise<NameServerView[]> =>
  each(session.nameServers(), async address => {
    try {
      const { clusterAddrTable, brokerAddrTable } = await session.read(address, { spec: getBrokerClusterInfo })
      const { topicList } = await session.read(address, { spec: getAllTopicListFromNameserver })
      const clusterOf = new Map(
        [...clusterAddrTable].flatMap(([name, brokers]) => [...brokers].map(one => [one, name])),
      )
      const brokers = [...brokerAddrTable].flatMap(([brokerName, { brokerAddrs }]) =>
        [...brokerAddrs].map(([brokerId, at]) => ({
          name: brokerId === 0 ? brokerName : `${brokerName}:${brokerId}`,
          brokerName,
          brokerId,
          clusterName: clusterOf.get(brokerName) ?? '',
          address: at,
        })),
      )
      return { address, brokers, topics: new Set(topicList), problem: undefined }
    } catch (error) {
      if (!(error instanceof AdminError)) throw error
      return { address, brokers: [], topics: new Set<string>(), problem: error.message }
    }
  })

/** Every broker that any of them knows, each address once. */
export function advertised(views: readonly NameServerView[]): Advertised[] {
  const all = new Map(
    views.flatMap(({ brokers }) => brokers.map(broker => [`${broker.name} ${broker.address}`, broker])),
  )
  return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Name servers that do not answer, or do not know what others know. */
export function nameServerFindings(views: readonly NameServerView[]): Finding[] {
  const findings = views.flatMap(({ address, problem }) =>
    problem === undefined
      ? []
      : [grave('name servers', `the name server ${address} does not answer (${problem}): start it, or take it off -n`)],
  )
  const alive = views.filter(({ problem }) => problem === undefined)
  if (alive.length > 0 && alive.every(({ brokers }) => brokers.length === 0))
    return [...findings, grave('name servers', 'no broker is registered: start one with -n and these name servers')]
  const all = advertised(alive)
  const topics = new Set(alive.flatMap(view => [...view.topics]))
  return [
    ...findings,
    ...alive.flatMap(({ address, brokers, topics: own }) => {
      const lacks = all.filter(one => !brokers.some(two => two.name === one.name && two.address === one.address))
      if (lacks.length > 0) {
        const names = listed(lacks.map(({ name, address: at }) => `${name} at ${at}`))
        return [
          grave(
            'name servers',
            `the name server ${address} does not know ${names}, which others know: give every broker all name servers (namesrvAddr)`,
          ),
        ]
      }
      const missing = [...topics].filter(topic => !own.has(topic))
      if (missing.length === 0) return []
      const sentence = `the name server ${address} does not know the topics ${listed(missing)}, which others know: brokers tell it within 30 s, or cannot reach it`
      return [grave('name servers', sentence)]
    }),
  ]
}

import { type ClusterInfo, getBrokerClusterInfo } from '@skua-mq/protocol'
import { nearest } from '@skua-mq/runtime'
import { compareText } from './each.ts'
import { AdminError } from './error.ts'
import type { AdminSession } from './session.ts'

/** One broker of a cluster, as it is registered. */
export interface ClusterBroker {
  readonly clusterName: string
  readonly brokerName: string
  /** 0 is the master. */
  readonly brokerId: number
  /** host:port. */
  readonly address: string
}

/** Which brokers a request goes to: one, those of a cluster, or without either those of all clusters. */
export interface Where {
  /** host:port. */
  readonly brokerAddr?: string | undefined
  readonly clusterName?: string | undefined
}

/** Every broker that the name server knows, masters and slaves, by cluster, name and id. */
export async function clusterBrokers(session: AdminSession, clusterName?: string): Promise<ClusterBroker[]> {
  const brokers = listed(await session.readNameServer({ spec: getBrokerClusterInfo }))
  if (clusterName === undefined) return brokers
  const names = [...new Set(brokers.map(broker => broker.clusterName))]
  if (names.includes(clusterName)) return brokers.filter(broker => broker.clusterName === clusterName)
  throw new AdminError('NOT_FOUND', `cluster ${clusterName} is not known. ${known('clusters', clusterName, names)}`)
}

/** What there is, with the nearest name first; empty lists say so. */
export function known(what: string, wanted: string, names: readonly string[]): string {
  if (names.length === 0) return `The name server knows no ${what}: check that brokers run and are registered`
  const close = nearest(wanted, names)
  if (close !== undefined) return `Did you mean ${close}?`
  return names.length > 20 ? `There are ${names.length} ${what}` : `There are: ${names.join(', ')}`
}

function listed({ clusterAddrTable, brokerAddrTable }: ClusterInfo): ClusterBroker[] {
  const found: ClusterBroker[] = []
  for (const [clusterName, brokerNames] of clusterAddrTable)
    for (const brokerName of brokerNames)
      for (const [brokerId, address] of brokerAddrTable.get(brokerName)?.brokerAddrs ?? [])
        found.push({ clusterName, brokerName, brokerId, address })
  return found.sort(
    (a, b) =>
      compareText(a.clusterName, b.clusterName) ||
      compareText(a.brokerName, b.brokerName) ||
      a.brokerId - b.brokerId ||
      compareText(a.address, b.address),
  )
}

/** Addresses of the masters. Errors: NOT_FOUND for a cluster that is unknown or has none. */
export async function mastersAt(session: AdminSession, where: Where = {}): Promise<string[]> {
  if (where.brokerAddr !== undefined) return [where.brokerAddr]
  const brokers = await clusterBrokers(session, where.clusterName)
  const masters = brokers.filter(({ brokerId }) => brokerId === 0)
  if (masters.length > 0) return masters.map(({ address }) => address)
  const which = where.clusterName === undefined ? 'No cluster' : `Cluster ${where.clusterName}`
  throw new AdminError('NOT_FOUND', `${which} has a master: check that brokers run and are registered`)
}

/** Addresses of masters and slaves. Errors as `mastersAt`. */
export async function brokersAt(session: AdminSession, where: Where = {}): Promise<string[]> {
  if (where.brokerAddr !== undefined) return [where.brokerAddr]
  const brokers = await clusterBrokers(session, where.clusterName)
  if (brokers.length > 0) return brokers.map(({ address }) => address)
  throw new AdminError('NOT_FOUND', 'No broker is registered with the name server: start one with its address')
}

/** The master of this name. Errors: NOT_FOUND. */
export async function masterNamed(session: AdminSession, brokerName: string): Promise<ClusterBroker> {
  const brokers = await clusterBrokers(session)
  const found = brokers.find(broker => broker.brokerName === brokerName && broker.brokerId === 0)
  if (found !== undefined) return found
  const names = [...new Set(brokers.map(broker => broker.brokerName))]
  if (names.includes(brokerName))
    throw new AdminError('NOT_FOUND', `broker ${brokerName} has no master at the moment: is it down?`)
  throw new AdminError('NOT_FOUND', `broker ${brokerName} is not known. ${known('brokers', brokerName, names)}`)
}

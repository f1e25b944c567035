import { type BrokerConfig, brokerPorts } from '@skua-mq/broker'
import type { DashboardKeys } from '../command/dashboard-options.ts'
import type { GrpcOptions } from '../command/grpc.ts'

/** From a master's listenPort to that of the next one: each takes that - 2, that, and that + 1. */
export const portStride = 10

/** Below the store directory of the first master: `masters/1`, `masters/2`, each the store directory of a further one. */
export const mastersDirectory = 'masters'

/** The keys in which the brokers of a family differ; all others they share. */
export type FamilyConfig = Pick<
  GrpcOptions & BrokerConfig & DashboardKeys,
  | 'brokerName'
  | 'listenPort'
  | 'storePathRootDir'
  | 'storePathCommitLog'
  | 'metricsExporterType'
  | 'metricsPromExporterPort'
  | 'grpcServerPort'
  | 'dashboardPort'
>

/** One broker of a family: the first is the broker that there is without a family. */
export interface FamilyMember extends FamilyConfig {
  /** 0 is the first. */
  readonly index: number
}

/**
 * The brokers of a family, the first with its name, ports and directories as they are, so that a store can grow from one to several and
 * shrink back. gRPC and the dashboard are served beside the first alone: both serve all that the name servers know.
 */
export const familyOf = (first: FamilyConfig, count: number): FamilyMember[] =>
  Array.from({ length: count }, (_, index) => memberAt(first, index))

/** The broker at a place of the family, also of one that it had and has no more. */
export function memberAt(first: FamilyConfig, index: number): FamilyMember {
  const { brokerName, listenPort, storePathRootDir, storePathCommitLog } = first
  const { metricsExporterType, metricsPromExporterPort, grpcServerPort, dashboardPort } = first
  const own = { brokerName, listenPort, storePathRootDir, storePathCommitLog, grpcServerPort, dashboardPort }
  const metrics = { metricsExporterType, metricsPromExporterPort }
  if (index === 0) return { index, ...own, ...metrics }
  return {
    index,
    brokerName: memberName(brokerName, index),
    listenPort: listenPort + index * portStride,
    storePathRootDir: `${storePathRootDir}/${mastersDirectory}/${index}`,
    // Java's brokers of 4.9 take no directory that holds another one for a log.
    storePathCommitLog: storePathCommitLog === '' ? '' : `${storePathCommitLog}-${index}`,
    ...{ grpcServerPort: 0, dashboardPort: 0, metricsExporterType },
    // 0 is any free one.
    metricsPromExporterPort: metricsPromExporterPort === 0 ? 0 : metricsPromExporterPort + index,
  }
}

const memberName = (first: string, index: number): string => (index === 0 ? first : `${first}-${index}`)

/** The names of all, of whom one knows its own and its place. */
export function familyNames(
  own: string,
  { index, count }: { readonly index: number; readonly count: number },
): string[] {
  const first = index === 0 ? own : own.slice(0, -`-${index}`.length)
  return Array.from({ length: count }, (_, at) => memberName(first, at))
}

/** A port of a family, and which broker takes it for what. */
export interface FamilyPort {
  readonly port: number
  readonly member: FamilyMember
  readonly what: string
}

/** All ports on which a family listens that are named. */
export const portsOfFamily = (members: readonly FamilyMember[]): FamilyPort[] =>
  members.flatMap(member => {
    const { listenPort, metricsExporterType, metricsPromExporterPort, grpcServerPort, dashboardPort } = member
    const beside = [
      { port: metricsExporterType === 'PROM' ? metricsPromExporterPort : 0, what: '/metrics' },
      { port: grpcServerPort, what: 'gRPC' },
      { port: dashboardPort, what: 'the dashboard' },
    ]
    return [...brokerPorts(listenPort), ...beside.filter(({ port }) => port !== 0)].map(one => ({ ...one, member }))
  })

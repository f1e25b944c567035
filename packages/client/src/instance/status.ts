import type { ClientInstance } from './client-instance.ts'

/** A server, and whether a connection to it is open. */
export interface ServerStatus {
  readonly address: string
  readonly isConnected: boolean
}

/** How a client stands, for health checks. */
export interface ClientStatus {
  readonly state: 'new' | 'running' | 'closed'
  /** Undefined before the start. */
  readonly clientId: string | undefined
  readonly nameServers: readonly ServerStatus[]
  /** Those of the topics in use; none before a topic is known. */
  readonly brokers: readonly (ServerStatus & { readonly brokerName: string; readonly brokerId: number })[]
}

export function clientStatus(
  instance: ClientInstance | undefined,
  life: { readonly running: boolean; readonly closed: boolean },
): ClientStatus {
  const state = life.closed ? 'closed' : life.running ? 'running' : 'new'
  if (instance === undefined) return { state, clientId: undefined, nameServers: [], brokers: [] }
  const { remoting, names, routes, clientId } = instance
  const of = (address: string) => ({ address, isConnected: remoting.isConnected(address) })
  return {
    state,
    clientId,
    nameServers: names.addresses.map(of),
    brokers: [...routes.addresses()].map(({ brokerName, brokerId, address }) => ({
      brokerName,
      brokerId,
      ...of(address),
    })),
  }
}

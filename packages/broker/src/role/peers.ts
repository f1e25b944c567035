import { getBrokerClusterInfo, getRouteInfoByTopic, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { askBroker, type BrokerInfo } from '../ha/master-info.ts'

/** Another broker of the same name. */
export interface Peer {
  readonly brokerId: number
  readonly address: string
  /** Undefined where it does not answer. */
  readonly info: BrokerInfo | undefined
}

/** A master of RocketMQ's tells no role. */
export const isMasterThatLives = ({ brokerId, info }: Peer): boolean =>
  info !== undefined && (info.role === undefined ? brokerId === 0 : info.role !== 'SLAVE')

export interface PeersParts {
  readonly client: Pick<RemotingClient, 'request'>
  readonly nameServers: () => readonly string[]
  readonly brokerName: string
  readonly brokerAddr: string
}

const timeoutMs = 2000

type Found = Map<string, number>

/** The other brokers of this name that the name servers know, and what they say of themselves. */
export async function peersOf(parts: PeersParts): Promise<Peer[]> {
  const found: Found = new Map()
  await Promise.all(parts.nameServers().map(address => fromRoute(parts, address, found)))
  return asked(parts, found)
}

/**
 * As `peersOf`, and those of a name that has no master to tell of its topics, for whoever decides by it. Undefined where no
 * name server answers.
 */
export async function allPeersOf(parts: PeersParts): Promise<Peer[] | undefined> {
  const found: Found = new Map()
  const answers = await Promise.all(parts.nameServers().map(address => fromCluster(parts, address, found)))
  return answers.includes(true) ? asked(parts, found) : undefined
}

function asked({ client, brokerAddr }: PeersParts, found: Found): Promise<Peer[]> {
  found.delete(brokerAddr)
  return Promise.all(
    [...found].map(async ([address, brokerId]) => ({
      ...{ address, brokerId },
      info: await askBroker(client, address).catch(() => undefined),
    })),
  )
}

/** The topic that is named after the brokers leads to all of them, and to no others. */
async function fromRoute({ client, brokerName }: PeersParts, nameServer: string, found: Found): Promise<void> {
  try {
    const { code, body } = await client.request(nameServer, getRouteInfoByTopic, { topic: brokerName }, { timeoutMs })
    if (code !== ResponseCode.success || body === undefined) return
    for (const data of getRouteInfoByTopic.replyBody!.decode(body).brokerDatas)
      if (data.brokerName === brokerName)
        for (const [brokerId, address] of data.brokerAddrs) found.set(address, Number(brokerId))
  } catch {
    // One that does not answer is told by the registration.
  }
}

async function fromCluster({ client, brokerName }: PeersParts, nameServer: string, found: Found): Promise<boolean> {
  try {
    const { code, body } = await client.request(nameServer, getBrokerClusterInfo, {}, { timeoutMs })
    if (code !== ResponseCode.success || body === undefined) return false
    const data = getBrokerClusterInfo.replyBody!.decode(body).brokerAddrTable.get(brokerName)
    for (const [brokerId, address] of data?.brokerAddrs ?? []) found.set(address, Number(brokerId))
    return true
  } catch {
    return false
  }
}

import { getRouteInfoByTopic, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { askBroker, type BrokerInfo } from '../ha/master-info.ts'

/** Another broker of the same name. */
export interface Peer {
  readonly brokerId: number
  readonly address: string
  /** Undefined where it does not answer. */
  readonly info: BrokerInfo | undefined
}

export interface PeersParts {
  readonly client: Pick<RemotingClient, 'request'>
  readonly nameServers: () => readonly string[]
  readonly brokerName: string
  readonly brokerAddr: string
}

const timeoutMs = 2000

/** The other brokers of this name that the name servers know, and what they say of themselves. */
export async function peersOf(parts: PeersParts): Promise<Peer[]> {
  const found = new Map<string, number>()
  await Promise.all(parts.nameServers().map(address => collect(parts, address, found)))
  found.delete(parts.brokerAddr)
  return Promise.all(
    [...found].map(async ([address, brokerId]) => ({
      ...{ address, brokerId },
      info: await askBroker(parts.client, address).catch(() => undefined),
    })),
  )
}

/** The topic that is named after the brokers leads to all of them, and to no others. */
async function collect(
  { client, brokerName }: PeersParts,
  nameServer: string,
  found: Map<string, number>,
): Promise<void> {
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

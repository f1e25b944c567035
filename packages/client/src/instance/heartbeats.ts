import { heartBeat, heartbeatBody, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { NetError } from '@skua-mq/runtime'
import { brokerRefusal } from '../error.ts'
import type { RouteTable } from '../route/route-table.ts'
import type { Members } from './members.ts'

export interface HeartbeatParts {
  readonly clientId: string
  readonly members: Members
  readonly routes: RouteTable
  readonly remoting: RemotingClient
  readonly timeoutMs: number
}

/** Tells brokers who we are (client.md 2): masters always, slaves where there is a consumer. */
export class Heartbeats {
  private readonly parts: HeartbeatParts
  /** What brokers answered with their last heartbeat; tells what they understand. */
  readonly brokerVersions = new Map<string, number>()

  constructor(parts: HeartbeatParts) {
    this.parts = parts
  }

  /** To all brokers at once. Never rejects: a broker that does not answer is told as an event, and its connection dropped. */
  async beat(): Promise<void> {
    const { members, routes } = this.parts
    if (members.size === 0) return
    const toSlaves = members.consumers.size > 0
    const addresses = new Set<string>()
    for (const { brokerId, address } of routes.addresses()) if (brokerId === 0 || toSlaves) addresses.add(address)
    const body = this.body()
    await Promise.all([...addresses].map(address => this.beatOne(address, body)))
  }

  private body(): Uint8Array {
    const { clientId, members } = this.parts
    return heartbeatBody.encode({
      clientID: clientId,
      producerDataSet: [...members.producers.keys()].map(groupName => ({ groupName })),
      consumerDataSet: [...members.consumers.values()].map(member => member.consumerData()),
    })
  }

  private async beatOne(address: string, body: Uint8Array): Promise<void> {
    const { remoting, members, timeoutMs } = this.parts
    try {
      const reply = await remoting.request(address, heartBeat, {}, { body, timeoutMs })
      if (reply.code !== ResponseCode.success) throw brokerRefusal(`the heartbeat to ${address}`, reply)
      this.brokerVersions.set(address, reply.version)
    } catch (error) {
      if (error instanceof NetError && error.code === 'ETIMEOUT') remoting.closeAddress(address)
      members.emit('heartbeatFailed', { address, error })
    }
  }
}

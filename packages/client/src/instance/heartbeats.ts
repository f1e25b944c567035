import { heartBeat, heartbeatBody, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { type Clock, NetError, type Timer } from '@skua-mq/runtime'
import { brokerRefusal } from '../error.ts'
import type { RouteTable } from '../route/route-table.ts'
import type { Members } from './members.ts'

export interface HeartbeatParts {
  readonly clientId: string
  readonly members: Members
  readonly routes: RouteTable
  readonly remoting: RemotingClient
  readonly clock: Pick<Clock, 'after'>
  readonly timeoutMs: number
}

/** After its connection was lost a broker is told again this soon; then at the second pace until it answers. */
const againMs = 1000
const retryMs = 3000

/** Tells brokers who we are (client.md 2): masters always, slaves where there is a consumer. */
export class Heartbeats {
  private readonly parts: HeartbeatParts
  /** What brokers answered with their last heartbeat; tells what they understand. */
  readonly brokerVersions = new Map<string, number>()

  private readonly lost = new Map<string, Timer>()
  /** Brokers whose last heartbeat failed. */
  private readonly failed = new Set<string>()

  constructor(parts: HeartbeatParts) {
    this.parts = parts
  }

  /**
   * The connection to an address is gone. A broker that was started anew knows nobody: it refuses our pulls, and has no
   * producer to ask about open transactions, until it hears of us, which with Java's clients takes half a minute.
   */
  connectionLost(address: string): void {
    this.tellAgain(address, againMs)
  }

  stop(): void {
    for (const timer of this.lost.values()) timer.cancel()
    this.lost.clear()
  }

  private tellAgain(address: string, ms: number): void {
    if (this.lost.has(address) || this.parts.members.size === 0 || !this.addresses().has(address)) return
    const timer = this.parts.clock.after(ms, async () => {
      this.lost.delete(address)
      if (this.parts.members.size === 0 || !this.addresses().has(address)) return
      if (!(await this.beatOne(address, this.body()))) this.tellAgain(address, retryMs)
    })
    this.lost.set(address, timer)
  }

  private addresses(): Set<string> {
    const { members, routes } = this.parts
    const toSlaves = members.consumers.size > 0
    const addresses = new Set<string>()
    for (const { brokerId, address } of routes.addresses()) if (brokerId === 0 || toSlaves) addresses.add(address)
    return addresses
  }

  /** To all brokers at once. Never rejects: a broker that does not answer is told as an event, and its connection dropped. */
  async beat(): Promise<void> {
    if (this.parts.members.size === 0) return
    const body = this.body()
    const addresses = this.addresses()
    for (const address of this.failed) if (!addresses.has(address)) this.failed.delete(address)
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

  private async beatOne(address: string, body: Uint8Array): Promise<boolean> {
    const { remoting, members, timeoutMs } = this.parts
    try {
      const reply = await remoting.request(address, heartBeat, {}, { body, timeoutMs })
      if (reply.code !== ResponseCode.success) throw brokerRefusal(`the heartbeat to ${address}`, reply)
      this.brokerVersions.set(address, reply.version)
      if (this.failed.delete(address)) members.emit('brokerBack', { address })
      return true
    } catch (error) {
      if (error instanceof NetError && error.code === 'ETIMEOUT') remoting.closeAddress(address)
      this.failed.add(address)
      members.emit('heartbeatFailed', { address, error })
      return false
    }
  }
}

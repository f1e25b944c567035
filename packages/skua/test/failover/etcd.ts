import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../../src/index.ts'
import type { Host } from './broker-group.ts'
import { EtcdMember } from './etcd-member.ts'

export { withoutEtcd } from './etcd-member.ts'

/** An etcd of some members. */
export class Etcd {
  readonly members: readonly EtcdMember[]

  private constructor(members: readonly EtcdMember[]) {
    this.members = members
  }

  /** `hosts`: where its members run; default: on this machine. */
  static async start(size = 1, hosts: readonly Host[] = []): Promise<Etcd> {
    const places: { name: string; endpoint: string; peer: string; within: readonly string[] }[] = []
    for (let i = 0; i < size; i++) {
      const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
      const { address, within } = hosts[i] ?? { address: '127.0.0.1', within: [] }
      const [endpoint, peer] = [`http://${address}:${broker}`, `http://${address}:${nameServer}`]
      places.push({ name: `m${i}`, endpoint, peer, within })
    }
    const all = places.map(({ name, peer }) => `${name}=${peer}`).join(',')
    const etcd = new Etcd(places.map(place => new EtcdMember({ ...place, all })))
    try {
      for (const member of etcd.members) member.start()
      for (const member of etcd.members) await member.ready()
    } catch (error) {
      await etcd.stop()
      throw error
    }
    return etcd
  }

  /** Of all members, with commas. */
  get endpoint(): string {
    return this.members.map(({ plan }) => plan.endpoint).join(',')
  }

  async leader(): Promise<EtcdMember> {
    for (;;) {
      for (const member of this.members) if (await member.leads().catch(() => false)) return member
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  /** All stand still, or go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    for (const member of this.members) member.signal(name)
  }

  async stop(): Promise<void> {
    await Promise.all(this.members.map(member => member.stop()))
  }
}

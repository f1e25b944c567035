import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deleteTopicInBroker, getBrokerRuntimeInfo, ResponseCode, updateAndCreateTopic } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../../src/index.ts'
import { bundle, ServerProcess } from '../server-process.ts'

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** Where a process runs: its address, and what runs it there, such as `ip netns exec x`. */
export interface Host {
  readonly address: string
  readonly within: readonly string[]
}

const here: Host = { address: '127.0.0.1', within: [] }

/** A broker as a process, which is killed and started again. */
export interface Member {
  readonly id: string
  /** host:port for clients. */
  readonly address: string
  readonly host: Host
  readonly store: string
  readonly file: string
  process: ServerProcess | undefined
}

const keys = {
  brokerClusterName: 'Failing',
  ...{ mappedFileSizeCommitLog: 1024 * 1024, transactionTimeOut: 1000, transactionCheckInterval: 1000 },
  ...{ transactionCheckMax: 1000 },
}

function skua({ within: [file, ...args] }: Host, command: readonly string[]): ServerProcess {
  if (file === undefined) return ServerProcess.skua(command)
  return new ServerProcess(file, [...args, process.execPath, bundle, ...command])
}

/** Name servers, and brokers of some names that choose their masters in etcd: SYNC_MASTER, each a process. */
export class BrokerGroup {
  readonly members: Member[] = []
  readonly namesrvAddr: string
  private readonly root: string
  private readonly nameServers: { readonly host: Host; readonly port: number; process: ServerProcess | undefined }[]
  private readonly client = new RemotingClient(nodeRuntime())

  private constructor(root: string, nameServers: readonly { readonly host: Host; readonly port: number }[]) {
    this.root = root
    this.nameServers = nameServers.map(each => ({ ...each, process: undefined }))
    this.namesrvAddr = nameServers.map(({ host, port }) => `${host.address}:${port}`).join(';')
  }

  /** `names`: brokerName and how many members. */
  static async make(plan: {
    readonly endpoint: string
    readonly names: Readonly<Record<string, number>>
    readonly nameServers: number
    /** Of the name servers and then of the brokers, in their order; default: this machine. */
    readonly hosts?: readonly Host[]
    /** Of all brokers. */
    readonly further?: Readonly<Record<string, string | number>>
  }): Promise<BrokerGroup> {
    const { net } = nodeRuntime()
    const root = mkdtempSync(join(tmpdir(), 'skua-failover-'))
    const hosts = [...(plan.hosts ?? [])]
    const servers: { host: Host; port: number }[] = []
    for (let i = 0; i < plan.nameServers; i++)
      servers.push({ host: hosts.shift() ?? here, port: (await freePorts(net, '127.0.0.1')).nameServer })
    const group = new BrokerGroup(root, servers)
    for (const [brokerName, count] of Object.entries(plan.names))
      for (let brokerId = 0; brokerId < count; brokerId++) {
        const { broker: listenPort } = await freePorts(net, '127.0.0.1')
        const host = hosts.shift() ?? here
        const id = `${brokerName}${brokerId}`
        const store = join(root, id)
        const file = join(root, `${id}.conf`)
        mkdirSync(store)
        const own = { brokerName, brokerId, brokerRole: brokerId === 0 ? 'SYNC_MASTER' : 'SLAVE', listenPort }
        const all = {
          ...own,
          storePathRootDir: store,
          brokerIP1: host.address,
          namesrvAddr: group.namesrvAddr,
          failoverEndpoints: plan.endpoint,
          ...keys,
          ...(brokerId === 0 ? plan.further : { ...plan.further, brokerRole: 'SLAVE' }),
        }
        const lines = Object.entries(all).map(([key, value]) => `${key}=${value}\n`)
        writeFileSync(file, lines.join(''))
        const address = `${host.address}:${listenPort}`
        group.members.push({ id, address, host, store, file, process: undefined })
      }
    return group
  }

  async start(): Promise<void> {
    for (let i = 0; i < this.nameServers.length; i++) await this.startNameServer(i)
    for (const member of this.members) await this.startMember(member)
  }

  async startNameServer(index: number): Promise<void> {
    const server = this.nameServers[index]!
    const file = join(this.root, `names${index}.conf`)
    writeFileSync(file, `listenPort=${server.port}\nkvConfigPath=${join(this.root, `kv${index}.json`)}\n`)
    server.process = skua(server.host, ['nameserver', '-c', file])
    await server.process.says(/boot success/)
  }

  async killNameServer(index: number): Promise<void> {
    await this.nameServers[index]!.process?.signal('SIGKILL')
  }

  async startMember(member: Member): Promise<void> {
    member.process = skua(member.host, ['broker', '-c', member.file])
    await member.process.says(/boot success/)
  }

  /** -9; its directory goes with it where that is wanted. */
  async kill(member: Member, { deletes }: { readonly deletes: boolean }): Promise<void> {
    await member.process?.signal('SIGKILL')
    member.process = undefined
    if (!deletes) return
    rmSync(member.store, { recursive: true, force: true })
    mkdirSync(member.store)
  }

  /** What a broker says of itself; undefined where it does not answer. */
  async told({ address }: Member): Promise<{ readonly role: string; readonly election: string } | undefined> {
    try {
      const { body } = await this.client.request(address, getBrokerRuntimeInfo, {}, { timeoutMs: 500 })
      const { table } = getBrokerRuntimeInfo.replyBody!.decode(body!)
      return { role: table.get('skuaRole') ?? '', election: table.get('skuaElection') ?? '' }
    } catch {
      return undefined
    }
  }

  /** With four queues. */
  async makeTopic(topic: string, { address }: Member): Promise<void> {
    const header = { topic, defaultTopic: 'TBW102', readQueueNums: 4, writeQueueNums: 4, perm: 6, order: false }
    const further = { topicFilterType: 'SINGLE_TAG', topicSysFlag: 0 }
    const { code, remark } = await this.client.request(address, updateAndCreateTopic, {
      ...header,
      ...further,
    })
    if (code !== ResponseCode.success) throw new Error(`${topic} was not made: ${code} ${remark}`)
  }

  async deleteTopic(topic: string, { address }: Member): Promise<void> {
    const { code, remark } = await this.client.request(address, deleteTopicInBroker, { topic })
    if (code !== ResponseCode.success) throw new Error(`${topic} was not deleted: ${code} ${remark}`)
  }

  /** The master of a name that holds the lease, with so many in sync. Throws where there is none within half a minute. */
  async master(brokerName: string, inSync: number): Promise<Member> {
    const until = Date.now() + 30_000
    const own = this.members.filter(({ id }) => id.startsWith(brokerName))
    for (;;) {
      const told = await Promise.all(own.map(member => this.told(member)))
      const at = told.findIndex(each => each?.election === `holds the lease, ${inSync} in sync`)
      if (at >= 0) return own[at]!
      if (Date.now() > until) {
        const logs = own.map(({ id, process }) => `${id}: ${process?.errors.slice(-4000)}`).join('\n')
        throw new Error(`no master of ${brokerName} with ${inSync} in sync: ${JSON.stringify(told)}\n${logs}`)
      }
      await sleep(50)
    }
  }

  async stop(): Promise<void> {
    await this.client.close()
    await Promise.all(this.members.map(({ process }) => process?.signal('SIGTERM')))
    await Promise.all(this.nameServers.map(({ process }) => process?.signal('SIGTERM')))
    rmSync(this.root, { recursive: true, force: true })
  }

  /** Whatever became of a test. */
  async end(): Promise<void> {
    await this.client.close()
    for (const { process } of [...this.members, ...this.nameServers]) process?.child.kill('SIGKILL')
    rmSync(this.root, { recursive: true, force: true })
  }
}

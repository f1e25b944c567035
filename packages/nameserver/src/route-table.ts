import {
  type BrokerData,
  type ClusterInfo,
  type DataVersion,
  type QueueData,
  type RegisterBrokerBody,
  sameDataVersion,
  type TopicConfig,
  type TopicRouteData,
} from '@skua-mq/protocol'

/** A broker that is silent for so long is dropped (remoting.md 8). */
export const brokerExpiryMs = 120_000

const masterId = 0

interface Broker {
  readonly cluster: string
  readonly brokerName: string
  readonly addrs: Map<number, string>
}

/** One registered address. */
interface LiveBroker {
  readonly cluster: string
  readonly brokerName: string
  readonly brokerId: number
  readonly haServerAddr: string
  readonly expiryMs: number
  lastSeenMs: number
  dataVersion: DataVersion
  filterServers: string[]
  /** Who registered it: when that connection closes, the broker goes at once. */
  connectionId: number
}

export interface Registration {
  readonly cluster: string
  readonly brokerName: string
  readonly brokerAddr: string
  readonly brokerId: number
  readonly haServerAddr: string
  readonly expiryMs?: number | undefined
  readonly connectionId: number
  readonly body: RegisterBrokerBody
}

/** Who is where: topics, brokers and clusters as the brokers register them. In memory only; a restart fills it again. */
export class RouteTable {
  private readonly topics = new Map<string, Map<string, QueueData>>()
  private readonly brokers = new Map<string, Broker>()
  private readonly live = new Map<string, LiveBroker>()

  /** Answers what a slave wants to know: where its master is. */
  register(registration: Registration, nowMs: number): { haServerAddr?: string; masterAddr?: string } {
    const { cluster, brokerName, brokerAddr, brokerId, body } = registration
    const known = this.live.get(brokerAddr)
    // A broker that came back under another name leaves its old one, which nobody would ever expire.
    if (known !== undefined && known.brokerName !== brokerName)
      this.unregister({ brokerAddr, brokerName: known.brokerName })
    const broker = this.broker(cluster, brokerName)
    // A broker that came back under another id (slave turned master) must not stay under the old one.
    for (const [id, addr] of broker.addrs) if (addr === brokerAddr && id !== brokerId) broker.addrs.delete(id)
    const first = !broker.addrs.has(brokerId)
    broker.addrs.set(brokerId, brokerAddr)
    const { dataVersion, topicConfigTable } = body.topicConfigSerializeWrapper
    if (brokerId === masterId && (first || known === undefined || !sameDataVersion(known.dataVersion, dataVersion))) {
      for (const config of topicConfigTable.values()) this.putTopic(brokerName, config)
    }
    this.live.set(brokerAddr, {
      cluster,
      brokerName,
      brokerId,
      haServerAddr: registration.haServerAddr,
      expiryMs: registration.expiryMs ?? brokerExpiryMs,
      lastSeenMs: nowMs,
      dataVersion,
      filterServers: body.filterServerList,
      connectionId: registration.connectionId,
    })
    if (brokerId === masterId) return {}
    const masterAddr = broker.addrs.get(masterId)
    const master = masterAddr === undefined ? undefined : this.live.get(masterAddr)
    return masterAddr === undefined || master === undefined ? {} : { haServerAddr: master.haServerAddr, masterAddr }
  }

  /** Takes an address out, under whatever id it stands: what is left without a life of its own would never expire. */
  unregister({ brokerName, brokerAddr }: { brokerName: string; brokerAddr: string }): void {
    if (this.live.get(brokerAddr)?.brokerName === brokerName) this.live.delete(brokerAddr)
    const broker = this.brokers.get(brokerName)
    if (broker === undefined) return
    for (const [id, addr] of broker.addrs) if (addr === brokerAddr) broker.addrs.delete(id)
    if (broker.addrs.size > 0) return
    this.brokers.delete(brokerName)
    for (const [topic, queues] of this.topics) {
      queues.delete(brokerName)
      if (queues.size === 0) this.topics.delete(topic)
    }
  }

  /** 322: whether the name server's view is older; refreshes the broker's life. */
  queryDataVersion(
    brokerAddr: string,
    version: DataVersion,
    nowMs: number,
  ): { changed: boolean; known: DataVersion | undefined } {
    const live = this.live.get(brokerAddr)
    if (live === undefined) return { changed: true, known: undefined }
    live.lastSeenMs = nowMs
    return { changed: !sameDataVersion(live.dataVersion, version), known: live.dataVersion }
  }

  /** The connection of a broker closed: it is gone until it registers again. Answers the names of those that went. */
  connectionClosed(connectionId: number): readonly string[] {
    return this.dropWhere(live => live.connectionId === connectionId)
  }

  expire(nowMs: number): readonly string[] {
    return this.dropWhere(live => nowMs - live.lastSeenMs > live.expiryMs)
  }

  private dropWhere(gone: (live: LiveBroker) => boolean): readonly string[] {
    const dropped: string[] = []
    for (const [brokerAddr, live] of this.live) {
      if (!gone(live)) continue
      this.unregister({ brokerAddr, brokerName: live.brokerName })
      dropped.push(brokerAddr)
    }
    return dropped
  }

  /** Undefined for a topic that nobody registered, or whose brokers are all gone. */
  routeOf(topic: string): TopicRouteData | undefined {
    const queues = this.topics.get(topic)
    if (queues === undefined) return undefined
    const brokerDatas: BrokerData[] = []
    const filterServerTable = new Map<string, string[]>()
    for (const name of queues.keys()) {
      const broker = this.brokers.get(name)
      if (broker === undefined) continue
      brokerDatas.push({ cluster: broker.cluster, brokerName: name, brokerAddrs: new Map(broker.addrs) })
      for (const addr of broker.addrs.values()) {
        const servers = this.live.get(addr)?.filterServers ?? []
        if (servers.length > 0) filterServerTable.set(addr, servers)
      }
    }
    if (brokerDatas.length === 0) return undefined
    return { queueDatas: [...queues.values()], brokerDatas, filterServerTable }
  }

  clusterInfo(): ClusterInfo {
    const brokerAddrTable = new Map<string, BrokerData>()
    const clusterAddrTable = new Map<string, string[]>()
    for (const [brokerName, { cluster, addrs }] of this.brokers) {
      brokerAddrTable.set(brokerName, { brokerName, cluster, brokerAddrs: new Map(addrs) })
      clusterAddrTable.set(cluster, [...(clusterAddrTable.get(cluster) ?? []), brokerName])
    }
    return { brokerAddrTable, clusterAddrTable }
  }

  topicNames(): string[] {
    return [...this.topics.keys()]
  }

  /** 224: topics of the brokers of a cluster. */
  topicsOfCluster(cluster: string): string[] {
    const names = new Set(
      [...this.brokers.values()].filter(broker => broker.cluster === cluster).map(broker => broker.brokerName),
    )
    return [...this.topics]
      .filter(([, queues]) => [...queues.keys()].some(name => names.has(name)))
      .map(([topic]) => topic)
  }

  /** 304: topics that carry the name of a cluster or a broker, and one broker's address. */
  systemTopics(): { topics: string[]; brokerAddr: string | undefined } {
    const clusters = new Set([...this.brokers.values()].map(broker => broker.cluster))
    const first = [...this.brokers.values()][0]
    return {
      topics: [...clusters, ...this.brokers.keys()],
      brokerAddr: first === undefined ? undefined : [...first.addrs.values()][0],
    }
  }

  /** 311 to 313: topics by the bits of their sysFlag. */
  topicsBySysFlag(wanted: (topicSysFlag: number) => boolean): string[] {
    return [...this.topics]
      .filter(([, queues]) => [...queues.values()].some(queue => wanted(queue.topicSysFlag)))
      .map(([topic]) => topic)
  }

  /** 205 and 327: takes or gives the write bit on all topics of a broker; answers how many changed. */
  setWritable(brokerName: string, writable: boolean): number {
    let changed = 0
    for (const queues of this.topics.values()) {
      const queue = queues.get(brokerName)
      if (queue === undefined) continue
      queues.set(brokerName, { ...queue, perm: writable ? 6 : queue.perm & ~2 })
      changed++
    }
    return changed
  }

  /** 216: a topic goes from the routes, of one cluster where one is named. */
  deleteTopic(topic: string, cluster?: string): void {
    const queues = this.topics.get(topic)
    if (queues === undefined) return
    for (const name of queues.keys())
      if (cluster === undefined || this.brokers.get(name)?.cluster === cluster) queues.delete(name)
    if (queues.size === 0) this.topics.delete(topic)
  }

  /** 217: a topic comes in by its queues, before its broker registers it. */
  registerTopic(topic: string, queues: readonly QueueData[]): void {
    const known = this.topics.get(topic) ?? new Map<string, QueueData>()
    for (const queue of queues) if (this.brokers.has(queue.brokerName)) known.set(queue.brokerName, queue)
    if (known.size > 0) this.topics.set(topic, known)
  }

  private broker(cluster: string, brokerName: string): Broker {
    const known = this.brokers.get(brokerName)
    if (known !== undefined && known.cluster === cluster) return known
    const broker = { cluster, brokerName, addrs: known?.addrs ?? new Map<number, string>() }
    this.brokers.set(brokerName, broker)
    return broker
  }

  private putTopic(brokerName: string, config: TopicConfig): void {
    const queues = this.topics.get(config.topicName) ?? new Map<string, QueueData>()
    queues.set(brokerName, {
      brokerName,
      readQueueNums: config.readQueueNums,
      writeQueueNums: config.writeQueueNums,
      perm: config.perm,
      topicSysFlag: config.topicSysFlag,
    })
    this.topics.set(config.topicName, queues)
  }
}

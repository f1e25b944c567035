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

/** Characters of all names and addresses together; half a million topics have a tenth of it. */
export const maxNameChars = 256 * 1024 * 1024

interface Broker {
  readonly cluster: string
  readonly brokerName: string
  readonly addrs: Map<number, string>
  /** What it put into `topics` by its name, so that its end does not walk through the topics of all. */
  readonly queues: Map<string, QueueData>
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

/** What a registration leaves to be done: its topics, which are entered a slice at a time. */
export interface Registered {
  /** What a slave wants to know: where its master is. */
  readonly reply: { haServerAddr?: string; masterAddr?: string }
  /** Enters so many of its topics; true when all are there. Throws RangeError at `maxTopics`. */
  enter(count: number): boolean
}

/** Who is where: topics, brokers and clusters as the brokers register them. In memory only; a restart fills it again. */
export class RouteTable {
  private readonly topics = new Map<string, Map<string, QueueData>>()
  private readonly brokers = new Map<string, Broker>()
  private readonly live = new Map<string, LiveBroker>()
  /** Brokers that are gone, whose topics are still to be taken out. */
  private readonly ended: IterableIterator<[string, QueueData]>[] = []
  /** Topics of brokers, each pair counted, also those that `sweep` has not taken out yet. */
  private entries = 0
  private readonly maxTopics: number
  private readonly loneNeedsFull: boolean
  private readonly maxChars: number
  /** Of the names of topics, and of what brokers say of themselves. */
  private chars = 0
  /** Moves with each change of what routes and lists of topics and brokers say. */
  version = 0
  /** Told of each topic that is entered. */
  onTopic: (topic: string) => void = () => {}

  /** `maxTopics`: maxRegisteredTopics, of all brokers together. `loneNeedsFull`: dialect, loneTopicRegistrationNeedsFullOne. */
  constructor({ maxTopics = Number.POSITIVE_INFINITY, maxChars = maxNameChars, loneNeedsFull = false } = {}) {
    this.maxTopics = maxTopics
    this.loneNeedsFull = loneNeedsFull
    this.maxChars = maxChars
  }

  /** A registration as a whole. Returns what a slave wants to know: where its master is. */
  register(registration: Registration, nowMs: number): Registered['reply'] {
    const { reply, enter } = this.begin(registration, nowMs)
    enter(Number.POSITIVE_INFINITY)
    return reply
  }

  /** The broker lives, and is reached; its topics come in by `enter`. */
  begin(registration: Registration, nowMs: number): Registered {
    const { cluster, brokerName, brokerAddr, brokerId, body } = registration
    if (this.loneNeedsFull && body.topicConfigSerializeWrapper.topicConfigTable.size === 1)
      if (this.brokers.get(brokerName)?.addrs.has(brokerId) !== true)
        throw new RangeError(`the broker ${brokerName} registers one topic alone, and is not registered itself yet`)
    const known = this.live.get(brokerAddr)
    const more = charsOf({ ...registration, filterServers: body.filterServerList })
    this.checkRoom(brokerAddr.length + more - (known === undefined ? 0 : brokerAddr.length + charsOf(known)))
    // A broker that came back under another name leaves its old one, which nobody would ever expire.
    if (known !== undefined && known.brokerName !== brokerName)
      this.unregister({ brokerAddr, brokerName: known.brokerName })
    const broker = this.broker(cluster, brokerName)
    // A broker that came back under another id (slave turned master) must not stay under the old one.
    for (const [id, addr] of broker.addrs) if (addr === brokerAddr && id !== brokerId) broker.addrs.delete(id)
    const first = !broker.addrs.has(brokerId)
    if (broker.addrs.get(brokerId) !== brokerAddr) this.version++
    broker.addrs.set(brokerId, brokerAddr)
    const { dataVersion, topicConfigTable } = body.topicConfigSerializeWrapper
    const isNews =
      brokerId === masterId && (first || known === undefined || !sameDataVersion(known.dataVersion, dataVersion))
    const live: LiveBroker = {
      cluster,
      brokerName,
      brokerId,
      haServerAddr: registration.haServerAddr,
      expiryMs: registration.expiryMs ?? brokerExpiryMs,
      lastSeenMs: nowMs,
      // Known as far as it was: only when all topics are in, this version is.
      dataVersion: isNews ? (known?.dataVersion ?? noVersion) : dataVersion,
      filterServers: body.filterServerList,
      connectionId: registration.connectionId,
    }
    this.setLive(brokerAddr, live)
    const configs = isNews ? topicConfigTable.values() : [][Symbol.iterator]()
    return {
      reply: this.replyTo(brokerId, broker),
      enter: count => {
        for (let left = count; left > 0; left--) {
          const { done, value } = configs.next()
          if (done === true) {
            live.dataVersion = dataVersion
            return true
          }
          // It may have gone meanwhile: then its topics have nobody to take them out.
          if (this.brokers.get(brokerName) !== broker) return true
          this.putTopic(broker, value)
        }
        return false
      },
    }
  }

  private replyTo(brokerId: number, broker: Broker): Registered['reply'] {
    if (brokerId === masterId) return {}
    const masterAddr = broker.addrs.get(masterId)
    const master = masterAddr === undefined ? undefined : this.live.get(masterAddr)
    return masterAddr === undefined || master === undefined ? {} : { haServerAddr: master.haServerAddr, masterAddr }
  }

  /** The registration says what was known before: the broker lives on. Undefined where the address is not known like this. */
  refresh(registration: Omit<Registration, 'body'>, nowMs: number): Registered['reply'] | undefined {
    const { cluster, brokerName, brokerAddr, brokerId, haServerAddr, connectionId } = registration
    const live = this.live.get(brokerAddr)
    const broker = this.brokers.get(brokerName)
    if (live === undefined || broker === undefined || broker.addrs.get(brokerId) !== brokerAddr) return undefined
    if (live.brokerName !== brokerName || live.brokerId !== brokerId || live.cluster !== cluster) return undefined
    if (live.haServerAddr !== haServerAddr) return undefined
    live.lastSeenMs = nowMs
    live.connectionId = connectionId
    return this.replyTo(brokerId, broker)
  }

  /** Takes an address out, under whatever id it stands: what is left without a life of its own would never expire. */
  unregister({ brokerName, brokerAddr }: { brokerName: string; brokerAddr: string }): void {
    if (this.live.get(brokerAddr)?.brokerName === brokerName) this.setLive(brokerAddr, undefined)
    const broker = this.brokers.get(brokerName)
    if (broker === undefined) return
    this.version++
    for (const [id, addr] of broker.addrs) if (addr === brokerAddr) broker.addrs.delete(id)
    if (broker.addrs.size > 0) return
    // Nobody finds its topics from here on; they are taken out a slice at a time.
    this.brokers.delete(brokerName)
    this.ended.push(broker.queues.entries())
  }

  /** Takes out so many topics of brokers that are gone; true when none is left. */
  sweep(count: number): boolean {
    for (let left = count; left > 0; ) {
      const ended = this.ended.at(-1)
      if (ended === undefined) return true
      const { done, value } = ended.next()
      if (done === true) this.ended.pop()
      else {
        this.drop(value[0], value[1])
        left--
      }
    }
    return this.ended.length === 0
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

  /** The connection of a broker closed: it is gone until it registers again. Returns the names of those that went. */
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

  /** How many addresses are registered. */
  get addressCount(): number {
    return this.live.size
  }

  isKnown(brokerAddr: string): boolean {
    return this.live.has(brokerAddr)
  }

  /** Whether a living broker has the topic. */
  has(topic: string): boolean {
    for (const name of this.topics.get(topic)?.keys() ?? []) if (this.brokers.has(name)) return true
    return false
  }

  /** Undefined for a topic that nobody registered, or whose brokers are all gone. */
  routeOf(topic: string): TopicRouteData | undefined {
    const queues = this.topics.get(topic)
    if (queues === undefined) return undefined
    const brokerDatas: BrokerData[] = []
    const queueDatas: QueueData[] = []
    const filterServerTable = new Map<string, string[]>()
    for (const [name, queue] of queues) {
      const broker = this.brokers.get(name)
      if (broker === undefined) continue
      queueDatas.push(queue)
      brokerDatas.push({ cluster: broker.cluster, brokerName: name, brokerAddrs: new Map(broker.addrs) })
      for (const addr of broker.addrs.values()) {
        const servers = this.live.get(addr)?.filterServers ?? []
        if (servers.length > 0) filterServerTable.set(addr, servers)
      }
    }
    if (brokerDatas.length === 0) return undefined
    return { queueDatas, brokerDatas, filterServerTable }
  }

  clusterInfo(): ClusterInfo {
    const brokerAddrTable = new Map<string, BrokerData>()
    const clusterAddrTable = new Map<string, string[]>()
    for (const [brokerName, { cluster, addrs }] of this.brokers) {
      brokerAddrTable.set(brokerName, { brokerName, cluster, brokerAddrs: new Map(addrs) })
      const names = clusterAddrTable.get(cluster)
      if (names === undefined) clusterAddrTable.set(cluster, [brokerName])
      else names.push(brokerName)
    }
    return { brokerAddrTable, clusterAddrTable }
  }

  /** As all lists of topics, to be read over several turns if they are many. */
  topicNames(): Iterable<string> {
    return this.topicsWhere(() => true)
  }

  /** 224: topics of the brokers of a cluster. */
  topicsOfCluster(cluster: string): Iterable<string> {
    return this.topicsWhere((_queue, broker) => broker.cluster === cluster)
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
  topicsBySysFlag(wanted: (topicSysFlag: number) => boolean): Iterable<string> {
    return this.topicsWhere(queue => wanted(queue.topicSysFlag))
  }

  /** Topics of which a living broker has a queue like this. */
  private *topicsWhere(wanted: (queue: QueueData, broker: Broker) => boolean): Generator<string> {
    for (const [topic, queues] of this.topics) {
      for (const [name, queue] of queues) {
        const broker = this.brokers.get(name)
        if (broker === undefined || !wanted(queue, broker)) continue
        yield topic
        break
      }
    }
  }

  /**
   * 205 and 327: takes or gives the write bit on all topics of a broker; `count` is how many there are. `step` changes so
   * many of them, and says whether that were all.
   */
  settingWritable(brokerName: string, writable: boolean): { readonly count: number; step(most: number): boolean } {
    const broker = this.brokers.get(brokerName)
    if (broker === undefined) return { count: 0, step: () => true }
    const { queues } = broker
    const rest = queues.entries()
    const step = (most: number): boolean => {
      for (let left = most; left > 0; left--) {
        const { done, value } = rest.next()
        // It may have gone meanwhile.
        if (done === true || this.brokers.get(brokerName)?.queues !== queues) return true
        const [topic, queue] = value
        this.put(broker, topic, { ...queue, perm: writable ? 6 : queue.perm & ~2 })
      }
      return false
    }
    return { count: queues.size, step }
  }

  /** 216: a topic goes from the routes, of one cluster where one is named. */
  deleteTopic(topic: string, cluster?: string): void {
    for (const [name, queue] of this.topics.get(topic) ?? []) {
      const broker = this.brokers.get(name)
      if (cluster !== undefined && broker?.cluster !== cluster) continue
      broker?.queues.delete(topic)
      this.drop(topic, queue)
    }
  }

  /** 217: a topic comes in by its queues, before its broker registers it. */
  registerTopic(topic: string, queues: readonly QueueData[]): void {
    for (const queue of queues) {
      const broker = this.brokers.get(queue.brokerName)
      if (broker !== undefined) this.put(broker, topic, queue)
    }
  }

  private broker(cluster: string, brokerName: string): Broker {
    const known = this.brokers.get(brokerName)
    if (known !== undefined && known.cluster === cluster) return known
    const { addrs, queues } = known ?? { addrs: new Map<number, string>(), queues: new Map<string, QueueData>() }
    const broker = { cluster, brokerName, addrs, queues }
    this.brokers.set(brokerName, broker)
    this.version++
    return broker
  }

  private checkRoom(more: number): void {
    if (more <= 0 || this.chars + more <= this.maxChars) return
    throw new RangeError(`the names of topics and brokers have ${this.chars} characters; at most ${this.maxChars} may`)
  }

  private setLive(brokerAddr: string, live: LiveBroker | undefined): void {
    const known = this.live.get(brokerAddr)
    if (!sameList(known?.filterServers, live?.filterServers)) this.version++
    if (known !== undefined) this.chars -= brokerAddr.length + charsOf(known)
    if (live === undefined) this.live.delete(brokerAddr)
    else {
      this.chars += brokerAddr.length + charsOf(live)
      this.live.set(brokerAddr, live)
    }
  }

  private putTopic(broker: Broker, config: TopicConfig): void {
    const { brokerName } = broker
    const { topicName, readQueueNums, writeQueueNums, perm, topicSysFlag } = config
    this.put(broker, topicName, { brokerName, readQueueNums, writeQueueNums, perm, topicSysFlag })
  }

  private put(broker: Broker, topic: string, queue: QueueData): void {
    const known = this.topics.get(topic)
    if (known?.has(broker.brokerName) !== true) {
      if (this.entries >= this.maxTopics) {
        const remark = `the brokers have registered ${this.entries} topics; maxRegisteredTopics is ${this.maxTopics}`
        throw new RangeError(remark)
      }
      this.checkRoom(topic.length)
      this.entries++
      this.chars += topic.length
    }
    if (known === undefined) this.topics.set(topic, new Map([[broker.brokerName, queue]]))
    else known.set(broker.brokerName, queue)
    broker.queues.set(topic, queue)
    this.version++
    this.onTopic(topic)
  }

  /** Takes this entry out, unless a newer one of the same broker has taken its place. */
  private drop(topic: string, queue: QueueData): void {
    const queues = this.topics.get(topic)
    if (queues?.get(queue.brokerName) !== queue) return
    queues.delete(queue.brokerName)
    this.entries--
    this.chars -= topic.length
    if (queues.size === 0) this.topics.delete(topic)
    this.version++
  }
}

/** Filter servers of a broker; none is as good as an empty list. */
function sameList(one: readonly string[] = [], other: readonly string[] = []): boolean {
  return one.length === other.length && one.every((server, at) => server === other[at])
}

function charsOf(live: Pick<LiveBroker, 'cluster' | 'brokerName' | 'haServerAddr' | 'filterServers'>): number {
  const { cluster, brokerName, haServerAddr, filterServers } = live
  return filterServers.reduce(
    (sum, server) => sum + server.length,
    cluster.length + brokerName.length + haServerAddr.length,
  )
}

/** No broker sends it. */
const noVersion: DataVersion = { timestamp: -1, counter: -1 }

import {
  type ClusterInfo,
  decodeRecords,
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getEarliestMsgStoretime,
  javaLongMax,
  type MessageQueue,
  Perm,
  PropertyName,
  parseOffsetMessageId,
  queryMessage,
  ResponseCode,
  readRecord,
  type StoredMessage,
  type TopicRouteData,
  templateTopic,
  updateAndCreateTopic,
  viewMessageById,
} from '@skua-mq/protocol'
import { QueueOffsets } from '../consume/queue-ends.ts'
import { emptyObject } from '../empty-object.ts'
import { ClientError } from '../error.ts'
import { acquireInstance, type ClientInstance, clientIdOf, releaseInstance } from '../instance/client-instance.ts'
import { type ClientStatus, clientStatus } from '../instance/status.ts'
import { type StartOptions, waitForBroker } from '../instance/wait-for-broker.ts'
import { Lifecycle } from '../lifecycle.ts'
import { type ReceivedMessage, receivedMessage } from '../message/received.ts'
import { checkSendTopic } from '../name/names.ts'
import { wrapName } from '../name/namespace.ts'
import { checkOptions, clientRules, type OptionRules } from '../option-rules.ts'
import { type ClientOptions, type ClientSettings, clientSettings } from '../options.ts'

/** What `Admin.createTopic` takes. */
export interface CreateTopicOptions {
  /** Queues per broker. Default 4. */
  readonly queueNum?: number | undefined
  /** Default: all brokers of the first cluster, in the order of their names. */
  readonly clusterName?: string | undefined
  /** Bits: read 4, write 2. Default 6. */
  readonly perm?: number | undefined
  readonly order?: boolean | undefined
  /** Which messages clients of RocketMQ 5 may send to it. Default: none is said, and they send normal ones only. */
  readonly messageType?: 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION' | 'MIXED' | undefined
}

/** What `Admin.queryMessage` takes. */
export interface QueryOptions {
  /** Default 32. */
  readonly maxNum?: number | undefined
  /** Stored between these times, ms since 1970. Default: all. */
  readonly beginMs?: number | undefined
  readonly endMs?: number | undefined
  /** The key is a unique id. Default false. */
  readonly uniqueKey?: boolean | undefined
}

const queryTimeoutMs = 12_000

const createTopicRules: OptionRules<CreateTopicOptions> = {
  queueNum: 'number',
  clusterName: 'text',
  perm: 'number',
  order: 'boolean',
  messageType: ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED'],
}

/** The questions that applications ask of a cluster; operators' commands are in the admin package. */
export class Admin {
  private readonly client: ClientSettings
  private readonly life: Lifecycle
  private instance: ClientInstance | undefined

  constructor(options: ClientOptions = {}) {
    checkOptions('Admin', options, clientRules)
    this.client = clientSettings(options)
    this.life = new Lifecycle('admin', { start: () => this.open(), stop: () => releaseInstance(this.instance!) })
  }

  async start(options: StartOptions = {}): Promise<void> {
    await this.life.start()
    await waitForBroker(this.instance!, options)
  }

  /** Whether it runs, and which servers it is connected to: for health checks. */
  status(): ClientStatus {
    return clientStatus(this.instance, this.life)
  }

  /** Whether a broker is connected. */
  get isConnected(): boolean {
    return this.status().brokers.some(broker => broker.isConnected)
  }

  close(): Promise<void> {
    return this.life.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Creates the topic, or changes it, at each master of the cluster. */
  async createTopic(topic: string, options: CreateTopicOptions = {}): Promise<void> {
    checkOptions('createTopic', options, createTopicRules)
    const instance = await this.running()
    const wire = wrapName(this.client.namespace, topic)
    checkSendTopic(wire)
    const { queueNum = 4, perm = Perm.read | Perm.write, order = false, messageType } = options
    const header = {
      topic: wire,
      defaultTopic: templateTopic,
      readQueueNums: queueNum,
      writeQueueNums: queueNum,
      perm,
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order,
      attributes: messageType && `+message.type=${messageType}`,
    }
    const masters = mastersOf(await this.clusterInfo(), options.clusterName)
    await Promise.all(masters.map(address => instance.calls.ask(address, { spec: updateAndCreateTopic, header })))
  }

  /** Clusters, brokers and their addresses. */
  async clusterInfo(): Promise<ClusterInfo> {
    const { names } = await this.running()
    const { body } = await names.request(getBrokerClusterInfo, {})
    return getBrokerClusterInfo.replyBody!.decode(body ?? emptyObject)
  }

  /** Names of all topics, as on the wire. */
  async topics(): Promise<string[]> {
    const { names } = await this.running()
    const { body } = await names.request(getAllTopicListFromNameserver, {})
    return getAllTopicListFromNameserver.replyBody!.decode(body ?? emptyObject).topicList
  }

  /** Undefined for a topic that the name server does not know. */
  async topicRoute(topic: string): Promise<TopicRouteData | undefined> {
    const { routes } = await this.running()
    return routes.fetch(wrapName(this.client.namespace, topic))
  }

  /** All queues of a topic that can be read. */
  async messageQueues(topic: string): Promise<MessageQueue[]> {
    const { routes } = await this.running()
    const route = await routes.need(wrapName(this.client.namespace, topic))
    return route.subscribe.map(queue => ({ ...queue, topic }))
  }

  /** The offset that the next message will get. */
  async maxOffset(queue: MessageQueue): Promise<number> {
    return (await this.ends()).maxOffset(this.onWire(queue))
  }

  async minOffset(queue: MessageQueue): Promise<number> {
    return (await this.ends()).minOffset(this.onWire(queue))
  }

  /** The first message stored at this time or later; ms since 1970. */
  async searchOffset(queue: MessageQueue, timestampMs: number): Promise<number> {
    return (await this.ends()).searchOffset(this.onWire(queue), timestampMs)
  }

  /** ms since 1970; -1 for an empty queue. */
  async earliestMessageStoreTime(queue: MessageQueue): Promise<number> {
    const { calls } = await this.running()
    const { topic, queueId } = this.onWire(queue)
    const reply = await calls.atMaster(this.onWire(queue), {
      spec: getEarliestMsgStoretime,
      header: { topic, queueId },
    })
    return reply.header.timestamp
  }

  /** By offset id, or with its topic by unique id. Undefined when there is none. Errors: ClientError ARGUMENT for what is no id. */
  async viewMessage(id: string, topic?: string): Promise<ReceivedMessage | undefined> {
    if (topic === undefined && parseOffsetMessageId(id) === undefined) {
      const message = `"${id}" is no offset id, which has 32 hexadecimal digits: for a unique id give its topic, too`
      throw new ClientError('ARGUMENT', message)
    }
    const byOffset = await this.byOffsetId(id)
    if (byOffset !== undefined || topic === undefined) return byOffset
    const [found] = await this.queryMessage(topic, id, { uniqueKey: true })
    return found
  }

  /** Messages with this key, oldest first, from all brokers of the topic. */
  async queryMessage(topic: string, key: string, options: QueryOptions = {}): Promise<ReceivedMessage[]> {
    const { routes, calls } = await this.running()
    const wire = wrapName(this.client.namespace, topic)
    const route = await routes.need(wire)
    const uniqueKeyQuery = options.uniqueKey ?? false
    const header = {
      topic: wire,
      key,
      maxNum: options.maxNum ?? 32,
      beginTimestamp: options.beginMs ?? 0,
      endTimestamp: options.endMs ?? javaLongMax,
      uniqueKeyQuery,
    }
    const asked = route.data.brokerDatas.map(async ({ brokerName }) => {
      const at = routes.anyOf(brokerName, 0)
      if (at === undefined) return []
      const call = { spec: queryMessage, header, timeoutMs: queryTimeoutMs, allow: [ResponseCode.queryNotFound] }
      const { body } = await calls.ask(at.address, call)
      return [...decodeRecords(body ?? new Uint8Array(0))].map(stored => this.received(stored, brokerName))
    })
    const found = (await Promise.all(asked)).flat()
    // The index holds hashes only, so others may be among them.
    const exact = found.filter(message => (uniqueKeyQuery ? message.msgId === key : message.keys.includes(key)))
    return exact.sort((a, b) => a.storedAtMs - b.storedAtMs)
  }

  private async byOffsetId(id: string): Promise<ReceivedMessage | undefined> {
    const place = parseOffsetMessageId(id)
    if (place === undefined) return undefined
    const { calls } = await this.running()
    const host = place.address.includes(':') ? `[${place.address}]` : place.address
    const known = await this.isBroker(`${host}:${place.port}`)
    if (!known) return undefined
    const header = { offset: place.physicalOffset }
    const call = { spec: viewMessageById, header, allow: [ResponseCode.systemError, ResponseCode.queryNotFound] }
    const reply = await calls.ask(`${host}:${place.port}`, call)
    const stored = reply.body === undefined ? undefined : readRecord(reply.body)?.message
    return stored === undefined ? undefined : this.received(stored, '')
  }

  /** A unique id has the form of an offset id: the address inside tells them apart. */
  private async isBroker(address: string): Promise<boolean> {
    const { brokerAddrTable } = await this.clusterInfo()
    return [...brokerAddrTable.values()].some(({ brokerAddrs }) => [...brokerAddrs.values()].includes(address))
  }

  private received(stored: StoredMessage, brokerName: string): ReceivedMessage {
    const { namespace, compressors } = this.client
    const topic = stored.properties.get(PropertyName.realTopic) ?? stored.topic
    const queue = { topic, brokerName, queueId: stored.queueId }
    return receivedMessage(stored, queue, { namespace, compressors })
  }

  private onWire(queue: MessageQueue): MessageQueue {
    return { ...queue, topic: wrapName(this.client.namespace, queue.topic) }
  }

  private async ends(): Promise<QueueOffsets> {
    return new QueueOffsets((await this.running()).calls)
  }

  private async running(): Promise<ClientInstance> {
    if (!this.life.running) await this.life.start()
    return this.instance!
  }

  private async open(): Promise<void> {
    const instance = acquireInstance(clientIdOf(this.client), this.client)
    try {
      await instance.start()
      this.instance = instance
    } catch (error) {
      await releaseInstance(instance)
      throw error
    }
  }
}

/** Masters of one cluster. Errors: ClientError NO_BROKER. */
function mastersOf({ clusterAddrTable, brokerAddrTable }: ClusterInfo, wanted: string | undefined): string[] {
  const name = wanted ?? [...clusterAddrTable.keys()].sort()[0]
  const brokers = name === undefined ? undefined : clusterAddrTable.get(name)
  const addresses = (brokers ?? []).map(broker => brokerAddrTable.get(broker)?.brokerAddrs.get(0))
  const masters = addresses.filter(address => address !== undefined)
  if (masters.length > 0) return masters
  const which =
    wanted === undefined ? 'the name server knows no cluster' : `cluster ${wanted} is not known or has no master`
  throw new ClientError('NO_BROKER', `${which}: check that brokers run and are registered`, { retriable: true })
}

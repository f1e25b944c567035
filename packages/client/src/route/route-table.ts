import {
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getRouteInfoByTopic,
  ResponseCode,
  type TopicRouteData,
} from '@skua-mq/protocol'
import { abortable } from '../abortable.ts'
import { brokerRefusal, type ClientError } from '../error.ts'
import type { NameServers } from './name-servers.ts'
import { explainNoRoute } from './no-route.ts'
import { sameRoute, type TopicRoute, topicRoute } from './topic-route.ts'

const masterId = 0

/** Topics whose routes one client keeps; more are asked for each time. */
const maxRoutes = 20_000

/** Routes of the used topics, and the brokers that stand in them (client.md 3). A known route survives dead name servers. */
export class RouteTable {
  private readonly names: NameServers
  private readonly routes = new Map<string, TopicRoute>()
  private readonly asking = new Map<string, Promise<TopicRoute | undefined>>()
  /** Templates that stand in for topics yet to be made; not refreshed, and gone once the topic is known. */
  private brokers = new Map<string, ReadonlyMap<number, string>>()

  constructor(names: NameServers) {
    this.names = names
  }

  known(topic: string): TopicRoute | undefined {
    return this.routes.get(topic)
  }

  /** The known route, else that of the name server. Undefined when the topic is unknown there. */
  async find(topic: string, signal?: AbortSignal): Promise<TopicRoute | undefined> {
    return this.routes.get(topic) ?? this.refresh(topic, signal)
  }

  /** As `find`; an unknown topic is a ClientError NO_ROUTE that says why. */
  async need(topic: string, signal?: AbortSignal): Promise<TopicRoute> {
    return (await this.find(topic, signal)) ?? Promise.reject(await this.explain(topic))
  }

  /** Asks now. Calls for one topic at a time share the answer. Undefined when the topic is unknown. */
  refresh(topic: string, signal?: AbortSignal): Promise<TopicRoute | undefined> {
    let asked = this.asking.get(topic)
    if (asked === undefined) {
      asked = this.ask(topic).finally(() => this.asking.delete(topic))
      // Each caller gets the error; when all of them gave up waiting nobody needs it.
      asked.catch(() => {})
      this.asking.set(topic, asked)
    }
    return abortable(asked, signal)
  }

  /** The route as the name server has it, without keeping it. Undefined when unknown. */
  async fetch(topic: string, signal?: AbortSignal): Promise<TopicRouteData | undefined> {
    // With this the 5.x and late 4.9 servers write strict JSON; ours reads both.
    const header = { topic, acceptStandardJsonOnly: true }
    const reply = await this.names.request(getRouteInfoByTopic, header, { signal })
    if (reply.code === ResponseCode.topicNotExist) return undefined
    if (reply.code !== ResponseCode.success || reply.body === undefined) {
      throw brokerRefusal(`asking for the route of ${topic}`, reply)
    }
    return getRouteInfoByTopic.replyBody!.decode(reply.body)
  }

  /** Why there is no route, as an error with a sentence (promises.md 4). */
  async explain(topic: string, { templateMissing = false } = {}): Promise<ClientError> {
    return explainNoRoute(topic, {
      templateMissing,
      clusters: async () => {
        const { body } = await this.names.request(getBrokerClusterInfo, {})
        return body === undefined ? undefined : getBrokerClusterInfo.replyBody!.decode(body)
      },
      topics: async () => {
        const { body } = await this.names.request(getAllTopicListFromNameserver, {})
        return body === undefined ? [] : getAllTopicListFromNameserver.replyBody!.decode(body).topicList
      },
    })
  }

  /** The master's address. */
  master(brokerName: string): string | undefined {
    return this.brokers.get(brokerName)?.get(masterId)
  }

  /** Wanted id, else for a slave the next one, else any (client.md 3). */
  anyOf(brokerName: string, brokerId: number): { address: string; brokerId: number } | undefined {
    const addresses = this.brokers.get(brokerName)
    if (addresses === undefined) return undefined
    for (const id of brokerId > 0 ? [brokerId, brokerId + 1] : [brokerId]) {
      const address = addresses.get(id)
      if (address !== undefined) return { address, brokerId: id }
    }
    for (const [id, address] of addresses) return { address, brokerId: id }
    return undefined
  }

  /** A topic in whose route a broker stands. */
  topicOf(brokerName: string): string | undefined {
    for (const { topic, data } of this.routes.values())
      if (data.brokerDatas.some(broker => broker.brokerName === brokerName)) return topic
    return undefined
  }

  /** All broker addresses, by name and id. */
  *addresses(): Generator<{ brokerName: string; brokerId: number; address: string }> {
    for (const [brokerName, ids] of this.brokers) {
      for (const [brokerId, address] of ids) yield { brokerName, brokerId, address }
    }
  }

  /** Keeps a route that was made here, of a topic that the next send will create. */
  keep(route: TopicRoute): void {
    if (!this.routes.has(route.topic) && this.routes.size < maxRoutes) this.routes.set(route.topic, route)
    this.learnBrokers()
  }

  /** Forgets topics that nobody uses any more. */
  retain(topics: ReadonlySet<string>): void {
    for (const topic of this.routes.keys()) if (!topics.has(topic)) this.routes.delete(topic)
    this.learnBrokers()
  }

  private async ask(topic: string): Promise<TopicRoute | undefined> {
    const data = await this.fetch(topic)
    if (data === undefined) return undefined
    const before = this.routes.get(topic)
    if (before !== undefined && sameRoute(before.data, data)) return before
    const route = topicRoute(topic, data)
    if (before !== undefined || this.routes.size < maxRoutes) this.routes.set(topic, route)
    this.learnBrokers()
    return route
  }

  /** The brokers are those of all routes: one that no route names is gone. */
  private learnBrokers(): void {
    const brokers = new Map<string, ReadonlyMap<number, string>>()
    for (const { data } of this.routes.values()) {
      for (const { brokerName, brokerAddrs } of data.brokerDatas) brokers.set(brokerName, brokerAddrs)
    }
    this.brokers = brokers
  }
}

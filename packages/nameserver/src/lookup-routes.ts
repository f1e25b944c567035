import {
  type BrokerData,
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getHasUnitSubTopicList,
  getHasUnitSubUnunitTopicList,
  getRouteInfoByTopic,
  getSystemTopicListFromNs,
  getTopicsByCluster,
  getUnitTopicList,
  ResponseCode,
  type TopicRouteData,
  VersionThreshold,
} from '@skua-mq/protocol'
import { type Call, largeAnswerBytes, ok, type Route, refuse, route } from '@skua-mq/remoting'
import { orderTopicNamespace } from './kv-config.ts'
import { ListCache } from './list-cache.ts'
import type { NameServerParts } from './parts.ts'
import { RouteAnswers } from './route-answers.ts'

/** Bits of a topic's sysFlag (remoting.md 14.3). */
const unit = 1
const unitSub = 2

/** What clients and tools look up: 105, 106, and the topic lists 206, 224, 304, 311 to 313. */
export function lookupRoutes(parts: NameServerParts): Route[] {
  const { routes, advertising, dialect } = parts
  const cache = new ListCache(parts.clock, () => routes.version)
  const listed = async (name: string, topics: () => Iterable<string>) => ok({}, await cache.get(name, topics))
  const large = { readBytes: largeAnswerBytes }
  return [
    routeRoute(parts),
    route(getBrokerClusterInfo, (_header, { connection }) => {
      const info = routes.clusterInfo()
      const view = advertising.view(connection)
      for (const broker of info.brokerAddrTable.values()) {
        for (const [id, addr] of broker.brokerAddrs) broker.brokerAddrs.set(id, advertising.address(addr, view))
      }
      if (dialect.routeHasActingMaster)
        for (const [name, broker] of info.brokerAddrTable) info.brokerAddrTable.set(name, actingMaster(broker))
      return ok({}, getBrokerClusterInfo.replyBody!.encode(info))
    }),
    route(getAllTopicListFromNameserver, () => listed('all', () => routes.topicNames()), large),
    route(getTopicsByCluster, ({ cluster }) => listed(`of ${cluster}`, () => routes.topicsOfCluster(cluster)), large),
    route(getSystemTopicListFromNs, (_header, { connection }) => {
      const { topics, brokerAddr } = routes.systemTopics()
      const told = brokerAddr === undefined ? undefined : advertising.address(brokerAddr, advertising.view(connection))
      return ok({}, getSystemTopicListFromNs.replyBody!.encode({ topicList: topics, brokerAddr: told }))
    }),
    route(getUnitTopicList, () => listed('unit', () => routes.topicsBySysFlag(flag => (flag & unit) !== 0)), large),
    route(
      getHasUnitSubTopicList,
      () => listed('unit sub', () => routes.topicsBySysFlag(flag => (flag & unitSub) !== 0)),
      large,
    ),
    route(
      getHasUnitSubUnunitTopicList,
      () => listed('sub', () => routes.topicsBySysFlag(flag => (flag & unitSub) !== 0 && (flag & unit) === 0)),
      large,
    ),
  ]
}

function routeRoute({ routes, kv, dialect, orderMessageEnable, advertising, secondAsks }: NameServerParts): Route {
  const answers = new RouteAnswers()
  const answer = (topic: string, { connection, command }: Call) => {
    const view = advertising.view(connection)
    // Clients of 5.x may insist on what only a 5.x name server sends: the Rust client does not read a route without it.
    const tells = dialect.routeHasActingMaster || command.version >= VersionThreshold.actingMaster
    const order = orderMessageEnable() ? kv.get(orderTopicNamespace, topic) : undefined
    const name = `${tells ? '5' : '4'} ${view} ${topic}`
    const known = order === undefined ? answers.get(name, routes.version) : undefined
    if (known !== undefined) return ok({}, known)
    const found = routes.routeOf(topic)
    if (found === undefined) {
      return refuse(
        ResponseCode.topicNotExist,
        `No topic route info in name server for the topic: ${topic}: no registered broker has it`,
      )
    }
    const data = order === undefined ? found : { ...found, orderTopicConf: order }
    const seen = told(data, addr => advertising.address(addr, view))
    const route = tells ? { ...seen, brokerDatas: seen.brokerDatas.map(actingMaster) } : seen
    const body = getRouteInfoByTopic.replyBody!.encode(route)
    return ok({}, order === undefined ? answers.keep(name, body) : body)
  }
  return route(getRouteInfoByTopic, ({ topic }, call) => {
    const waits = routes.has(topic) ? undefined : secondAsks.wait(topic, call.connection)
    return waits === undefined ? answer(topic, call) : waits.then(() => answer(topic, call))
  })
}

/** No slave acts as a master here. */
const actingMaster = (broker: BrokerData): BrokerData => ({ ...broker, enableActingMaster: false })

/** The route as one connection sees it. */
function told(route: TopicRouteData, address: (brokerAddr: string) => string): TopicRouteData {
  const brokerDatas = route.brokerDatas.map(broker => ({
    ...broker,
    brokerAddrs: new Map([...broker.brokerAddrs].map(([id, addr]) => [id, address(addr)])),
  }))
  const filterServerTable = new Map([...route.filterServerTable].map(([addr, servers]) => [address(addr), servers]))
  return { ...route, brokerDatas, filterServerTable }
}

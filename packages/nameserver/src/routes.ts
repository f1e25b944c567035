import { crc32 } from 'node:zlib'
import {
  addWritePermOfBroker,
  deleteKvConfig,
  deleteTopicInNamesrv,
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getKvConfig,
  getKvListByNamespace,
  getRouteInfoByTopic,
  getSystemTopicListFromNs,
  getTopicsByCluster,
  putKvConfig,
  queryDataVersion,
  ResponseCode,
  registerBroker,
  type TopicRouteData,
  unregisterBroker,
  wipeWritePermOfBroker,
} from '@skua-mq/protocol'
import { type Connection, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { KvConfig } from './kv-config.ts'
import { orderTopicNamespace } from './kv-config.ts'
import type { RouteTable } from './route-table.ts'

export interface NameServerParts {
  readonly routes: RouteTable
  readonly kv: KvConfig
  readonly now: () => number
  readonly orderMessageEnable: () => boolean
  /** What the asking connection is told for a broker's address: loopback for loopback (architecture, control plane). */
  readonly advertise: (brokerAddr: string, asking: Connection) => string
  /** A broker registered over this connection; when it closes, the broker goes. */
  readonly registeredBy: (connection: Connection) => void
}

/** Everything a name server answers. Codes that are not here get 3, where 4.9 answers nothing at all. */
export function nameServerRoutes(parts: NameServerParts): Route[] {
  return [...registrationRoutes(parts), ...lookupRoutes(parts), ...kvRoutes(parts)]
}

function registrationRoutes({ routes, kv, now, registeredBy }: NameServerParts): Route[] {
  return [
    route(registerBroker, (header, { body, connection }) => {
      if (
        header.bodyCrc32 !== undefined &&
        header.bodyCrc32 !== 0 &&
        header.bodyCrc32 !== (crc32(body) & 0x7fff_ffff)
      ) {
        return refuse(ResponseCode.systemError, 'the CRC of the register body does not match')
      }
      registeredBy(connection)
      const reply = routes.register(
        {
          cluster: header.clusterName,
          brokerName: header.brokerName,
          brokerAddr: header.brokerAddr,
          brokerId: header.brokerId,
          haServerAddr: header.haServerAddr,
          expiryMs: header.heartbeatTimeoutMillis,
          connectionId: connection.id,
          body: registerBroker.body!.decode(body),
        },
        now(),
      )
      const orderTopics = kv.namespace(orderTopicNamespace)
      const replyBody =
        orderTopics === undefined ? undefined : getKvListByNamespace.replyBody!.encode({ table: new Map(orderTopics) })
      return ok(reply, replyBody)
    }),
    route(unregisterBroker, ({ brokerName, brokerAddr, brokerId }) => {
      routes.unregister({ brokerName, brokerAddr, brokerId })
      return ok({})
    }),
    route(queryDataVersion, ({ brokerAddr }, { body }) => {
      const { changed, known } = routes.queryDataVersion(brokerAddr, queryDataVersion.body!.decode(body), now())
      return ok({ changed }, known === undefined ? undefined : queryDataVersion.replyBody!.encode(known))
    }),
    route(wipeWritePermOfBroker, ({ brokerName }) => ok({ wipeTopicCount: routes.setWritable(brokerName, false) })),
    route(addWritePermOfBroker, ({ brokerName }) => ok({ addTopicCount: routes.setWritable(brokerName, true) })),
    route(deleteTopicInNamesrv, ({ topic, clusterName }) => {
      routes.deleteTopic(topic, clusterName)
      return ok({})
    }),
  ]
}

function lookupRoutes({ routes, kv, orderMessageEnable, advertise }: NameServerParts): Route[] {
  return [
    route(getRouteInfoByTopic, ({ topic }, { connection }) => {
      const found = routes.routeOf(topic)
      if (found === undefined) {
        return refuse(ResponseCode.topicNotExist, `No topic route info in name server for the topic: ${topic}`)
      }
      const order = orderMessageEnable() ? kv.get(orderTopicNamespace, topic) : undefined
      const data = told(order === undefined ? found : { ...found, orderTopicConf: order }, addr =>
        advertise(addr, connection),
      )
      return ok({}, getRouteInfoByTopic.replyBody!.encode(data))
    }),
    route(getBrokerClusterInfo, (_header, { connection }) => {
      const info = routes.clusterInfo()
      for (const broker of info.brokerAddrTable.values()) {
        for (const [id, addr] of broker.brokerAddrs) broker.brokerAddrs.set(id, advertise(addr, connection))
      }
      return ok({}, getBrokerClusterInfo.replyBody!.encode(info))
    }),
    route(getAllTopicListFromNameserver, () =>
      ok({}, getAllTopicListFromNameserver.replyBody!.encode({ topicList: routes.topicNames() })),
    ),
    route(getTopicsByCluster, ({ cluster }) =>
      ok({}, getTopicsByCluster.replyBody!.encode({ topicList: routes.topicsOfCluster(cluster) })),
    ),
    route(getSystemTopicListFromNs, () => {
      const { topics, brokerAddr } = routes.systemTopics()
      return ok({}, getSystemTopicListFromNs.replyBody!.encode({ topicList: topics, brokerAddr }))
    }),
  ]
}

function kvRoutes({ kv }: NameServerParts): Route[] {
  return [
    route(putKvConfig, ({ namespace, key, value }) => {
      kv.put(namespace, key, value)
      return ok({})
    }),
    route(getKvConfig, ({ namespace, key }) => {
      const value = kv.get(namespace, key)
      return value === undefined
        ? refuse(ResponseCode.queryNotFound, `no value for ${key} in ${namespace}`)
        : ok({ value })
    }),
    route(deleteKvConfig, ({ namespace, key }) => {
      kv.delete(namespace, key)
      return ok({})
    }),
    route(getKvListByNamespace, ({ namespace }) => {
      const table = kv.namespace(namespace)
      if (table === undefined) return refuse(ResponseCode.queryNotFound, `nothing is stored in ${namespace}`)
      return ok({}, getKvListByNamespace.replyBody!.encode({ table: new Map(table) }))
    }),
  ]
}

/** The route as one connection sees it. */
function told(route: TopicRouteData, address: (brokerAddr: string) => string): TopicRouteData {
  const brokerDatas = route.brokerDatas.map(broker => ({
    ...broker,
    brokerAddrs: new Map([...broker.brokerAddrs].map(([id, addr]) => [id, address(addr)])),
  }))
  const filterServerTable = new Map([...route.filterServerTable].map(([addr, servers]) => [address(addr), servers]))
  return { ...route, brokerDatas, filterServerTable }
}

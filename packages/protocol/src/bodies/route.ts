import {
  bean,
  boolean,
  clientJson,
  integer,
  integerTable,
  jsonBody,
  list,
  maybe,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'

/** brokerAddrs: broker id to host:port; id 0 is the master. */
export const brokerDataShape = bean({
  cluster: string,
  brokerName: string,
  brokerAddrs: integerTable(string),
  enableActingMaster: maybe(boolean()),
  zoneName: maybe(string),
})
export type BrokerData = ValueOfShape<typeof brokerDataShape>

const queueDataShape = bean({
  brokerName: string,
  readQueueNums: integer(),
  writeQueueNums: integer(),
  /** Bits: read 4, write 2, inherit 1. */
  perm: integer(),
  topicSysFlag: integer(),
})
export type QueueData = ValueOfShape<typeof queueDataShape>

const topicRouteDataShape = bean({
  /** `broker1:4;broker2:4`, of order topics. */
  orderTopicConf: maybe(string),
  queueDatas: list(queueDataShape),
  brokerDatas: list(brokerDataShape),
  /** Broker address to its filter servers. */
  filterServerTable: table(list(string)),
})
export type TopicRouteData = ValueOfShape<typeof topicRouteDataShape>

/** Reply body of 105. Broker ids are always quoted and nothing holds white space: Go splits this text by hand. */
export const topicRouteBody = jsonBody(topicRouteDataShape, { integerKeys: 'quoted' })
/** Body of 217: the same, of few queues. */
export const topicRegistrationBody = jsonBody(topicRouteDataShape, { integerKeys: 'quoted' }, clientJson)

const clusterInfoShape = bean({
  brokerAddrTable: table(brokerDataShape),
  /** Cluster name to broker names. */
  clusterAddrTable: table(list(string)),
})
export type ClusterInfo = ValueOfShape<typeof clusterInfoShape>

/** Reply body of 106. */
export const clusterInfoBody = jsonBody(clusterInfoShape)

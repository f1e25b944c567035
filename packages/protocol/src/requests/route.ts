import { topicListBody } from '../bodies/name-list.ts'
import { clusterInfoBody, topicRouteBody } from '../bodies/route.ts'
import { bool, int, optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

const admin = { direction: 'tools to name server', section: 'admin.md 1' } as const

/** Answered with 17 when the topic is unknown or none of its brokers is registered. */
export const getRouteInfoByTopic = defineRequest({
  name: 'GET_ROUTEINFO_BY_TOPIC',
  code: 105,
  header: { topic: text, acceptStandardJsonOnly: optional(bool) },
  replyBody: topicRouteBody,
  direction: 'client to name server',
  section: '8',
})

export const getBrokerClusterInfo = defineRequest({
  name: 'GET_BROKER_CLUSTER_INFO',
  code: 106,
  replyBody: clusterInfoBody,
  direction: 'client and tools to name server',
  section: '8',
})

/** Clears the write bit of the broker's topics in the name server's own table. */
export const wipeWritePermOfBroker = defineRequest({
  name: 'WIPE_WRITE_PERM_OF_BROKER',
  code: 205,
  header: { brokerName: text },
  reply: { wipeTopicCount: int },
  ...admin,
})

export const addWritePermOfBroker = defineRequest({
  name: 'ADD_WRITE_PERM_OF_BROKER',
  code: 327,
  header: { brokerName: text },
  reply: { addTopicCount: int },
  ...admin,
})

export const getAllTopicListFromNameserver = defineRequest({
  name: 'GET_ALL_TOPIC_LIST_FROM_NAMESERVER',
  code: 206,
  replyBody: topicListBody,
  ...admin,
})

export const getTopicsByCluster = defineRequest({
  name: 'GET_TOPICS_BY_CLUSTER',
  code: 224,
  header: { cluster: text },
  replyBody: topicListBody,
  ...admin,
})

/** Cluster and broker names as topics; brokerAddr is some broker's address. */
export const getSystemTopicListFromNs = defineRequest({
  name: 'GET_SYSTEM_TOPIC_LIST_FROM_NS',
  code: 304,
  replyBody: topicListBody,
  ...admin,
})

export const getUnitTopicList = defineRequest({
  name: 'GET_UNIT_TOPIC_LIST',
  code: 311,
  replyBody: topicListBody,
  ...admin,
})

export const getHasUnitSubTopicList = defineRequest({
  name: 'GET_HAS_UNIT_SUB_TOPIC_LIST',
  code: 312,
  replyBody: topicListBody,
  ...admin,
})

export const getHasUnitSubUnunitTopicList = defineRequest({
  name: 'GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST',
  code: 313,
  replyBody: topicListBody,
  ...admin,
})

export const deleteTopicInNamesrv = defineRequest({
  name: 'DELETE_TOPIC_IN_NAMESRV',
  code: 216,
  header: {
    topic: text,
    /** None: of all clusters. */
    clusterName: optional(text),
  },
  ...admin,
})

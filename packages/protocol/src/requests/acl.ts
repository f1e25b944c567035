import { bool, optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

const admin = { direction: 'tools to broker', section: 'admin.md 7.4' } as const

/** Only 4.x. Permissions are comma lists such as `topicX=PUB|SUB`. */
export const updateAndCreateAclConfig = defineRequest({
  name: 'UPDATE_AND_CREATE_ACL_CONFIG',
  code: 50,
  header: {
    accessKey: text,
    secretKey: optional(text),
    whiteRemoteAddress: optional(text),
    admin: optional(bool),
    defaultTopicPerm: optional(text),
    defaultGroupPerm: optional(text),
    topicPerms: optional(text),
    groupPerms: optional(text),
  },
  ...admin,
})

export const deleteAclConfig = defineRequest({
  name: 'DELETE_ACL_CONFIG',
  code: 51,
  header: { accessKey: text },
  ...admin,
})

export const getBrokerClusterAclInfo = defineRequest({
  name: 'GET_BROKER_CLUSTER_ACL_INFO',
  code: 52,
  reply: {
    /** A DataVersion as JSON. */
    version: text,
    /** JSON: path to DataVersion. */
    allAclFileVersion: optional(text),
    brokerName: text,
    brokerAddr: text,
    clusterName: text,
  },
  ...admin,
})

export const updateGlobalWhiteAddrsConfig = defineRequest({
  name: 'UPDATE_GLOBAL_WHITE_ADDRS_CONFIG',
  code: 53,
  header: {
    /** A comma list. */
    globalWhiteAddrs: text,
    aclFileFullPath: text,
  },
  ...admin,
})

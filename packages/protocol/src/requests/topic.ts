import { groupListBody, topicListBody } from '../bodies/name-list.ts'
import { topicConfigBody, topicConfigListBody, topicConfigTableBody } from '../bodies/topic-config.ts'
import { bool, int, optional, text, withDefault } from '../field.ts'
import { bounded, defineRequest } from '../request.ts'

const admin = { direction: 'tools to broker', section: 'admin.md 2' } as const

export const updateAndCreateTopic = defineRequest({
  name: 'UPDATE_AND_CREATE_TOPIC',
  code: 17,
  header: {
    topic: text,
    defaultTopic: text,
    readQueueNums: int,
    writeQueueNums: int,
    perm: int,
    topicFilterType: text,
    topicSysFlag: optional(int),
    order: withDefault(bool, false),
    /** 5.x: `+key=value,-key`. */
    attributes: optional(text),
    force: optional(bool),
  },
  ...admin,
})

/** 5.x: many at once. */
export const updateAndCreateTopicList = defineRequest({
  name: 'UPDATE_AND_CREATE_TOPIC_LIST',
  code: 18,
  body: bounded(topicConfigListBody),
  ...admin,
})

export const deleteTopicInBroker = defineRequest({
  name: 'DELETE_TOPIC_IN_BROKER',
  code: 215,
  header: { topic: text },
  ...admin,
})

/** 5.x slaves ask for pages; a reply without totalTopicNum counts as complete. */
export const getAllTopicConfig = defineRequest({
  name: 'GET_ALL_TOPIC_CONFIG',
  code: 21,
  header: { topicSeq: optional(int), dataVersion: optional(text), maxTopicNum: optional(int) },
  reply: { totalTopicNum: optional(int) },
  replyBody: topicConfigTableBody,
  direction: 'slave to master, tools to broker',
  section: '16',
})

export const getTopicConfig = defineRequest({
  name: 'GET_TOPIC_CONFIG',
  code: 351,
  header: { topic: text, lo: optional(bool) },
  replyBody: topicConfigBody,
  ...admin,
})

export const getSystemTopicListFromBroker = defineRequest({
  name: 'GET_SYSTEM_TOPIC_LIST_FROM_BROKER',
  code: 305,
  replyBody: topicListBody,
  ...admin,
})

export const cleanUnusedTopic = defineRequest({ name: 'CLEAN_UNUSED_TOPIC', code: 316, ...admin })

/** Groups that are online with it, and groups with offsets of it. */
export const queryTopicConsumeByWho = defineRequest({
  name: 'QUERY_TOPIC_CONSUME_BY_WHO',
  code: 300,
  header: { topic: text },
  replyBody: groupListBody,
  ...admin,
})

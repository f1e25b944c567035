import { topicListBody } from '../bodies/name-list.ts'
import { querySubscriptionBody } from '../bodies/subscription.ts'
import {
  subscriptionGroupConfigBody,
  subscriptionGroupListBody,
  subscriptionGroupTableBody,
} from '../bodies/subscription-group.ts'
import { bool, int, optional, text } from '../field.ts'
import { bounded, defineRequest } from '../request.ts'

const admin = { direction: 'tools to broker', section: 'admin.md 3' } as const

export const updateAndCreateSubscriptionGroup = defineRequest({
  name: 'UPDATE_AND_CREATE_SUBSCRIPTIONGROUP',
  code: 200,
  body: bounded(subscriptionGroupConfigBody),
  ...admin,
})

/** 5.x: many at once. */
export const updateAndCreateSubscriptionGroupList = defineRequest({
  name: 'UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST',
  code: 225,
  body: bounded(subscriptionGroupListBody),
  ...admin,
})

/** 5.x slaves ask for pages; a reply without totalGroupNum counts as complete. */
export const getAllSubscriptionGroupConfig = defineRequest({
  name: 'GET_ALL_SUBSCRIPTIONGROUP_CONFIG',
  code: 201,
  header: { groupSeq: optional(int), dataVersion: optional(text), maxGroupNum: optional(int) },
  reply: { totalGroupNum: optional(int) },
  replyBody: subscriptionGroupTableBody,
  direction: 'slave to master, tools to broker',
  section: '16',
})

export const deleteSubscriptionGroup = defineRequest({
  name: 'DELETE_SUBSCRIPTIONGROUP',
  code: 207,
  header: {
    groupName: text,
    /** The 4.9 name and the 5.x name of one wish: either may come. */
    removeOffset: optional(bool),
    cleanOffset: optional(bool),
  },
  ...admin,
})

export const getSubscriptionGroupConfig = defineRequest({
  name: 'GET_SUBSCRIPTIONGROUP_CONFIG',
  code: 352,
  header: { group: text },
  replyBody: subscriptionGroupConfigBody,
  ...admin,
})

export const queryTopicsByConsumer = defineRequest({
  name: 'QUERY_TOPICS_BY_CONSUMER',
  code: 343,
  header: { group: text },
  replyBody: topicListBody,
  ...admin,
})

export const querySubscriptionByConsumer = defineRequest({
  name: 'QUERY_SUBSCRIPTION_BY_CONSUMER',
  code: 345,
  header: { group: text, topic: optional(text) },
  replyBody: querySubscriptionBody,
  ...admin,
})

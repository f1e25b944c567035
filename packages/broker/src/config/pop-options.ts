import { bool, bytes, count, int, oneOf } from '@skua-mq/runtime'

/** POP (store.md 9.3), under the names of RocketMQ 5.3. */
export const popOptions = {
  maxPopCheckPointBytes: bytes({
    default: 134_217_728,
    min: 1024,
    live: true,
    help: 'memory for messages that are popped and not acknowledged; above it, pops are answered as if too many were held',
  }),
  maxPopRereadRecords: count({
    default: 500_000,
    min: 1,
    live: true,
    help: 'records of pops that a start may have to read; where one is open for longer, its check point is written again',
  }),
  maxPopPollingSize: count({ default: 100_000, min: 1, live: true, help: 'pops held at once' }),
  popPollingSize: count({
    default: 1024,
    min: 1,
    live: true,
    help: 'of one group for one queue, or for any queue, of a topic',
  }),
  popFromRetryProbability: count({
    default: 20,
    max: 100,
    live: true,
    help: 'percent of pops that look for retried messages first, not last',
  }),
  reviveQueueNum: count({ default: 8, min: 1, max: 998, help: 'queues of the revive topic, where it is made here' }),
  enableRetryTopicV2: bool({ default: false, help: 'retry topics of pops are called %RETRY%group+topic' }),
  retrieveMessageFromPopRetryTopicV1: bool({
    default: true,
    live: true,
    help: 'with enableRetryTopicV2, pop what lies in %RETRY%group_topic, too',
  }),
  popResponseReturnActualRetryTopic: bool({
    default: false,
    live: true,
    help: 'retried messages are told under the name of their retry topic',
  }),
  initPopOffsetByCheckMsgInMem: bool({
    default: true,
    help: 'a group that is new to a young topic pops from its first message',
  }),
  defaultMessageRequestMode: oneOf(['PULL', 'POP'], {
    default: 'PULL',
    live: true,
    help: 'how groups consume which balance at the broker and were told nothing else',
  }),
  defaultPopShareQueueNum: int({
    default: -1,
    live: true,
    help: 'queues of so many other members a member pops, too, where the default is POP; -1: all queues',
  }),
  serverLoadBalancerEnable: bool({
    default: true,
    live: true,
    help: 'share out queues to members that ask the broker; otherwise each gets all',
  }),
} as const

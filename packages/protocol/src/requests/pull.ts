import { int, long, optional, text, version } from '../field.ts'
import { defineRequest } from '../request.ts'

const pull = {
  header: {
    consumerGroup: text,
    topic: text,
    queueId: int,
    /** The first wanted. */
    queueOffset: long,
    /** The broker may return fewer, but at least one where there is one. */
    maxMsgNums: int,
    /** Bits: `PullSysFlag`. */
    sysFlag: int,
    /** To be committed now, if bit 0 is set. */
    commitOffset: long,
    /** Longest hold in ms, if bit 1 is set. */
    suspendTimeoutMillis: long,
    /** The expression, if bit 2 is set. */
    subscription: optional(text),
    /** Version of the consumer's subscription. */
    subVersion: version,
    /** TAG (also when absent) or SQL92. */
    expressionType: optional(text),
    maxMsgBytes: optional(int),
    requestSource: optional(int),
    /** Spelled so on the wire. */
    proxyFrowardClientId: optional(text),
    bname: optional(text),
  },
  /** Sent with 0, 19, 20 and 21 alike: all clients read it. */
  reply: {
    suggestWhichBrokerId: long,
    nextBeginOffset: long,
    minOffset: long,
    maxOffset: long,
    offsetDelta: optional(long),
    topicSysFlag: optional(int),
    groupSysFlag: optional(int),
    forbiddenType: optional(int),
  },
  direction: 'client to broker',
  section: '10',
} as const

/** Bits of a pull's sysFlag (remoting.md 10). */
export const PullSysFlag = { commitOffset: 1, suspend: 2, subscription: 4, classFilter: 8, litePull: 16 } as const

/** Reply body: stored messages back to back. */
export const pullMessage = defineRequest({ name: 'PULL_MESSAGE', code: 11, ...pull })
/** The same of 5.x lite pull consumers. */
export const litePullMessage = defineRequest({ name: 'LITE_PULL_MESSAGE', code: 361, ...pull })

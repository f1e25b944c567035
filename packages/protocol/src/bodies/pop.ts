import { messageQueueShape } from './message-queue.ts'
import {
  anyJson,
  bean,
  clientJson,
  integer,
  integerTable,
  jsonBody,
  jsonFile,
  list,
  maybe,
  oneOfOr,
  slicedBody,
  string,
  table,
  type ValueOfShape,
} from './shape.ts'

const checkPointShape = bean({
  /** Bits of the messages that were acknowledged before it was written. */
  bm: integer(),
  bn: maybe(string),
  /** The group. */
  c: string,
  /** Distances of the messages from `so`; absent in old ones, whose messages lie side by side. */
  d: maybe(list(integer())),
  it: integer(),
  n: integer(),
  pt: integer(),
  q: integer(),
  ro: integer(),
  /** How often it was written again. */
  rp: maybe(string),
  so: integer(),
  t: string,
})
/** A pop as its check point has it (store.md 9.3). */
export type CheckPointBody = ValueOfShape<typeof checkPointShape>
/** Body of a message with the tag ck. */
export const checkPointBody = jsonBody(checkPointShape)

const ackShape = bean({
  ao: integer(-1),
  /** Of several at once. */
  aol: maybe(list(integer())),
  bn: maybe(string),
  c: string,
  pt: integer(),
  q: integer(),
  so: integer(),
  t: string,
})
/** An acknowledgement in the log. */
export type AckBody = ValueOfShape<typeof ackShape>
/** Body of a message with the tag ack or bAck. */
export const ackBody = jsonBody(ackShape)

/** Body of a message with the tag gone, our own: the group was deleted with messages in flight. */
export const goneGroupBody = jsonBody(
  bean({
    c: string,
    /** Where the log ended when the group left: what was popped behind that is another's of its name. Without it: where the record lies. */
    to: maybe(integer()),
  }),
)

const batchAckShape = bean({
  brokerName: maybe(string),
  acks: list(
    bean({
      c: string,
      t: string,
      /** Which topic: 0 this, 1 its retry topic, 2 that of the second kind. */
      r: string,
      so: integer(),
      q: integer(),
      rq: integer(),
      pt: integer(),
      it: integer(),
      /** Bits of the distances from `so`, least first, in base64. */
      b: string,
    }),
  ),
})
/** Many acknowledgements. */
export type BatchAck = ValueOfShape<typeof batchAckShape>
/** Body of 200151. */
export const batchAckBody = jsonBody(batchAckShape, undefined, clientJson)

const modeShape = oneOfOr('PULL', 'PULL', 'POP')

const requestModeShape = bean({ topic: string, consumerGroup: string, mode: modeShape, popShareQueueNum: integer() })
/** How a group consumes a topic. */
export type MessageRequestMode = ValueOfShape<typeof requestModeShape>
/** Body of 401. */
export const messageRequestModeBody = jsonBody(requestModeShape, undefined, clientJson)

const requestModesShape = bean({ messageRequestModeMap: table(table(requestModeShape)) })
/** Topic to group to mode. */
export type MessageRequestModes = ValueOfShape<typeof requestModesShape>
/** Reply body of 402. */
export const messageRequestModesBody = slicedBody(requestModesShape)
/** messageRequestMode.json */
export const messageRequestModeFile = jsonFile(requestModesShape)

const queryAssignmentShape = bean({
  topic: string,
  consumerGroup: string,
  clientId: string,
  strategyName: string,
  messageModel: oneOfOr('CLUSTERING', 'BROADCASTING', 'CLUSTERING'),
})
/** Who asks for its queues. */
export type QueryAssignment = ValueOfShape<typeof queryAssignmentShape>
/** Body of 400. */
export const queryAssignmentBody = jsonBody(queryAssignmentShape, undefined, clientJson)

const assignmentShape = bean({ messageQueue: messageQueueShape, mode: modeShape, attachments: anyJson })
/** A queue, -1 for all of them, and how it is consumed. */
export type QueueAssignment = ValueOfShape<typeof assignmentShape>
/** Reply body of 400; without a list nothing is known, and the client stays as it is. */
export const queueAssignmentsBody = jsonBody(bean({ messageQueueAssignments: maybe(list(assignmentShape)) }))

const orderInfoShape = bean({
  /** The attempt that took them. */
  a: maybe(string),
  popTime: integer(),
  /** Invisible for so long. */
  i: maybe(integer()),
  /** The first offset, then distances from it. */
  o: list(integer()),
  /** Offsets that are visible again at a time of their own. */
  ot: maybe(integerTable(integer())),
  /** How often offsets were taken before. */
  oc: maybe(integerTable(integer())),
  l: integer(),
  /** Bits of those that are acknowledged. */
  cm: integer(),
})
/** What a group has taken out of a queue in order. */
export type OrderInfo = ValueOfShape<typeof orderInfoShape>
const orderInfosShape = bean({ table: table(integerTable(orderInfoShape)) })
/** `topic@group` to queue to what was taken. */
export type OrderInfos = ValueOfShape<typeof orderInfosShape>
/** consumerOrderInfo.json */
export const orderInfoFile = jsonFile(orderInfosShape)

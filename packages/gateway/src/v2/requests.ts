// What is asked and answered (grpc.md 4). Every answer begins with its status.
import { bool, int32, int64, one, optional, repeated, text } from '../proto/field.ts'
import { type Decoded, type Drafted, message } from '../proto/message.ts'
import * as shared from './shared.ts'

const { Resource, MessageQueue, Status, Message, Duration, Timestamp, Endpoints } = shared
const status = [1, optional(Status)] as const
const resource = optional(Resource)

export const QueryRouteRequest = message('QueryRouteRequest', {
  topic: [1, resource],
  endpoints: [2, optional(Endpoints)],
})
export const QueryRouteResponse = message('QueryRouteResponse', { status, messageQueues: [2, repeated(MessageQueue)] })

export const QueryAssignmentRequest = message('QueryAssignmentRequest', {
  topic: [1, resource],
  group: [2, resource],
  endpoints: [3, optional(Endpoints)],
})
export const QueryAssignmentResponse = message('QueryAssignmentResponse', {
  status,
  assignments: [2, repeated(shared.Assignment)],
})

export const SendMessageRequest = message('SendMessageRequest', { messages: [1, repeated(Message)] })
export const SendResultEntry = message('SendResultEntry', {
  status,
  messageId: [2, one(text)],
  transactionId: [3, one(text)],
  offset: [4, one(int64)],
  recallHandle: [5, one(text)],
})
export type SendResult = Drafted<typeof SendResultEntry>
export const SendMessageResponse = message('SendMessageResponse', { status, entries: [2, repeated(SendResultEntry)] })

export const ReceiveMessageRequest = message('ReceiveMessageRequest', {
  group: [1, resource],
  messageQueue: [2, optional(MessageQueue)],
  filterExpression: [3, optional(shared.FilterExpression)],
  batchSize: [4, one(int32)],
  invisibleDuration: [5, optional(Duration)],
  autoRenew: [6, one(bool)],
  longPollingTimeout: [7, optional(Duration)],
  attemptId: [8, optional(text)],
})
export type ReceiveRequest = Decoded<typeof ReceiveMessageRequest>
/** One of its fields, and a stream of such. */
export const ReceiveMessageResponse = message('ReceiveMessageResponse', {
  status,
  message: [2, optional(Message)],
  deliveryTimestamp: [3, optional(Timestamp)],
})

export const AckMessageEntry = message('AckMessageEntry', {
  messageId: [1, one(text)],
  receiptHandle: [2, one(text)],
  liteTopic: [3, optional(text)],
})
export const AckMessageRequest = message('AckMessageRequest', {
  group: [1, resource],
  topic: [2, resource],
  entries: [3, repeated(AckMessageEntry)],
})
export const AckMessageResultEntry = message('AckMessageResultEntry', {
  messageId: [1, one(text)],
  receiptHandle: [2, one(text)],
  status: [3, optional(Status)],
})
export const AckMessageResponse = message('AckMessageResponse', {
  status,
  entries: [2, repeated(AckMessageResultEntry)],
})

export const ChangeInvisibleDurationRequest = message('ChangeInvisibleDurationRequest', {
  group: [1, resource],
  topic: [2, resource],
  receiptHandle: [3, one(text)],
  invisibleDuration: [4, optional(Duration)],
  messageId: [5, one(text)],
  liteTopic: [6, optional(text)],
  suspend: [7, optional(bool)],
})
export const ChangeInvisibleDurationResponse = message('ChangeInvisibleDurationResponse', {
  status,
  receiptHandle: [2, one(text)],
})

export const ForwardMessageToDeadLetterQueueRequest = message('ForwardMessageToDeadLetterQueueRequest', {
  group: [1, resource],
  topic: [2, resource],
  receiptHandle: [3, one(text)],
  messageId: [4, one(text)],
  deliveryAttempt: [5, one(int32)],
  maxDeliveryAttempts: [6, one(int32)],
  liteTopic: [7, optional(text)],
})

export const HeartbeatRequest = message('HeartbeatRequest', { group: [1, resource], clientType: [2, one(int32)] })

export const EndTransactionRequest = message('EndTransactionRequest', {
  topic: [1, resource],
  messageId: [2, one(text)],
  transactionId: [3, one(text)],
  resolution: [4, one(int32)],
  source: [5, one(int32)],
  traceContext: [6, one(text)],
})

export const NotifyClientTerminationRequest = message('NotifyClientTerminationRequest', { group: [1, resource] })

export const RecallMessageRequest = message('RecallMessageRequest', {
  topic: [1, resource],
  recallHandle: [2, one(text)],
})
export const RecallMessageResponse = message('RecallMessageResponse', { status, messageId: [2, one(text)] })

/** Of those requests whose answer has nothing else. */
export const StatusResponse = message('StatusResponse', { status })

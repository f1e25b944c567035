// Messages that several requests hold (grpc.md 4).
import { blob, bool, float, int32, int64, one, optional, repeated, text, texts } from '../proto/field.ts'
import { type Decoded, type Drafted, message } from '../proto/message.ts'

export const Timestamp = message('Timestamp', { seconds: [1, one(int64)], nanos: [2, one(int32)] })
export const Duration = message('Duration', { seconds: [1, one(int64)], nanos: [2, one(int32)] })

export const Status = message('Status', { code: [1, one(int32)], message: [2, one(text)] })
export type StatusDraft = Drafted<typeof Status>

export const Resource = message('Resource', { resourceNamespace: [1, one(text)], name: [2, one(text)] })

export const FilterExpression = message('FilterExpression', { type: [1, one(int32)], expression: [2, one(text)] })
export const SubscriptionEntry = message('SubscriptionEntry', {
  topic: [1, optional(Resource)],
  expression: [2, optional(FilterExpression)],
})

export const Address = message('Address', { host: [1, one(text)], port: [2, one(int32)] })
export const Endpoints = message('Endpoints', { scheme: [1, one(int32)], addresses: [2, repeated(Address)] })
export type EndpointsDraft = Drafted<typeof Endpoints>
export const Broker = message('Broker', {
  name: [1, one(text)],
  id: [2, one(int32)],
  endpoints: [3, optional(Endpoints)],
})
export const MessageQueue = message('MessageQueue', {
  topic: [1, optional(Resource)],
  id: [2, one(int32)],
  permission: [3, one(int32)],
  broker: [4, optional(Broker)],
  acceptMessageTypes: [5, repeated(int32)],
})
export type QueueDraft = Drafted<typeof MessageQueue>
export const Assignment = message('Assignment', { messageQueue: [1, optional(MessageQueue)] })

export const Digest = message('Digest', { type: [1, one(int32)], checksum: [2, one(text)] })
export const DeadLetterQueue = message('DeadLetterQueue', { topic: [1, one(text)], messageId: [2, one(text)] })

export const SystemProperties = message('SystemProperties', {
  tag: [1, optional(text)],
  keys: [2, repeated(text)],
  messageId: [3, one(text)],
  bodyDigest: [4, optional(Digest)],
  bodyEncoding: [5, one(int32)],
  messageType: [6, one(int32)],
  bornTimestamp: [7, optional(Timestamp)],
  bornHost: [8, one(text)],
  storeTimestamp: [9, optional(Timestamp)],
  storeHost: [10, one(text)],
  deliveryTimestamp: [11, optional(Timestamp)],
  receiptHandle: [12, optional(text)],
  queueId: [13, one(int32)],
  queueOffset: [14, optional(int64)],
  invisibleDuration: [15, optional(Duration)],
  deliveryAttempt: [16, optional(int32)],
  messageGroup: [17, optional(text)],
  traceContext: [18, optional(text)],
  orphanedTransactionRecoveryDuration: [19, optional(Duration)],
  deadLetterQueue: [20, optional(DeadLetterQueue)],
  liteTopic: [21, optional(text)],
  priority: [22, optional(int32)],
})
export type SystemPropertiesValue = Decoded<typeof SystemProperties>

export const Message = message('Message', {
  topic: [1, optional(Resource)],
  userProperties: [2, texts],
  systemProperties: [3, optional(SystemProperties)],
  body: [4, one(blob)],
})
export type MessageValue = Decoded<typeof Message>
export type MessageDraft = Drafted<typeof Message>

export const ExponentialBackoff = message('ExponentialBackoff', {
  initial: [1, optional(Duration)],
  max: [2, optional(Duration)],
  multiplier: [3, one(float)],
})
export const CustomizedBackoff = message('CustomizedBackoff', { next: [1, repeated(Duration)] })
export const RetryPolicy = message('RetryPolicy', {
  maxAttempts: [1, one(int32)],
  exponentialBackoff: [2, optional(ExponentialBackoff)],
  customizedBackoff: [3, optional(CustomizedBackoff)],
})

export const UserAgent = message('UA', {
  language: [1, one(int32)],
  version: [2, one(text)],
  platform: [3, one(text)],
  hostname: [4, one(text)],
})
export const Publishing = message('Publishing', {
  topics: [1, repeated(Resource)],
  maxBodySize: [2, one(int32)],
  validateMessageType: [3, one(bool)],
})
export const Subscription = message('Subscription', {
  group: [1, optional(Resource)],
  subscriptions: [2, repeated(SubscriptionEntry)],
  fifo: [3, optional(bool)],
  receiveBatchSize: [4, optional(int32)],
  longPollingTimeout: [5, optional(Duration)],
  liteSubscriptionQuota: [6, optional(int32)],
  maxLiteTopicSize: [7, optional(int32)],
})
export const Metric = message('Metric', { on: [1, one(bool)], endpoints: [2, optional(Endpoints)] })
export const Settings = message('Settings', {
  clientType: [1, optional(int32)],
  accessPoint: [2, optional(Endpoints)],
  backoffPolicy: [3, optional(RetryPolicy)],
  requestTimeout: [4, optional(Duration)],
  publishing: [5, optional(Publishing)],
  subscription: [6, optional(Subscription)],
  userAgent: [7, optional(UserAgent)],
  metric: [8, optional(Metric)],
  clientProperties: [9, texts],
})
export type SettingsDraft = Drafted<typeof Settings>

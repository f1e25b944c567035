export type { ConsumeFromWhere, MessageModel, MessageQueue } from '@skua-mq/protocol'
export { Admin, type CreateTopicOptions, type QueryOptions } from './admin/admin.ts'
export type { CloudEvent, CloudEventValue } from './cloud-events/cloud-event.ts'
export {
  type CloudEventCarrier,
  isCloudEvent,
  type ReadCloudEventOptions,
  readCloudEvent,
} from './cloud-events/read.ts'
export { type CloudEventMessageOptions, cloudEventMessage } from './cloud-events/write.ts'
export type {
  BatchHandler,
  ConsumeContext,
  ConsumeStatus,
  HandlerStatus,
  MessageHandler,
  OrderlyStatus,
} from './consume/handler.ts'
export type { ConsumerLag, QueueLag } from './consume/lag.ts'
export { LocalFileOffsetStorage } from './consume/offset-store/local-file.ts'
export { MemoryOffsetStorage, type OffsetStorage } from './consume/offset-store/storage.ts'
export { PushConsumer } from './consume/push-consumer.ts'
export type { PushConsumerOptions } from './consume/push-options.ts'
export * from './consume/strategy/index.ts'
export type { SubscribeOptions } from './consume/subscriptions.ts'
export { ClientError, type ClientErrorCode } from './error.ts'
export type { ClientEventMap, ClientEventName } from './events.ts'
export { FileIdempotentStore } from './idempotent/file-store.ts'
export { type IdempotentOptions, idempotent } from './idempotent/idempotent.ts'
export { type MemoryIdempotentOptions, MemoryIdempotentStore } from './idempotent/memory-store.ts'
export type { IdempotentStore } from './idempotent/store.ts'
export { signer } from './instance/signer.ts'
export type { ClientStatus, ServerStatus } from './instance/status.ts'
export type { StartOptions } from './instance/wait-for-broker.ts'
export { LitePullConsumer, type PollOptions } from './litepull/lite-pull-consumer.ts'
export type { LitePullConsumerOptions } from './litepull/options.ts'
export { unpackInnerBatch } from './message/batch.ts'
export type { Compressor, Compressors } from './message/compression.ts'
export type { BodyCodec, Message } from './message/message.ts'
export { ReceivedMessage, type ReceiveRules, receivedMessage } from './message/received.ts'
export { jsonCodec, type OutputOf, type StandardSchema } from './message/schema.ts'
export type { ClientLogger } from './notices.ts'
export { addressList, type ClientOptions, type Credentials } from './options.ts'
export { type BufferOptions, SendBuffer } from './produce/buffer.ts'
export type { CallOptions } from './produce/core.ts'
export { type LatencyRules, latencyRules5, latencyRules49 } from './produce/latency.ts'
export type { DecodedAs, ProducerOptions, TransactionState } from './produce/options.ts'
export type { ReplyMessage } from './produce/pending-replies.ts'
export { Producer, type SendOptions } from './produce/producer.ts'
export { wantsReply } from './produce/request-reply.ts'
export type { SendResult, SendStatus } from './produce/result.ts'
export type { TransactionResult } from './produce/transaction.ts'
export type { PullConsumerOptions } from './pull/options.ts'
export { PullConsumer, type PullOptions, type PullResult } from './pull/pull-consumer.ts'
export type { QueueListener } from './pull/queue-watch.ts'
export {
  ScheduledPull,
  type ScheduledPullContext,
  type ScheduledPullOptions,
  type ScheduledPullTask,
} from './pull/scheduled-pull.ts'
export type { ReceiveOptions, SimpleConsumerOptions } from './simple/options.ts'
export { SimpleConsumer } from './simple/simple-consumer.ts'
export { type TlsOptions, tlsClientOf } from './tls.ts'
export type { ConsumeDiagnostic, EventDiagnostic, SendDiagnostic } from './trace/diagnostics.ts'
export { type OpenTelemetryApi, openTelemetry } from './trace/open-telemetry.ts'
export type { TracedConsume, TracedSend, Tracer } from './trace/tracer.ts'

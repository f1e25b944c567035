import type { MessageModel } from '@skua-mq/protocol'
import type { OffsetStorage } from '../consume/offset-store/storage.ts'
import { messageModels } from '../consume/push-options.ts'
import { averagely } from '../consume/strategy/averagely.ts'
import type { AllocateStrategy } from '../consume/strategy/strategy.ts'
import type { BodyCodec } from '../message/message.ts'
import { clientRules, type OptionRules } from '../option-rules.ts'
import type { ClientOptions } from '../options.ts'

/** Names and defaults are Java's (client.md 10); times in ms. */
export interface PullConsumerOptions<T = undefined> extends ClientOptions {
  readonly group: string
  /** Makes `message.value` of the body. What it cannot read is left out, and told as `messageUnreadable`. */
  readonly codec?: BodyCodec<T> | undefined
  /** Default CLUSTERING. */
  readonly messageModel?: MessageModel | undefined
  /** Of `pull`. Default 10000. */
  readonly consumerPullTimeoutMillis?: number | undefined
  /** Longest hold of `pullBlockIfNotFound`. Default 20000. */
  readonly brokerSuspendMaxTimeMillis?: number | undefined
  /** Of `pullBlockIfNotFound`. Default 30000. */
  readonly consumerTimeoutMillisWhenSuspend?: number | undefined
  /** For `sendMessageBack`. Default 16. */
  readonly maxReconsumeTimes?: number | undefined
  /** Default 5000. */
  readonly persistConsumerOffsetInterval?: number | undefined
  /** For queue listeners. Default: averagely. */
  readonly allocateMessageQueueStrategy?: AllocateStrategy | undefined
  /** Your own place for offsets. Default: the broker, or for broadcasting a local file. */
  readonly offsetStore?: OffsetStorage | undefined
  readonly localOffsetStoreDir?: string | undefined
}

export const pullRules: OptionRules<PullConsumerOptions<never>> = {
  ...clientRules,
  group: 'text',
  codec: 'codec',
  messageModel: messageModels,
  consumerPullTimeoutMillis: 'number',
  brokerSuspendMaxTimeMillis: 'number',
  consumerTimeoutMillisWhenSuspend: 'number',
  maxReconsumeTimes: 'number',
  persistConsumerOffsetInterval: 'number',
  allocateMessageQueueStrategy: 'object',
  offsetStore: 'object',
  localOffsetStoreDir: 'text',
}

export const pullSettings = <T>(options: PullConsumerOptions<T>) => ({
  messageModel: options.messageModel ?? ('CLUSTERING' as const),
  pullTimeoutMs: options.consumerPullTimeoutMillis ?? 10_000,
  suspendMs: options.brokerSuspendMaxTimeMillis ?? 20_000,
  suspendTimeoutMs: options.consumerTimeoutMillisWhenSuspend ?? 30_000,
  maxReconsumeTimes: options.maxReconsumeTimes ?? 16,
  persistConsumerOffsetInterval: options.persistConsumerOffsetInterval ?? 5_000,
  strategy: options.allocateMessageQueueStrategy ?? averagely(),
})

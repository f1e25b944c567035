import type { ConsumeFromWhere, MessageModel } from '@skua-mq/protocol'
import type { OffsetStorage } from '../consume/offset-store/storage.ts'
import { beginnings, messageModels } from '../consume/push-options.ts'
import { parseConsumeTimestamp } from '../consume/start-offset.ts'
import { averagely } from '../consume/strategy/averagely.ts'
import type { AllocateStrategy } from '../consume/strategy/strategy.ts'
import { ClientError } from '../error.ts'
import type { BodyCodec } from '../message/message.ts'
import { clientRules, type OptionRules } from '../option-rules.ts'
import { bounded, type ClientOptions } from '../options.ts'
import { pollTimes } from '../pull/poll-times.ts'

/** Names and defaults are Java's (client.md 10); times in ms. */
export interface LitePullConsumerOptions<T = undefined> extends ClientOptions {
  readonly group: string
  /** Makes `message.value` of the body. What it cannot read is left out, and told as `messageUnreadable`. */
  readonly codec?: BodyCodec<T> | undefined
  /** Default CLUSTERING. */
  readonly messageModel?: MessageModel | undefined
  /** Positions of what `poll` gave are committed by later polls. Default true. */
  readonly autoCommit?: boolean | undefined
  /** Default 5000, at least 1000. */
  readonly autoCommitIntervalMillis?: number | undefined
  /** Messages per pull, and so at most per poll. Default 10. */
  readonly pullBatchSize?: number | undefined
  /** How long `poll` waits. Default 5000. */
  readonly pollTimeoutMillis?: number | undefined
  /** Messages that wait for `poll`, of all queues, above which nothing is pulled. Default 10000. */
  readonly pullThresholdForAll?: number | undefined
  /** Default 1000. */
  readonly pullThresholdForQueue?: number | undefined
  /** MiB. Default 100. */
  readonly pullThresholdSizeForQueue?: number | undefined
  /** Default 2000. */
  readonly consumeMaxSpan?: number | undefined
  /** How often listeners of a topic's queues look. Default 30000. */
  readonly topicMetadataCheckIntervalMillis?: number | undefined
  /** Default 20000. */
  readonly brokerSuspendMaxTimeMillis?: number | undefined
  /** Default 30000. */
  readonly consumerTimeoutMillisWhenSuspend?: number | undefined
  /** Default CONSUME_FROM_LAST_OFFSET. */
  readonly consumeFromWhere?: ConsumeFromWhere | undefined
  /** `yyyyMMddHHmmss` in local time, or ms since 1970. Default: half an hour ago. */
  readonly consumeTimestamp?: string | number | undefined
  /** Default: averagely. */
  readonly allocateMessageQueueStrategy?: AllocateStrategy | undefined
  readonly offsetStore?: OffsetStorage | undefined
  readonly localOffsetStoreDir?: string | undefined
}

export const litePullRules: OptionRules<LitePullConsumerOptions<never>> = {
  ...clientRules,
  group: 'text',
  codec: 'codec',
  messageModel: messageModels,
  autoCommit: 'boolean',
  autoCommitIntervalMillis: 'number',
  pullBatchSize: 'number',
  pollTimeoutMillis: 'number',
  pullThresholdForAll: 'number',
  pullThresholdForQueue: 'number',
  pullThresholdSizeForQueue: 'number',
  consumeMaxSpan: 'number',
  topicMetadataCheckIntervalMillis: 'number',
  brokerSuspendMaxTimeMillis: 'number',
  consumerTimeoutMillisWhenSuspend: 'number',
  consumeFromWhere: beginnings,
  // Text or a number.
  consumeTimestamp: 'any',
  allocateMessageQueueStrategy: 'object',
  offsetStore: 'object',
  localOffsetStoreDir: 'text',
}

export type LitePullSettings = ReturnType<typeof litePullSettings>

export function litePullSettings<T>(options: LitePullConsumerOptions<T>) {
  const { consumeTimestamp: at } = options
  const consumeTimestampMs = typeof at === 'string' ? parseConsumeTimestamp(at) : at
  if (at !== undefined && consumeTimestampMs === undefined) {
    throw new ClientError('ARGUMENT', `consumeTimestamp "${at}" is not yyyyMMddHHmmss`)
  }
  return {
    messageModel: options.messageModel ?? ('CLUSTERING' as const),
    autoCommit: options.autoCommit ?? true,
    autoCommitMs: Math.max(1_000, options.autoCommitIntervalMillis ?? 5_000),
    pullBatchSize: bounded('pullBatchSize', options.pullBatchSize ?? 10, { min: 1, max: 1_024 }),
    pollTimeoutMs: options.pollTimeoutMillis ?? 5_000,
    thresholdForAll: bounded('pullThresholdForAll', options.pullThresholdForAll ?? 10_000, { min: 1, max: 1e9 }),
    limits: {
      count: bounded('pullThresholdForQueue', options.pullThresholdForQueue ?? 1_000, { min: 1, max: 65_535 }),
      bytes:
        bounded('pullThresholdSizeForQueue', options.pullThresholdSizeForQueue ?? 100, { min: 1, max: 1_024 }) *
        2 ** 20,
      span: bounded('consumeMaxSpan', options.consumeMaxSpan ?? 2_000, { min: 1, max: 65_535 }),
    },
    metadataCheckMs: options.topicMetadataCheckIntervalMillis ?? 30_000,
    ...pollTimes(options, 20_000),
    consumeFromWhere: options.consumeFromWhere ?? ('CONSUME_FROM_LAST_OFFSET' as const),
    consumeTimestampMs,
    strategy: options.allocateMessageQueueStrategy ?? averagely(),
  }
}

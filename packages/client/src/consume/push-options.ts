import { type ConsumeFromWhere, type MessageModel, traceTopic } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import type { BodyCodec } from '../message/message.ts'
import { clientRules, type OptionRules } from '../option-rules.ts'
import { bounded, type ClientOptions } from '../options.ts'
import { pollTimes } from '../pull/poll-times.ts'
import type { OffsetStorage } from './offset-store/storage.ts'
import { parseConsumeTimestamp } from './start-offset.ts'
import { averagely } from './strategy/averagely.ts'
import type { AllocateStrategy } from './strategy/strategy.ts'

/** Names and defaults are Java's (client.md 5 to 9); times in ms unless said. */
export interface PushConsumerOptions<T = undefined> extends ClientOptions {
  /** Members of a group share the queues. All must subscribe to the same. */
  readonly group: string
  /** Default CLUSTERING. */
  readonly messageModel?: MessageModel | undefined
  /**
   * Default PULL: members share out the queues, and each pulls its own. POP: each takes messages of any queue, so that there may be
   * more members than queues, and none is held up behind a slow one; for brokers with POP (Skua's, RocketMQ's from 5.0 on).
   */
  readonly consumeMode?: 'PULL' | 'POP' | undefined
  /** POP: messages per request. Default 32, at most 32. */
  readonly popBatchNums?: number | undefined
  /** POP: ms until a message comes again whose consumer is gone; it is prolonged while the handler runs. Default 60000; from 5000 to 300000. */
  readonly popInvisibleTime?: number | undefined
  /** POP: messages of a topic and broker that are popped and not settled, above which no more are. Default 96. */
  readonly popThresholdForQueue?: number | undefined
  /** One batch of a queue at a time, in order, over the whole group. Default false. */
  readonly orderly?: boolean | undefined
  /** Where a group without offsets begins. Default CONSUME_FROM_LAST_OFFSET. */
  readonly consumeFromWhere?: ConsumeFromWhere | undefined
  /** For CONSUME_FROM_TIMESTAMP: `yyyyMMddHHmmss` in local time, or ms since 1970. Default: half an hour ago. */
  readonly consumeTimestamp?: string | number | undefined
  /** Default: averagely. All members must use the same. */
  readonly allocateMessageQueueStrategy?: AllocateStrategy | undefined
  /** Runs of the handler at a time. Default 20. */
  readonly consumeThreadMax?: number | undefined
  /** Accepted for Java's sake; runs start as they are needed, up to consumeThreadMax. */
  readonly consumeThreadMin?: number | undefined
  /** Messages per run. Default 1, at most 1024. */
  readonly consumeMessageBatchMaxSize?: number | undefined
  /** Minutes until a message that is still running is given back. Default 15. */
  readonly consumeTimeout?: number | undefined
  /** Tries before a message goes to the dead letters; -1: 16, and without end where consumption is orderly. Default -1. */
  readonly maxReconsumeTimes?: number | undefined
  /** Orderly: pause before the same messages come again. Default 1000. */
  readonly suspendCurrentQueueTimeMillis?: number | undefined
  /** Cached messages of a queue above which it is not pulled. Default 1000. */
  readonly pullThresholdForQueue?: number | undefined
  /** The same in MiB. Default 100. */
  readonly pullThresholdSizeForQueue?: number | undefined
  /** The same for all owned queues of a topic together. Default -1, none. */
  readonly pullThresholdForTopic?: number | undefined
  readonly pullThresholdSizeForTopic?: number | undefined
  /** Largest distance of offsets in the cache of a queue; not for orderly consumption. Default 2000. */
  readonly consumeConcurrentlyMaxSpan?: number | undefined
  /** Messages per pull. Default 32. */
  readonly pullBatchSize?: number | undefined
  /** Pause between pulls that found something. Default 0. */
  readonly pullInterval?: number | undefined
  /** The subscription goes along with each pull. Default false. */
  readonly postSubscriptionWhenPull?: boolean | undefined
  /** Longest hold at the broker. Default 15000. */
  readonly brokerSuspendMaxTimeMillis?: number | undefined
  /** Default 30000. */
  readonly consumerTimeoutMillisWhenSuspend?: number | undefined
  /** Default 5000. */
  readonly persistConsumerOffsetInterval?: number | undefined
  /** `close` waits so long for runs of the handler. Default 5000. */
  readonly awaitTerminationMillisWhenShutdown?: number | undefined
  /** Messages that were stored longer ago are skipped. Default: none are. */
  readonly skipBacklogOlderThanMs?: number | undefined
  /** Further behind the end than this many messages, the rest is skipped. Default: none is. */
  readonly skipBacklogBeyond?: number | undefined
  /** A handler that holds the event loop longer than this is named in `handlerBlocked`. Default 200. */
  readonly handlerBlockedMs?: number | undefined
  /** Folder of a broadcasting consumer's offsets. Default `~/.rocketmq_offsets`. */
  readonly localOffsetStoreDir?: string | undefined
  /** Your own place for offsets, instead of the broker or the file. */
  readonly offsetStore?: OffsetStorage | undefined
  /** Makes `message.value` of the body. What it cannot read is tried again later, and becomes a dead letter in the end. */
  readonly codec?: BodyCodec<T> | undefined
  /** Writes message traces. Default false. */
  readonly enableMsgTrace?: boolean | undefined
  /** Default RMQ_SYS_TRACE_TOPIC. */
  readonly customizedTraceTopic?: string | undefined
}

export const messageModels = ['CLUSTERING', 'BROADCASTING'] as const
export const beginnings = ['CONSUME_FROM_LAST_OFFSET', 'CONSUME_FROM_FIRST_OFFSET', 'CONSUME_FROM_TIMESTAMP'] as const

export const pushRules: OptionRules<PushConsumerOptions<never>> = {
  ...clientRules,
  group: 'text',
  messageModel: messageModels,
  consumeMode: ['PULL', 'POP'],
  popBatchNums: 'number',
  popInvisibleTime: 'number',
  popThresholdForQueue: 'number',
  orderly: 'boolean',
  consumeFromWhere: beginnings,
  // Text or a number.
  consumeTimestamp: 'any',
  allocateMessageQueueStrategy: 'object',
  consumeThreadMax: 'number',
  consumeThreadMin: 'number',
  consumeMessageBatchMaxSize: 'number',
  consumeTimeout: 'number',
  maxReconsumeTimes: 'number',
  suspendCurrentQueueTimeMillis: 'number',
  pullThresholdForQueue: 'number',
  pullThresholdSizeForQueue: 'number',
  pullThresholdForTopic: 'number',
  pullThresholdSizeForTopic: 'number',
  consumeConcurrentlyMaxSpan: 'number',
  pullBatchSize: 'number',
  pullInterval: 'number',
  postSubscriptionWhenPull: 'boolean',
  brokerSuspendMaxTimeMillis: 'number',
  consumerTimeoutMillisWhenSuspend: 'number',
  persistConsumerOffsetInterval: 'number',
  awaitTerminationMillisWhenShutdown: 'number',
  skipBacklogOlderThanMs: 'number',
  skipBacklogBeyond: 'number',
  handlerBlockedMs: 'number',
  localOffsetStoreDir: 'text',
  offsetStore: 'object',
  codec: 'codec',
  enableMsgTrace: 'boolean',
  customizedTraceTopic: 'text',
}

export type PushSettings = ReturnType<typeof pushSettings>

const mib = 1024 * 1024

export function pushSettings<T>(options: PushConsumerOptions<T>) {
  const orderly = options.orderly ?? false
  const within = (name: keyof PushConsumerOptions<T> & string, fallback: number, range: { min: number; max: number }) =>
    bounded(name, (options[name] as number | undefined) ?? fallback, range)
  const consumeMode = options.consumeMode ?? 'PULL'
  if (consumeMode === 'POP') checkPop(options)
  return {
    consumeMode,
    pop: {
      batch: within('popBatchNums', 32, { min: 1, max: 32 }),
      invisibleMs: within('popInvisibleTime', 60_000, { min: 5_000, max: 300_000 }),
      threshold: within('popThresholdForQueue', 96, { min: 1, max: 1_024 }),
    },
    messageModel: options.messageModel ?? 'CLUSTERING',
    orderly,
    consumeFromWhere: options.consumeFromWhere ?? 'CONSUME_FROM_LAST_OFFSET',
    consumeTimestampMs: timestampOf(options.consumeTimestamp),
    strategy: options.allocateMessageQueueStrategy ?? averagely(),
    concurrency: within('consumeThreadMax', options.consumeThreadMin ?? 20, { min: 1, max: 1_000 }),
    consumeMessageBatchMaxSize: within('consumeMessageBatchMaxSize', 1, { min: 1, max: 1_024 }),
    consumeTimeoutMs: within('consumeTimeout', 15, { min: 0.001, max: 43_200 }) * 60_000,
    maxReconsumeTimes: within('maxReconsumeTimes', -1, { min: -1, max: 0x7fff_ffff }),
    suspendCurrentQueueTimeMillis: within('suspendCurrentQueueTimeMillis', 1_000, { min: 10, max: 30_000 }),
    perQueue: {
      count: within('pullThresholdForQueue', 1_000, { min: 1, max: 65_535 }),
      bytes: within('pullThresholdSizeForQueue', 100, { min: 1, max: 1_024 }) * mib,
    },
    perTopic: {
      count: within('pullThresholdForTopic', -1, { min: -1, max: 6_553_500 }),
      bytes: topicBytes(within('pullThresholdSizeForTopic', -1, { min: -1, max: 102_400 })),
    },
    maxSpan: orderly ? undefined : within('consumeConcurrentlyMaxSpan', 2_000, { min: 1, max: 65_535 }),
    pullBatchSize: within('pullBatchSize', 32, { min: 1, max: 1_024 }),
    pullInterval: within('pullInterval', 0, { min: 0, max: 65_535 }),
    postSubscriptionWhenPull: options.postSubscriptionWhenPull ?? false,
    ...pollTimes(options, 15_000),
    persistConsumerOffsetInterval: options.persistConsumerOffsetInterval ?? 5_000,
    awaitTerminationMs: options.awaitTerminationMillisWhenShutdown ?? 5_000,
    skipBacklogOlderThanMs: options.skipBacklogOlderThanMs,
    skipBacklogBeyond: options.skipBacklogBeyond,
    handlerBlockedMs: options.handlerBlockedMs ?? 200,
    localOffsetStoreDir: options.localOffsetStoreDir,
    traceTopic: options.enableMsgTrace ? (options.customizedTraceTopic ?? traceTopic) : undefined,
  } as const
}

/** What POP has no meaning for; order takes queues that have owners. */
function checkPop<T>(options: PushConsumerOptions<T>): void {
  const unfit = [
    options.messageModel === 'BROADCASTING' && 'messageModel BROADCASTING',
    options.orderly === true && 'orderly',
    options.offsetStore !== undefined && 'offsetStore',
    options.consumeFromWhere === 'CONSUME_FROM_TIMESTAMP' && 'consumeFromWhere CONSUME_FROM_TIMESTAMP',
    options.skipBacklogOlderThanMs !== undefined && 'skipBacklogOlderThanMs',
    options.skipBacklogBeyond !== undefined && 'skipBacklogBeyond',
  ].find(name => name !== false)
  if (unfit === undefined) return
  throw new ClientError('ARGUMENT', `consumeMode POP does not go with ${unfit}: leave one of them out`)
}

const topicBytes = (given: number): number => (given === -1 ? -1 : given * mib)

function timestampOf(given: string | number | undefined): number | undefined {
  if (given === undefined || typeof given === 'number') return given
  const parsed = parseConsumeTimestamp(given)
  if (parsed !== undefined) return parsed
  throw new ClientError('ARGUMENT', `consumeTimestamp "${given}" is not yyyyMMddHHmmss`)
}

import { templateTopic, traceTopic } from '@skua-mq/protocol'
import type { BodyCodec } from '../message/message.ts'
import type { ReceivedMessage } from '../message/received.ts'
import { clientRules, type OptionRules } from '../option-rules.ts'
import { bounded, type ClientOptions } from '../options.ts'
import { type LatencyRules, latencyRules49 } from './latency.ts'

/** What becomes of a prepared message; `unknown` lets the broker ask later. */
export type TransactionState = 'commit' | 'rollback' | 'unknown'

/** The `value` of what a producer with bodies of `T` is asked about, or answered: undefined where it has no codec, and so bodies are text or bytes. */
export type DecodedAs<T> = unknown extends T ? T : [string | Uint8Array] extends [T] ? T | undefined : T

/** Names and defaults are Java's (client.md 4); times in ms, sizes in bytes. */
export interface ProducerOptions<T = string | Uint8Array> extends ClientOptions {
  /** Producers that send the same kind of messages; checks of transactions go to any of them. */
  readonly group: string
  /** Over the whole call, with all tries. Default 3000. */
  readonly sendMsgTimeout?: number | undefined
  /**
   * Further tries, at other brokers. Default 2. Tries that reach no broker at all, as while it restarts, do not count: within
   * sendMsgTimeout they go on, with pauses. 0: one try, whatever becomes of it.
   */
  readonly retryTimesWhenSendFailed?: number | undefined
  /**
   * So long a send is tried again, over restarts of brokers; each try has sendMsgTimeout. The same message may be stored more
   * than once then: consumers tell by its id. Default: none, sendMsgTimeout covers all tries.
   */
  readonly retryFor?: number | undefined
  /** Try another broker when a message is stored, but not as safe as wanted: there are two of it then. Default false. */
  readonly retryAnotherBrokerWhenNotStoreOK?: boolean | undefined
  /** Leave slow brokers out for a while. Default false. */
  readonly sendLatencyEnable?: boolean | undefined
  /** Default: the table of 4.9. */
  readonly latencyRules?: LatencyRules | undefined
  /** Default 4194304. */
  readonly maxMessageSize?: number | undefined
  /** Bodies from this size on are compressed. Default 4096. */
  readonly compressMsgBodyOverHowmuch?: number | undefined
  /** Default 5. */
  readonly compressLevel?: number | undefined
  /** Default ZLIB. */
  readonly compressType?: 'ZLIB' | 'LZ4' | 'ZSTD' | undefined
  /** Queues per broker of a topic that the first send creates. Default 4. */
  readonly defaultTopicQueueNums?: number | undefined
  /** Template of topics that the first send creates. Default TBW102. */
  readonly createTopicKey?: string | undefined
  /** Messages between send and answer; a further `send` waits. Default 1024. */
  readonly maxInFlight?: number | undefined
  /** The same in bytes of bodies. Default 67108864. */
  readonly maxInFlightBytes?: number | undefined
  /** A batch is split into sends of at most this size. Default 1048576. */
  readonly maxBatchBytes?: number | undefined
  /** Highest delayLevel that a message may have: brokers with levels of their own have others. Default 18. */
  readonly maxDelayLevel?: number | undefined
  /** Makes bytes of bodies; default: text as UTF-8, bytes as they are. */
  readonly codec?: BodyCodec<T> | undefined
  /** The broker asks what became of a half message; with a codec it has a `value`. Without it the answer is unknown. */
  readonly checkTransaction?:
    | ((message: ReceivedMessage<DecodedAs<T>>) => TransactionState | Promise<TransactionState>)
    | undefined
  /** Checks that wait for their turn; more are dropped, and come again. Default 2000. */
  readonly checkRequestHoldMax?: number | undefined
  /** Writes message traces. Default false. */
  readonly enableMsgTrace?: boolean | undefined
  /** Default RMQ_SYS_TRACE_TOPIC. */
  readonly customizedTraceTopic?: string | undefined
}

export const producerRules: OptionRules<ProducerOptions<never>> = {
  ...clientRules,
  group: 'text',
  sendMsgTimeout: 'number',
  retryTimesWhenSendFailed: 'number',
  retryFor: 'number',
  retryAnotherBrokerWhenNotStoreOK: 'boolean',
  sendLatencyEnable: 'boolean',
  latencyRules: 'object',
  maxMessageSize: 'number',
  compressMsgBodyOverHowmuch: 'number',
  compressLevel: 'number',
  compressType: ['ZLIB', 'LZ4', 'ZSTD'],
  defaultTopicQueueNums: 'number',
  createTopicKey: 'text',
  maxInFlight: 'number',
  maxInFlightBytes: 'number',
  maxBatchBytes: 'number',
  maxDelayLevel: 'number',
  codec: 'codec',
  checkTransaction: 'function',
  checkRequestHoldMax: 'number',
  enableMsgTrace: 'boolean',
  customizedTraceTopic: 'text',
}

export type ProducerSettings = ReturnType<typeof producerSettings>

export function producerSettings<T>(options: ProducerOptions<T>) {
  const maxMessageSize = bounded('maxMessageSize', options.maxMessageSize ?? 4_194_304, { min: 1, max: 16_000_000 })
  return {
    sendMsgTimeout: bounded('sendMsgTimeout', options.sendMsgTimeout ?? 3_000, { min: 1, max: 86_400_000 }),
    retryTimesWhenSendFailed: bounded('retryTimesWhenSendFailed', options.retryTimesWhenSendFailed ?? 2, {
      min: 0,
      max: 100,
    }),
    retryFor: options.retryFor,
    retryAnotherBrokerWhenNotStoreOK: options.retryAnotherBrokerWhenNotStoreOK ?? false,
    sendLatencyEnable: options.sendLatencyEnable ?? false,
    latencyRules: options.latencyRules ?? latencyRules49,
    maxMessageSize,
    compression: {
      compressMsgBodyOverHowmuch: options.compressMsgBodyOverHowmuch ?? 4_096,
      compressLevel: bounded('compressLevel', options.compressLevel ?? 5, { min: 0, max: 9 }),
      compressType: options.compressType ?? 'ZLIB',
      compressors: options.compressors ?? {},
    },
    defaultTopicQueueNums: options.defaultTopicQueueNums ?? 4,
    createTopicKey: options.createTopicKey ?? templateTopic,
    maxInFlight: bounded('maxInFlight', options.maxInFlight ?? 1_024, { min: 1, max: 65_536 }),
    maxInFlightBytes: options.maxInFlightBytes ?? 64 * 1024 * 1024,
    maxBatchBytes: Math.min(options.maxBatchBytes ?? 1_048_576, maxMessageSize),
    maxDelayLevel: bounded('maxDelayLevel', options.maxDelayLevel ?? 18, { min: 0, max: 1_000 }),
    checkRequestHoldMax: options.checkRequestHoldMax ?? 2_000,
    traceTopic: options.enableMsgTrace ? (options.customizedTraceTopic ?? traceTopic) : undefined,
  } as const
}

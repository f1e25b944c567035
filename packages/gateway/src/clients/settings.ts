import type { GatewayConfig } from '../options.ts'
import type { Decoded } from '../proto/message.ts'
import type { GroupFacts } from '../remote/groups.ts'
import type { Settings, SettingsDraft } from '../v2/shared.ts'
import { secondsOf } from '../v2/times.ts'

export type ClientSettings = Decoded<typeof Settings>
type Policy = NonNullable<SettingsDraft['backoffPolicy']>

/** RocketMQ's own (grpc.md 5), in seconds. */
const customizedSeconds = [
  ...[1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200],
] as const

const producerPolicy: Policy = {
  maxAttempts: 3,
  exponentialBackoff: { initial: secondsOf(10), max: secondsOf(1000), multiplier: 2 },
}

/** How long a consumer waits before it takes a message again. */
export function retryPolicyOf({ maxAttempts, retryPolicy }: GroupFacts): Policy {
  const given = retryPolicy as
    | { type?: string; exponentialRetryPolicy?: { initial?: number; max?: number; multiplier?: number } }
    | undefined
  if (given?.type === 'EXPONENTIAL') {
    const { initial = 5000, max = 7_200_000, multiplier = 2 } = given.exponentialRetryPolicy ?? {}
    return { maxAttempts, exponentialBackoff: { initial: secondsOf(initial), max: secondsOf(max), multiplier } }
  }
  return { maxAttempts, customizedBackoff: { next: customizedSeconds.map(seconds => ({ seconds })) } }
}

/** A producer's settings as it gets them back: its own, and what the server has to say. */
export function forProducer(settings: ClientSettings, config: GatewayConfig): SettingsDraft {
  const { publishing, ...own } = settings
  return {
    ...own,
    backoffPolicy: producerPolicy,
    publishing: {
      topics: publishing?.topics ?? [],
      maxBodySize: config.maxMessageSize,
      validateMessageType: config.enableTopicMessageTypeCheck,
    },
    metric: { on: false },
  }
}

/** A consumer's. */
export function forConsumer(settings: ClientSettings, group: GroupFacts, config: GatewayConfig): SettingsDraft {
  const { subscription, ...own } = settings
  return {
    ...own,
    backoffPolicy: retryPolicyOf(group),
    subscription: {
      ...subscription,
      fifo: group.isFifo,
      receiveBatchSize: config.grpcClientConsumerLongPollingBatchSize,
      longPollingTimeout: secondsOf(config.grpcClientConsumerMaxLongPollingTimeoutMillis),
    },
    metric: { on: false },
  }
}

/** Milliseconds before an attempt, the second one being 2. */
export function retryDelayMs(policy: Policy | undefined, attempt: number): number {
  const { customizedBackoff } = policy ?? {}
  const steps = customizedBackoff?.next ?? customizedSeconds.map(seconds => ({ seconds }))
  const step = steps[Math.min(Math.max(attempt - 1, 0), steps.length - 1)]
  return (step?.seconds ?? 1) * 1000
}

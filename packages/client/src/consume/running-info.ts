import type { ConsumerRunningInfo, MessageQueue, ProcessQueueInfo } from '@skua-mq/protocol'
import { skuaVersion, versionName } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import type { ConsumeStats } from './consume-stats.ts'
import type { Offsets } from './offset-store/offsets.ts'
import type { Process } from './owned-queues.ts'
import type { PushSettings } from './push-options.ts'
import type { Subscriptions } from './subscriptions.ts'

export interface RunningInfoParts {
  readonly clock: Clock
  readonly settings: Pick<PushSettings, 'orderly' | 'concurrency' | 'messageModel' | 'consumeFromWhere'>
  readonly nameServers: readonly string[]
  readonly startedAtMs: number
  readonly consumeType: string
  readonly subscriptions: Subscriptions
  readonly stats: ConsumeStats
  readonly offsets: Offsets
  readonly owned: Iterable<[MessageQueue, Process]>
}

/** What 307 asks for (remoting.md 13.1). */
export function runningInfo(parts: RunningInfoParts): ConsumerRunningInfo {
  const { settings } = parts
  const properties = new Map([
    ['PROP_NAMESERVER_ADDR', `${parts.nameServers.join(';')};`],
    ['PROP_CONSUME_TYPE', parts.consumeType],
    ['PROP_CONSUMEORDERLY', String(settings.orderly)],
    ['PROP_THREADPOOL_CORE_SIZE', String(settings.concurrency)],
    ['PROP_CLIENT_VERSION', versionName(skuaVersion) ?? ''],
    ['PROP_CONSUMER_START_TIMESTAMP', String(parts.startedAtMs)],
    ['messageModel', settings.messageModel],
    ['consumeFromWhere', settings.consumeFromWhere],
  ])
  const mqTable = new Map<MessageQueue, ProcessQueueInfo>()
  for (const [queue, process] of parts.owned) mqTable.set(queue, processInfo(parts, queue, process))
  return { properties, subscriptionSet: parts.subscriptions.list(), mqTable, statusTable: parts.stats.table() }
}

function processInfo(parts: RunningInfoParts, queue: MessageQueue, process: Process): ProcessQueueInfo {
  // The process queue keeps times that never step back; operators want the wall clock.
  const wall = (monotonicMs: number) => Math.round(parts.clock.now() - (parts.clock.monotonic() - monotonicMs))
  const cached = process.minOffset !== undefined
  return {
    commitOffset: parts.offsets.inMemory(queue) ?? 0,
    cachedMsgMinOffset: process.minOffset ?? 0,
    cachedMsgMaxOffset: cached ? process.maxOffset : 0,
    cachedMsgCount: process.count,
    cachedMsgSizeInMiB: Math.floor(process.sizeBytes / 1024 / 1024),
    transactionMsgMinOffset: 0,
    transactionMsgMaxOffset: 0,
    transactionMsgCount: 0,
    locked: process.locked,
    tryUnlockTimes: process.tryUnlockTimes,
    lastLockTimestamp: process.locked ? wall(process.lastLockAtMs) : 0,
    droped: process.dropped,
    lastPullTimestamp: wall(process.lastPullAtMs),
    lastConsumeTimestamp: wall(process.lastConsumeAtMs),
  }
}

import { versionName } from '@skua-mq/protocol'
import { type Clock, type DiskSpace, isBadPlace, usedShare } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { Pace } from '../pace.ts'
import type { Meter } from './meter.ts'
import type { Traffic } from './traffic.ts'

export interface RuntimeInfoParts {
  readonly clock: Pick<Clock, 'after'>
  readonly traffic: Traffic
  /** Of the broker. */
  readonly version: number
  readonly store: Pick<
    MessageStore,
    'minPhysicalOffset' | 'maxPhysicalOffset' | 'queues' | 'storedAt' | 'refusing' | 'putTimes' | 'puts' | 'figures'
  >
  readonly settings: {
    readonly startAcceptSendRequestTimeStamp: number
    readonly storePathCommitLog: string
    readonly storePathRootDir: string
    readonly sendThreadPoolQueueCapacity: number
    readonly pullThreadPoolQueueCapacity: number
    readonly queryThreadPoolQueueCapacity: number
    readonly endTransactionPoolQueueCapacity: number
  }
  /** Of the disk with the log; undefined where the machine does not tell. */
  readonly space: () => DiskSpace | undefined
  /** Further lines. */
  readonly told: () => Readonly<Record<string, string>>
  readonly heldPulls: () => number
  /** Consumer groups whose members subscribe differently. */
  readonly differing: { readonly differingGroups: readonly string[]; readonly differencesFound: number }
}

/** Three numbers joined by blanks: last 10 s, 1 min, 10 min. */
const rates = (...meters: readonly Meter[]): string =>
  [10_000, 60_000, 600_000].map(span => meters.reduce((sum, meter) => sum + meter.rate(span), 0).toFixed(6)).join(' ')

/** The keys of 28 that tools read (admin.md 4); all values are texts. */
export async function runtimeInfo(parts: RuntimeInfoParts): Promise<Map<string, string>> {
  const { traffic, store, settings } = parts
  const earliest = await earliestKnown(parts)
  const space = parts.space()
  const ratio = String(space === undefined ? -1 : usedShare(space))
  const { got, found, missed, stored, mornings } = traffic
  const { messages, bytes, mostMs } = store.puts
  const transferred = rates(got.nums)
  return new Map(
    Object.entries({
      brokerVersionDesc: versionName(parts.version) ?? '',
      brokerVersion: String(parts.version),
      bootTimestamp: String(traffic.startedAtMs),
      runtime: span(traffic.runningMs),
      putTps: rates(stored),
      getTotalTps: rates(found, missed),
      getFoundTps: rates(found),
      getMissTps: rates(missed),
      getTransferedTps: transferred,
      // Tools of 5.x spell it right, and fail without it.
      getTransferredTps: transferred,
      msgPutTotalTodayNow: String(messages),
      msgPutTotalTodayMorning: String(mornings.today.put),
      msgPutTotalYesterdayMorning: String(mornings.yesterday.put),
      msgGetTotalTodayNow: String(got.nums.total),
      msgGetTotalTodayMorning: String(mornings.today.got),
      msgGetTotalYesterdayMorning: String(mornings.yesterday.got),
      putMessageTimesTotal: String(messages),
      putMessageSizeTotal: String(bytes),
      putMessageAverageSize: String(messages === 0 ? 0 : bytes / messages),
      putMessageDistributeTime: store.putTimes,
      putMessageEntireTimeMax: String(Math.round(mostMs)),
      putLatency99: store.puts.within(0.99).toFixed(2),
      putLatency999: store.puts.within(0.999).toFixed(2),
      putMessageFailedTimes: String(traffic.putFailed),
      ...pools(settings),
      pageCacheLockTimeMills: '0',
      dispatchBehindBytes: '0',
      dispatchMaxBuffer: '0',
      remainHowManyDataToFlush: size(store.figures.flushBehindBytes),
      // As RocketMQ tells it where there is no pool.
      remainTransientStoreBufferNumbs: '2147483647',
      earliestMessageTimeStamp: String(earliest),
      startAcceptSendRequestTimeStamp: String(settings.startAcceptSendRequestTimeStamp),
      commitLogMinOffset: String(store.minPhysicalOffset),
      commitLogMaxOffset: String(store.maxPhysicalOffset),
      commitLogDiskRatio: ratio,
      [`commitLogDiskRatio_${settings.storePathCommitLog || `${settings.storePathRootDir}/commitlog`}`]: ratio,
      consumeQueueDiskRatio: ratio,
      ...(space === undefined ? {} : { commitLogDirCapacity: capacity(space) }),
      ...parts.told(),
      /** Skua's own: pulls that wait, groups in which members subscribe differently, and why the store takes nothing. */
      heldPulls: String(parts.heldPulls()),
      subscriptionsDiffer: parts.differing.differingGroups.join(','),
      subscriptionsDifferTimes: String(parts.differing.differencesFound),
      ...(store.refusing === undefined ? {} : { storeRefuses: store.refusing.remark }),
    }),
  )
}

/** There are no thread pools: nothing waits in them. */
const pools = (settings: RuntimeInfoParts['settings']) => ({
  sendThreadPoolQueueSize: '0',
  sendThreadPoolQueueCapacity: String(settings.sendThreadPoolQueueCapacity),
  sendThreadPoolQueueHeadWaitTimeMills: '0',
  pullThreadPoolQueueSize: '0',
  pullThreadPoolQueueCapacity: String(settings.pullThreadPoolQueueCapacity),
  pullThreadPoolQueueHeadWaitTimeMills: '0',
  queryThreadPoolQueueSize: '0',
  queryThreadPoolQueueCapacity: String(settings.queryThreadPoolQueueCapacity),
  queryThreadPoolQueueHeadWaitTimeMills: '0',
  EndTransactionQueueSize: '0',
  EndTransactionThreadPoolQueueCapacity: String(settings.endTransactionPoolQueueCapacity),
})

/** A slave asks for these figures before it takes its master's tables: they must not fail for one bad place of the disk. */
const earliestKnown = (parts: Pick<RuntimeInfoParts, 'store' | 'clock'>): Promise<number> =>
  earliestStoredAt(parts).catch(error => {
    if (!isBadPlace(error)) throw error
    return -1
  })

/** The oldest message that any queue holds; -1 without one. */
async function earliestStoredAt({ store, clock }: Pick<RuntimeInfoParts, 'store' | 'clock'>): Promise<number> {
  let oldest: { topic: string; queueId: number; minOffset: number } | undefined
  let place = Number.POSITIVE_INFINITY
  const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
  const pace = new Pace(clock)
  for (const queue of store.queues()) {
    await pace.entry()
    if (queue.entries(queue.minOffset, entry) === 0 || entry[0]!.physicalOffset >= place) continue
    place = entry[0]!.physicalOffset
    oldest = { topic: queue.topic, queueId: queue.queueId, minOffset: queue.minOffset }
  }
  return oldest === undefined ? -1 : store.storedAt(oldest.topic, oldest.queueId, oldest.minOffset)
}

const capacity = ({ totalBytes, usableBytes }: DiskSpace): string =>
  `Total : ${size(totalBytes)}, Free : ${size(usableBytes)}.`

/** As RocketMQ writes sizes: 512 B, 1.5 KiB. */
function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const power = Math.floor(Math.log(bytes) / Math.log(1024))
  return `${(bytes / 1024 ** power).toFixed(1)} ${'KMGTPE'.charAt(power - 1)}iB`
}

function span(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  return `[ ${days} days, ${hours} hours, ${minutes} minutes, ${seconds % 60} seconds ]`
}

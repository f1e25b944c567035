import {
  cleanExpiredConsumeQueue,
  cleanUnusedTopic,
  deleteExpiredCommitLog,
  getBrokerConfig,
  getBrokerConsumeStats,
  getBrokerHaStatus,
  getBrokerRuntimeInfo,
  type HaStatus,
  ResponseCode,
  updateBrokerConfig,
  viewBrokerStatsData,
} from '@skua-mq/protocol'
import { brokersAt, mastersAt, type Where } from './cluster.ts'
import { compareText } from './each.ts'
import { readSettings, type Settings, writeSettings } from './properties.ts'
import { type QueueProgress, queueProgress } from './queue-progress.ts'
import type { AdminSession } from './session.ts'

/** Figures of a broker by RocketMQ's names, all texts (admin.md 4); sorted by name. */
export async function brokerRuntimeInfo(session: AdminSession, address: string): Promise<Record<string, string>> {
  const { table } = await session.read(address, { spec: getBrokerRuntimeInfo })
  return Object.fromEntries([...table].sort(([a], [b]) => compareText(a, b)))
}

/** What operators look at first; NaN and '' where a broker does not tell it. */
export interface BrokerFigures {
  /** E.g. V4_9_8. */
  readonly version: string
  /** Messages a second in the last ten. */
  readonly putTps: number
  readonly getTps: number
  readonly sendQueueSize: number
  readonly sendQueueHeadWaitMs: number
  readonly pullQueueSize: number
  readonly pullQueueHeadWaitMs: number
  readonly pageCacheLockMs: number
  /** Store time of the oldest message, ms since 1970; 0 without one. */
  readonly earliestMessageMs: number
  /** Share of the disk that is in use, 0 to 1. */
  readonly diskRatio: number
  readonly putYesterday: number
  readonly getYesterday: number
  readonly putToday: number
  readonly getToday: number
}

/** Out of `brokerRuntimeInfo`. */
export function brokerFigures(info: Readonly<Record<string, string>>): BrokerFigures {
  const number = (key: string): number => Number.parseFloat(info[key] ?? '')
  return {
    version: info['brokerVersionDesc'] ?? '',
    putTps: number('putTps'),
    getTps: number('getTransferedTps'),
    sendQueueSize: number('sendThreadPoolQueueSize'),
    sendQueueHeadWaitMs: number('sendThreadPoolQueueHeadWaitTimeMills'),
    pullQueueSize: number('pullThreadPoolQueueSize'),
    pullQueueHeadWaitMs: number('pullThreadPoolQueueHeadWaitTimeMills'),
    pageCacheLockMs: number('pageCacheLockTimeMills'),
    earliestMessageMs: number('earliestMessageTimeStamp'),
    diskRatio: number('commitLogDiskRatio'),
    putYesterday: number('msgPutTotalTodayMorning') - number('msgPutTotalYesterdayMorning'),
    getYesterday: number('msgGetTotalTodayMorning') - number('msgGetTotalYesterdayMorning'),
    putToday: number('msgPutTotalTodayNow') - number('msgPutTotalTodayMorning'),
    getToday: number('msgGetTotalTodayNow') - number('msgGetTotalTodayMorning'),
  }
}

/** How far the slaves of a broker are, or how far a slave is. */
export function haStatus(session: AdminSession, address: string): Promise<HaStatus> {
  return session.read(address, { spec: getBrokerHaStatus })
}

/** All settings of a broker, by name. */
export async function brokerConfig(session: AdminSession, address: string): Promise<Settings> {
  return readSettings(await session.read(address, { spec: getBrokerConfig }))
}

/** Changes settings at masters; brokers ignore names that they do not know. Returns who took them. */
export async function setBrokerConfig(session: AdminSession, where: Where, settings: Settings): Promise<string[]> {
  const addresses = await mastersAt(session, where)
  await session.writeEach(addresses, { spec: updateBrokerConfig, body: writeSettings(settings) })
  return addresses
}

const cleanings = {
  /** Queue files below the log's beginning. */
  consumeQueues: cleanExpiredConsumeQueue,
  /** Queues of topics that are no longer configured. */
  unusedTopics: cleanUnusedTopic,
  /** Files of the log that are old enough to go, now instead of at `deleteWhen`. */
  commitLog: deleteExpiredCommitLog,
} as const

/** Has brokers remove what they no longer need. Returns who did. */
export async function cleanBrokers(
  session: AdminSession,
  where: Where,
  what: keyof typeof cleanings,
): Promise<string[]> {
  const addresses = await brokersAt(session, where)
  await session.writeEach(addresses, { spec: cleanings[what], timeoutMs: 3 * session.timeoutMs })
  return addresses
}

/** Where a group stands at one broker. */
export interface BrokerConsumeProgress extends QueueProgress {
  readonly group: string
}

/** All groups at one broker, queue by queue. `timeoutMs` default 50000: a broker looks at every queue. */
export async function brokerConsumeStats(
  session: AdminSession,
  address: string,
  { isOrder = false, timeoutMs = 50_000 }: { readonly isOrder?: boolean; readonly timeoutMs?: number } = {},
): Promise<BrokerConsumeProgress[]> {
  const { consumeStatsList } = await session.read(address, {
    spec: getBrokerConsumeStats,
    header: { isOrder },
    timeoutMs,
  })
  return consumeStatsList.flatMap(table =>
    [...table].flatMap(([group, stats]) =>
      stats.flatMap(one => queueProgress(one.offsetTable).map(queue => ({ group, ...queue }))),
    ),
  )
}

/** Of a statistic: how many, how many a second, and their average. */
export interface StatsFigures {
  readonly sum: number
  readonly tps: number
  readonly avgpt: number
}

/** Of the last minute, hour and day. */
export interface StatsItem {
  readonly minute: StatsFigures
  readonly hour: StatsFigures
  readonly day: StatsFigures
}

/** A statistic of a broker (admin.md 4: e.g. TOPIC_PUT_NUMS of a topic); undefined for what was never counted. */
export async function brokerStats(
  session: AdminSession,
  address: string,
  item: { readonly statsName: string; readonly statsKey: string },
): Promise<StatsItem | undefined> {
  const call = { spec: viewBrokerStatsData, header: item, allow: [ResponseCode.systemError] }
  const reply = await session.ask(address, call)
  if (reply.code !== 0 || reply.body === undefined) return undefined
  const { statsMinute, statsHour, statsDay } = viewBrokerStatsData.replyBody!.decode(reply.body)
  return { minute: { ...statsMinute }, hour: { ...statsHour }, day: { ...statsDay } }
}

import {
  type AdminSession,
  type BrokerFigures,
  brokerFigures,
  brokerRuntimeInfo,
  type ClusterBroker,
  clusterBrokers,
  each,
} from '@skua-mq/admin'
import { delay } from '@skua-mq/runtime'
import { toggle, whole } from '../frame/flag.ts'
import { type Context, stream } from '../frame/subcommand.ts'
import { type Block, table } from '../frame/table.ts'

type Row = ClusterBroker & { readonly figures: BrokerFigures; readonly problem?: string }

const flags = {
  moreStats: toggle('m', 'moreStats', 'messages of yesterday and today instead of the load'),
  interval: whole('i', 'interval', 'again and again, after so many seconds'),
}

export const clusterList = stream({
  requests: '106, 28',
  flags,
  stream: async function* ({ session, flags: { interval } }: Context<typeof flags>) {
    yield await rowsOf(session)
    while (interval !== undefined) {
      await delay(session.runtime.clock, Math.max(1, interval) * 1000)
      yield await rowsOf(session)
    }
  },
  show: (rows, { session, flags: { moreStats } }) => [
    moreStats ? totals(rows) : load(rows, session.runtime.clock.now()),
    ...rows.flatMap(({ problem }) => (problem === undefined ? [] : [{ lines: [problem] }])),
  ],
})

/** A broker that does not answer is there all the same, with its problem. */
async function rowsOf(session: AdminSession): Promise<Row[]> {
  return each(await clusterBrokers(session), async broker => {
    try {
      return { ...broker, figures: brokerFigures(await brokerRuntimeInfo(session, broker.address)) }
    } catch (error) {
      return { ...broker, figures: brokerFigures({}), problem: (error as Error).message }
    }
  })
}

const fixed = (value: number, digits: number): string => (Number.isNaN(value) ? '-' : value.toFixed(digits))

function load(rows: readonly Row[], nowMs: number): Block {
  const tps = (value: number, queue: number, waitMs: number): string =>
    Number.isNaN(value) ? '-' : `${value.toFixed(2)}(${queue},${waitMs}ms)`
  return table(
    [
      { title: '#Cluster Name', cell: row => row.clusterName },
      { title: '#Broker Name', cell: row => row.brokerName },
      { title: '#BID', cell: row => row.brokerId },
      { title: '#Addr', cell: row => row.address },
      { title: '#Version', cell: row => row.figures.version || '-' },
      {
        title: '#InTPS(LOAD)',
        cell: ({ figures: it }) => tps(it.putTps, it.sendQueueSize, it.sendQueueHeadWaitMs),
        right: true,
      },
      {
        title: '#OutTPS(LOAD)',
        cell: ({ figures: it }) => tps(it.getTps, it.pullQueueSize, it.pullQueueHeadWaitMs),
        right: true,
      },
      { title: '#PCWait(ms)', cell: row => row.figures.pageCacheLockMs, right: true },
      { title: '#Hour', cell: row => fixed(hours(row.figures.earliestMessageMs, nowMs), 2), right: true },
      { title: '#SPACE', cell: row => fixed(row.figures.diskRatio, 4), right: true },
    ],
    rows,
  )
}

/** Age of the oldest message. */
const hours = (fromMs: number, nowMs: number): number => (fromMs > 0 ? (nowMs - fromMs) / 3_600_000 : 0)

const totals = (rows: readonly Row[]): Block =>
  table(
    [
      { title: '#Cluster Name', cell: row => row.clusterName },
      { title: '#Broker Name', cell: row => row.brokerName },
      { title: '#InTotalYest', cell: row => row.figures.putYesterday, right: true },
      { title: '#OutTotalYest', cell: row => row.figures.getYesterday, right: true },
      { title: '#InTotalToday', cell: row => row.figures.putToday, right: true },
      { title: '#OutTotalToday', cell: row => row.figures.getToday, right: true },
    ],
    rows,
  )

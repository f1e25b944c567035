import type { RequestModes } from '../assignment/request-modes.ts'
import { over } from '../config/over.ts'
import type { DelayedDelivery } from '../delay/delayed-delivery.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { MasterNews } from '../registration/feature.ts'
import type { TimerFollower } from '../timer/timer-follower.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { HaServer } from './ha-server.ts'
import { MasterLink } from './master-link.ts'
import { replicationMetrics } from './replication-metrics.ts'
import { TableSync } from './table-sync.ts'

type Needs = On<'config' | 'runtime' | 'store' | 'client' | 'progress' | 'bindAddress' | 'brokerAddr'> & {
  topics: TopicTable
  groups: GroupTable
  offsets: OffsetTable
  delays: Pick<DelayedDelivery, 'replace'>
  requestModes: Pick<RequestModes, 'replace'>
  timerFollower: TimerFollower
  masterNews: MasterNews
}

/** Shortest haMasterAddress that counts as one (ha.md 1). */
const shortestAddress = 6

/** Slaves can connect to every broker; one that is a slave itself follows its master, in its log and in its tables. */
export const replication: Feature<Needs> = {
  name: 'replication',
  make: needs => {
    const { config, runtime, store, progress, bindAddress } = needs
    const server = new HaServer({
      ...{ ...runtime, store, progress },
      listen: { host: bindAddress, port: config.listenPort + 1 },
      settings: over(timesOf(needs), {
        answerMs: () => Math.min(config.haAnswerTimeout, config.slaveTimeout),
        fileBytes: config.mappedFileSizeCommitLog,
        frameBytes: () => config.haTransferBatchSize,
      }),
    })
    const following = config.brokerRole === 'SLAVE' ? followers(needs) : []
    const logEnd = () => store.maxPhysicalOffset
    return {
      services: [server, ...following],
      metrics: [replicationMetrics({ progress, logEnd, link: following[0] })],
    }
  },
}

const timesOf = ({ config }: Pick<Needs, 'config'>) => ({
  get heartbeatMs() {
    return config.haSendHeartbeatInterval
  },
  get silenceMs() {
    return config.haHousekeepingInterval
  },
  get masterAnswerMs() {
    return config.haAnswerTimeout
  },
})

function followers(needs: Needs): readonly [MasterLink, TableSync] {
  const { config, runtime, store, client, brokerAddr, topics, groups, offsets, delays, timerFollower: timers } = needs
  const isFixed = config.haMasterAddress.length >= shortestAddress
  let haMasterAddr = isFixed ? config.haMasterAddress : undefined
  let masterAddr: string | undefined
  const link = new MasterLink({ ...runtime, store, haMasterAddr: () => haMasterAddr, settings: timesOf(needs) })
  needs.masterNews.add(master => {
    masterAddr = master.masterAddr === brokerAddr ? undefined : master.masterAddr
    if (!isFixed && master.haServerAddr !== undefined) haMasterAddr = master.haServerAddr
    link.learned()
  })
  const tables = { topics, groups, offsets, delays, timers, modes: needs.requestModes, store }
  return [link, new TableSync({ ...runtime, ...tables, client, masterAddr: () => masterAddr, link })]
}

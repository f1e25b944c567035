import type { TopicConfigTable } from '@skua-mq/protocol'
import type { Service } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { RequestModes } from '../assignment/request-modes.ts'
import { over } from '../config/over.ts'
import type { DelayedDelivery } from '../delay/delayed-delivery.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { MasterNews } from '../registration/feature.ts'
import type { MasterAddresses } from '../registration/registration.ts'
import type { TimerFollower } from '../timer/timer-follower.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { CopyProgress } from './copy-progress.ts'
import { HaServer } from './ha-server.ts'
import { askBroker } from './master-info.ts'
import { MasterLink } from './master-link.ts'
import { MasterPlace } from './master-place.ts'
import { replicationMetrics } from './replication-metrics.ts'
import { haRoutes } from './routes.ts'
import { TableSync } from './table-sync.ts'

type Needs = On<
  | 'config'
  | 'live'
  | 'runtime'
  | 'store'
  | 'client'
  | 'progress'
  | 'bindAddress'
  | 'slaveCrowd'
  | 'brokerAddr'
  | 'book'
  | 'reopen'
  | 'isReopening'
> & {
  topics: TopicTable
  groups: GroupTable
  offsets: OffsetTable
  delays: Pick<DelayedDelivery, 'replace'>
  requestModes: Pick<RequestModes, 'replace'>
  timerFollower: TimerFollower
  masterNews: MasterNews
  registerAgain: () => void
}

/** Shortest haMasterAddress that counts as one (ha.md 1). */
const shortestAddress = 6

/** A slave on its way behind its master, for whoever makes it the master. */
export interface Following {
  /** Where the master's log ended when it was heard of last. */
  readonly masterEnd: () => number
  /** A master that is followed and lives. */
  readonly living: () => string | undefined
  /** How far the copy of the master's log is; undefined where all is here. */
  readonly copying: () => string | undefined
  /** Takes the groups and timers of a former master whose log is here. Throws where that cannot be. */
  readonly takeFrom: (address: string) => Promise<void>
  /** Makes the topics whose first messages have come, and of which the master has not told yet. */
  readonly ensureTopics: () => Promise<void>
  /** The own end of the connection to the HA port of the master, host:port; undefined where the log here is not known to be its. */
  readonly connectedFrom: () => string | undefined
  /** The master is there, whatever the name servers say from now on. */
  readonly follow: (master: MasterAddresses) => void
  /** Calls when the log here is known to be the master's, and when its tables have been taken. */
  readonly onNews: (run: () => void) => void
}

/** As many queues as have had messages. */
function queuesOf(store: Pick<MessageStore, 'queues'>, topic: string): number {
  let count = 1
  for (const queue of store.queues()) if (queue.topic === topic) count = Math.max(count, queue.queueId + 1)
  return count
}

/** Slaves can connect to every broker; one that is a slave itself follows its master, in its log and in its tables. */
export const replication: Feature<Needs, { following: Following | undefined }> = {
  name: 'replication',
  make: needs => {
    const { config, live, runtime, store, progress, bindAddress, slaveCrowd } = needs
    const changed = () => store.setShortOfReplicas(shortOf(needs))
    live.onChange(changed)
    const server = new HaServer({
      ...{ ...runtime, store, progress, changed, crowd: slaveCrowd },
      listen: { host: bindAddress, port: config.listenPort + 1 },
      settings: over(timesOf(needs), {
        answerMs: () => Math.min(config.haAnswerTimeout, config.slaveTimeout),
        fileBytes: config.mappedFileSizeCommitLog,
        frameBytes: () => config.haTransferBatchSize,
      }),
    })
    const following = config.brokerRole === 'SLAVE' ? followers(needs) : undefined
    const logEnd = () => store.maxPhysicalOffset
    return {
      gives: { following },
      services: [server, ...(following?.services ?? [])],
      routes: haRoutes({ clock: runtime.clock, progress, logEnd, link: following?.link }),
      metrics: [replicationMetrics({ progress, logEnd, link: following?.link })],
    }
  },
}

/** A SYNC_MASTER takes messages where so many copies of them can be made (minInSyncReplicas, its own included). */
function shortOf({ config, progress }: Pick<Needs, 'config' | 'progress'>): string | undefined {
  const { brokerRole, minInSyncReplicas } = config
  const copies = progress.answering + 1
  if (brokerRole !== 'SYNC_MASTER' || copies >= minInSyncReplicas) return undefined
  return `in-sync replicas not enough: ${copies} with the master, minInSyncReplicas is ${minInSyncReplicas}`
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
  get copiesWholeLog() {
    return config.haCopyWholeLog
  },
})

const takenTopics = ({ topics, store }: Pick<Needs, 'topics' | 'store'>) => ({
  replace: (table: TopicConfigTable) => topics.replace(table),
  find: (topic: string) => topics.find(topic),
  ensure: (topic: string) => void topics.ensure(topic, queuesOf(store, topic), 'its first messages came with the log'),
})

function cut({ config, runtime, book, reopen, isReopening }: Needs, at: number): void {
  const { brokerRole, brokerId } = config
  // Its tables would pass for those of the log that is left. The next connection comes here again.
  if (isReopening() || !book.decide({ brokerRole, brokerId, epoch: book.epoch, isCut: true })) return
  const reason = `its log parts at ${at} from that of its master`
  reopen({ brokerRole, brokerId, cut: { at, kept: `skua.kept-${runtime.clock.now()}` }, reason })
}

function followers(needs: Needs): Following & { link: MasterLink; services: readonly Service[] } {
  const { config, runtime, store, client, brokerAddr, book, registerAgain } = needs
  const { topics, groups, offsets, delays, timerFollower: timers } = needs
  const fixed = config.haMasterAddress.length >= shortestAddress ? config.haMasterAddress : undefined
  const place = new MasterPlace({ fixed, brokerAddr })
  const copy = new CopyProgress({
    ...{ ...runtime, note: book, logEnd: () => store.maxPhysicalOffset },
    bytesPerSecond: () => config.haCopyBytesPerSecond,
  })
  const listeners = new Set<() => void>()
  const news = () => {
    for (const run of listeners) run()
  }
  const link: MasterLink = new MasterLink({
    ...{ ...runtime, store, copy, role: book, settings: timesOf(needs) },
    followed: () => sync.followed(),
    news,
    haMasterAddr: () => place.haAddr,
    askAgain: registerAgain,
    masterInfo: async () => {
      const { isOneBroker, masterAddr } = place
      const info = masterAddr === undefined ? undefined : await askBroker(client, masterAddr)
      // The one at haMasterAddress may be another broker, whose log is no measure for a cut, and whose epoch nobody knows.
      return info === undefined || isOneBroker ? info : { ...info, epoch: 0 }
    },
    cut: at => cut(needs, at),
  })
  needs.masterNews.add(master => {
    place.told(master)
    link.learned()
  })
  const tables = { topics: takenTopics(needs), groups, offsets, delays, timers, modes: needs.requestModes, store }
  const sync = new TableSync({
    ...{ ...runtime, ...tables, client, link },
    masterAddr: () => place.masterAddr,
    taken: () => {
      book.tablesTaken()
      news()
    },
  })
  return {
    ...{ link, services: [link, sync] },
    masterEnd: () => link.masterEnd,
    living: () => link.living,
    copying: () => copy.text,
    connectedFrom: () => link.connectedFrom,
    onNews: run => listeners.add(run),
    follow: master => {
      if (place.elected(master)) link.learned()
    },
    takeFrom: address => sync.takeFrom(address),
    ensureTopics: async () => {
      sync.ensureTopics()
      await topics.settled()
    },
  }
}

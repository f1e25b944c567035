import type { RemotingClient } from '@skua-mq/remoting'
import { group, type Runtime, type Service } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'
import type { Delivery } from './delivery.ts'
import { HaServer } from './ha/ha-server.ts'
import { MasterLink } from './ha/master-link.ts'
import type { SlaveProgress } from './ha/slave-progress.ts'
import { TableSync } from './ha/table-sync.ts'
import type { BrokerTables } from './tables.ts'

export interface ReplicationParts {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly store: MessageStore
  readonly tables: BrokerTables
  readonly delays: Delivery['delays']
  readonly progress: SlaveProgress
  readonly client: Pick<RemotingClient, 'request'>
  readonly bindAddress: string
  readonly brokerAddr: string
}

/** What a name server told a slave of its master. */
export interface MasterAddresses {
  readonly haServerAddr?: string | undefined
  readonly masterAddr?: string | undefined
}

export interface Replication extends Service {
  learned(master: MasterAddresses): void
}

/** Shortest haMasterAddress that counts as one (ha.md 1). */
const shortestAddress = 6

/** Slaves can connect to every broker; one that is a slave itself follows its master, in its log and in its tables. */
export function replication(parts: ReplicationParts): Replication {
  const { config, runtime, store, tables, delays, progress, client } = parts
  const times = { heartbeatMs: config.haSendHeartbeatInterval, silenceMs: config.haHousekeepingInterval }
  const keepUpMs = () => config.slaveTimeout
  const server = new HaServer({
    ...runtime,
    store,
    progress,
    listen: { host: parts.bindAddress, port: config.listenPort + 1 },
    settings: { ...times, keepUpMs, fileBytes: config.mappedFileSizeCommitLog, frameBytes: config.haTransferBatchSize },
  })
  if (config.brokerRole !== 'SLAVE') return Object.assign(group('replication', [server]), { learned: () => {} })
  const isFixed = config.haMasterAddress.length >= shortestAddress
  let haMasterAddr = isFixed ? config.haMasterAddress : undefined
  let masterAddr: string | undefined
  const link = new MasterLink({ ...runtime, store, haMasterAddr: () => haMasterAddr, settings: times })
  const sync = new TableSync({ ...runtime, ...tables, client, delays, masterAddr: () => masterAddr })
  return Object.assign(group('replication', [server, link, sync]), {
    learned: (master: MasterAddresses) => {
      masterAddr = master.masterAddr === parts.brokerAddr ? undefined : master.masterAddr
      if (!isFixed && master.haServerAddr !== undefined) haMasterAddr = master.haServerAddr
      link.learned()
    },
  })
}

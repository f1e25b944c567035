import type { Dialect, SlicedCodec } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import type { Disk, LiveConfig, ProcessFacts, Runtime } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { BrokerConfig, brokerOptions } from '../config/options.ts'
import type { Election } from '../election/election.ts'
import type { FilterBitmaps } from '../filter/filter-bitmaps.ts'
import type { StartFilterProcess } from '../filter-server/filter-processes.ts'
import type { SlaveProgress } from '../ha/slave-progress.ts'
import type { TableFile } from '../persist/table-file.ts'
import type { Reopening } from '../role/reopening.ts'
import type { RoleBook } from '../role/role-book.ts'
import type { Furniture } from './house.ts'

/** What all features stand on. Each names in its `make` what it takes of it. */
export interface Ground {
  readonly config: BrokerConfig
  readonly live: LiveConfig<typeof brokerOptions>
  /** The option of this name. */
  readonly dialect: Dialect
  readonly runtime: Runtime
  readonly facts: ProcessFacts
  /** Whether there are metrics: what nobody else reads is not counted otherwise. */
  readonly measures: boolean
  readonly store: MessageStore
  /** Where `rocketmqHome` is. */
  readonly homeDisk: Disk
  /** To name servers, and to the master of a slave. */
  readonly client: RemotingClient
  /** Told the address of a server that is gone. */
  readonly serverGone: { add(listener: (address: string) => void): void }
  /** This broker as records carry it, and as `host:port`. */
  readonly storeHost: Uint8Array
  readonly brokerAddr: string
  /** Where it listens; empty: everywhere. */
  readonly bindAddress: string
  /** Connections to the port of the slaves that have not reported, at most, for lack of descriptors. */
  readonly slaveCrowd: number
  readonly totalMemoryBytes: number
  /** Names of the brokers of its family, its own among them; none for a broker that is alone. */
  readonly family: readonly string[]
  readonly startFilterProcess: StartFilterProcess | undefined
  /** What the store asks about slaves and about filters. */
  readonly progress: SlaveProgress
  readonly bitmaps: FilterBitmaps | undefined
  /** A table's file, `config/NAME.json` of the store directory. */
  readonly file: <T>(name: string, codec: SlicedCodec<T>) => TableFile<T>
  readonly furniture: Furniture
  /** Where brokers choose their master themselves. */
  readonly election: Election | undefined
  /** Which role this broker has, in which epoch. */
  readonly book: RoleBook
  /** Ends this life of the broker and begins another one, once what asked for it is answered. */
  readonly reopen: (as: Reopening) => void
  /** It is about to do so, or to end. */
  readonly isReopening: () => boolean
}

/** The parts of the ground that a feature takes. */
export type On<Key extends keyof Ground> = Pick<Ground, Key>

import type { RemotingLimits } from '@skua-mq/remoting'
import {
  type ConfigChanges,
  type Disk,
  Failure,
  type ProcessFacts,
  type Runtime,
  type TlsClient,
  type TlsServer,
} from '@skua-mq/runtime'
import { impossibleIn } from './config/impossible.ts'
import type { BrokerConfig } from './config/options.ts'
import type { Registry } from './election/registry.ts'
import type { StartFilterProcess } from './filter-server/filter-processes.ts'

/** What whoever embeds a broker gives it; its configuration is one part of it (config/options.ts). */
export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly facts: ProcessFacts
  /** Address to listen on; default all, of both families. */
  readonly bindAddress?: string
  /** What brokerIP1 leads to where it is a host name; default: the first own address. */
  readonly storeAddress?: string | undefined
  /** Memory of the machine in bytes: what counts as hot is a share of it. */
  readonly totalMemoryBytes: number
  /** Names of the brokers that one start has brought up beside each other, its own among them; told to tools. Default: none. */
  readonly family?: readonly string[]
  readonly limits?: Partial<RemotingLimits>
  /** Descriptors that other servers of this process may take; default none. */
  readonly otherDescriptors?: number
  /** Of both listeners; default: plain connections only. */
  readonly tls?: TlsServer | undefined
  /** Of connections to name servers; default: plain. */
  readonly tlsClient?: TlsClient | undefined
  /** Where brokers of one name agree on their master; needed where failoverEndpoints is set, and enough by itself. */
  readonly registry?: Registry | undefined
  /** Starts a filter server; needed where filterServerNums is not 0. */
  readonly startFilterProcess?: StartFilterProcess
  /** Where `rocketmqHome` is; default: the disk of `runtime`. A broker whose messages are in memory has another one. */
  readonly homeDisk?: Disk
  /** Keeps options that a tool changed (25) for the next start. */
  readonly keepConfig?: (changes: ConfigChanges) => void
}

/** Before anything is made, so that a refusal leaves nothing behind. Throws Failure ECONFIG. */
export function refuseImpossible({ config, tls, startFilterProcess, registry }: BrokerOptions): void {
  const impossible = impossibleIn(config)
  if (impossible !== undefined) throw new Failure('ECONFIG', impossible.remark)
  if (config.failoverEndpoints !== '' && registry === undefined)
    throw new Failure('ECONFIG', 'failoverEndpoints: whoever embeds this broker gives no registry')
  if (!/^[\w.:-]*$/.test(config.brokerIP1))
    throw new Failure('ECONFIG', `brokerIP1=${config.brokerIP1} is neither an IP address nor a host name`)
  if (tls?.mode === 'enforcing' && config.filterServerNums > 0)
    throw new Failure('ECONFIG', 'tls.server.mode=enforcing excludes filterServerNums: filter servers speak no TLS')
  if (config.filterServerNums > 0 && startFilterProcess === undefined) {
    const remark = `filterServerNums=${config.filterServerNums}: whoever embeds this broker starts no filter servers`
    throw new Failure('ECONFIG', remark)
  }
}

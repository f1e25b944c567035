import type { FilterServers } from '../filter-server/filter-servers.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { haAddrOf } from '../house/own-address.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { type MasterAddresses, Registration } from './registration.ts'

type Needs = On<'config' | 'live' | 'runtime' | 'client' | 'serverGone' | 'brokerAddr'> & {
  topics: TopicTable
  filterServers: FilterServers
}

/** Who hears from the name servers where the master of a slave is. */
export interface MasterNews {
  add(listener: (addresses: MasterAddresses) => void): void
}

export interface Announced {
  masterNews: MasterNews
  isRegistered: () => boolean
  nameServers: () => readonly string[]
  /** Tells the name servers of this broker again, at once. */
  registerAgain: () => void
}

/** The name servers know of this broker and of its topics. */
export const registration: Feature<Needs, Announced> = {
  name: 'registration',
  make: needs => {
    const { config, live, runtime, client, serverGone, topics, filterServers } = needs
    let namesrvAddrs = addressesOf(config.namesrvAddr)
    const listeners: ((addresses: MasterAddresses) => void)[] = []
    const made = new Registration({
      ...runtime,
      client,
      namesrvAddrs: () => namesrvAddrs,
      identity: () => identityOf(needs),
      body: () => ({
        filterServerList: filterServers.addresses,
        dataVersion: topics.version.toJSON(),
        topics: topics.eachWith(config.brokerPermission),
      }),
      master: addresses => {
        for (const listener of listeners) listener(addresses)
      },
      orderTopics: names => topics.setOrdered(names),
      periodMs: () => config.registerNameServerPeriod,
      timeoutMs: () => config.registerBrokerTimeoutMills,
    })
    for (const table of [topics, filterServers]) table.onChange(() => made.changed())
    live.onChange(changes => {
      if (!changes.has('namesrvAddr')) return
      const before = namesrvAddrs
      namesrvAddrs = addressesOf(config.namesrvAddr)
      made.moved(before.filter(address => !namesrvAddrs.includes(address)))
    })
    serverGone.add(address => made.lost(address))
    return {
      gives: {
        masterNews: { add: listener => listeners.push(listener) },
        nameServers: () => namesrvAddrs,
        registerAgain: () => made.changed(),
        isRegistered: () => namesrvAddrs.length === 0 || made.wasTaken,
      },
      presence: [made],
      announce: () => made.announce(),
    }
  },
}

/** Name servers as an option has them, joined by semicolons. */
export const addressesOf = (text: string): string[] =>
  text
    .split(';')
    .map(address => address.trim())
    .filter(address => address !== '')

function identityOf({ config, brokerAddr }: Pick<Needs, 'config' | 'brokerAddr'>) {
  return {
    clusterName: config.brokerClusterName,
    brokerName: config.brokerName,
    brokerAddr,
    brokerId: config.brokerRole === 'SLAVE' ? config.brokerId : 0,
    haServerAddr: haAddrOf(brokerAddr, config),
  }
}

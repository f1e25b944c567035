import type { AdminOptions } from '@skua-mq/admin'
import type { Runtime } from '@skua-mq/runtime'
import type { User } from './endpoint.ts'

/** A cluster that is looked at. */
export interface ClusterOptions {
  /** Shown where there are several. */
  readonly name: string
  /** Name servers, `host:port` joined by `;`. */
  readonly namesrvAddr: string
  /** As the client's option. Default: plain. */
  readonly tls?: AdminOptions['tls']
  /** Account of brokers with access control. */
  readonly credentials?: AdminOptions['credentials']
  /** Longest wait for a broker, ms. Default 5000. */
  readonly timeoutMs?: number | undefined
}

/** What `createDashboard` takes. */
export interface DashboardOptions {
  /** One cluster by its name servers; several by `clusters`. */
  readonly namesrvAddr?: string | undefined
  readonly tls?: AdminOptions['tls']
  readonly credentials?: AdminOptions['credentials']
  readonly clusters?: readonly ClusterOptions[] | undefined
  /** Where it is mounted in a server of yours: `/mq`. Frameworks that cut it off the URL (Express) need none. Default ''. */
  readonly basePath?: string | undefined
  /** File of accounts. Without one everybody on this machine may do everything, and nobody else may do anything. */
  readonly accounts?: string | undefined
  /** Who asks, where your server knows it: undefined is nobody. In place of accounts. */
  readonly authorize?:
    | ((request: { readonly headers: Readonly<Record<string, unknown>> }) => User | undefined)
    | undefined
  /** Names by which browsers reach it, beside those of loopback: `mq.example.com`, with the port where it is none of a scheme's own. Needs accounts or `authorize`. */
  readonly allowedHosts?: readonly string[] | undefined
  /** The address on which it listens, where that is another one; `startDashboard` says it. */
  readonly ownHosts?: readonly string[] | undefined
  /** Nobody changes anything. Default false. */
  readonly readOnly?: boolean | undefined
  /** How often figures are taken for the charts, ms; 0: never. Default 10000. */
  readonly sampleMs?: number | undefined
  /** File in which what was changed is kept, JSON lines, with one older beside it; one dashboard writes it. Default: in memory. */
  readonly changesFile?: string | undefined
  /** Streams (live tails, searches, downloads, resends) that are open at a time. Default 32. */
  readonly maxStreams?: number | undefined
  /** Of these, of one user; without accounts everybody is one. Default: half of all. */
  readonly maxStreamsPerUser?: number | undefined
  /** Bytes of messages that are on their way from brokers or looked at, of all requests together. Default 32 MiB. */
  readonly maxReadBytes?: number | undefined
  /** Default: this machine's. */
  readonly runtime?: Runtime | undefined
  /** Default: what was built with the package. */
  readonly page?: PageFiles | undefined
}

/** Files of the page by their names; `index.html` among them. */
export type PageFiles = ReadonlyMap<string, Uint8Array>

/** Errors: OptionError-like texts for what cannot be. */
export function clustersOf({ clusters, namesrvAddr, tls, credentials }: DashboardOptions): readonly ClusterOptions[] {
  const all = clusters ?? (namesrvAddr === undefined ? [] : [{ name: namesrvAddr, namesrvAddr, tls, credentials }])
  if (all.length === 0) throw new Error('no cluster is given: namesrvAddr (-n host:port) says where its name server is')
  const names = new Set(all.map(({ name }) => name))
  if (names.size < all.length) throw new Error('two clusters have the same name')
  if (all.length > maxClusters) throw new Error(`${all.length} clusters: ${maxClusters} is the most`)
  return all
}

/** Clusters of one dashboard: each costs a connection to each of its brokers. */
export const maxClusters = 16

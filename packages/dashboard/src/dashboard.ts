import { setMaxListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { nodeRuntime, type Runtime } from '@skua-mq/runtime'
import { Accounts } from './access/accounts.ts'
import { type HostRules, hostOf, isLoopback } from './access/origin.ts'
import { Sessions } from './access/sessions.ts'
import { Tries } from './access/tries.ts'
import { ChangeLog } from './change-log.ts'
import { Cluster } from './cluster.ts'
import { serve } from './http/handler.ts'
import { loadPage, type Page } from './http/page.ts'
import { clustersOf, type DashboardOptions } from './options.ts'
import { Problem } from './problem.ts'
import { ReadBudget } from './read-budget.ts'
import { Streams } from './streams.ts'

/** Requests that run at a time; more are told to come again. */
export const maxRequests = 64

/** All that a dashboard holds. The request handler is `handler`; whoever made it closes it. */
export class Dashboard {
  readonly options: DashboardOptions
  readonly runtime: Runtime
  readonly clusters: readonly Cluster[]
  readonly changes: ChangeLog
  readonly accounts: Accounts | undefined
  readonly sessions: Sessions
  readonly tries: Tries
  /** Which names are ours. */
  readonly rules: HostRules
  readonly page: Page
  running = 0
  readonly streams: Streams
  private readonly closing = new AbortController()

  /** Throws for what cannot be, or would let anybody in. */
  constructor(options: DashboardOptions) {
    const hosts = (options.allowedHosts ?? []).map(host => host.toLowerCase())
    const opened = hosts.find(host => !isLoopback(hostOf(host)))
    if (opened !== undefined && options.accounts === undefined && options.authorize === undefined)
      throw new Error(`${opened} is a name by which others come: that needs accounts (--accounts FILE)`)
    this.options = options
    // Each request that runs listens to it, and they are bounded.
    this.streams = new Streams(options)
    setMaxListeners(maxRequests + this.streams.most, this.closing.signal)
    this.runtime = options.runtime ?? nodeRuntime()
    const { clock, disk } = this.runtime
    const reading = new ReadBudget(clock, options.maxReadBytes)
    this.clusters = clustersOf(options).map(one => new Cluster(one, { runtime: this.runtime, reading }))
    this.accounts = options.accounts === undefined ? undefined : new Accounts(disk, options.accounts)
    this.rules = { hosts: new Set([...hosts, ...(options.ownHosts ?? [])].map(hostOf)), origins: new Set(hosts) }
    this.sessions = new Sessions(clock)
    this.tries = new Tries(clock)
    this.changes = new ChangeLog({ clock, disk }, options.changesFile)
    this.page = loadPage(disk, options.page)
    const { sampleMs = 10_000 } = options
    if (sampleMs > 0) for (const { history } of this.clusters) history.start(sampleMs)
  }

  /** For `node:http`, and whatever gives its requests and responses on. */
  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(this, request, response)
  }

  /** Aborted by `close`. */
  get closed(): AbortSignal {
    return this.closing.signal
  }

  /** By its name; without one the first. Errors: CLUSTER. */
  clusterNamed(name: string | undefined): Cluster {
    const found = name === undefined ? this.clusters[0] : this.clusters.find(cluster => cluster.name === name)
    if (found !== undefined) return found
    throw new Problem(404, 'CLUSTER', `there is no cluster ${name}: ${this.clusters.map(one => one.name).join(', ')}`)
  }

  /** Ends streams and connections to brokers. */
  async close(): Promise<void> {
    this.closing.abort()
    await Promise.all(this.clusters.map(cluster => cluster.close()))
  }
}

/** A dashboard for a server that there is already: give `handler` its requests. Throws for what cannot be. */
export const createDashboard = (options: DashboardOptions): Dashboard => new Dashboard(options)

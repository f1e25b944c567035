import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopback } from '../access/origin.ts'
import { Dashboard } from '../dashboard.ts'
import type { DashboardOptions } from '../options.ts'

/** What `startDashboard` takes. */
export interface ListenOptions extends DashboardOptions {
  /** Address to listen on. Default 127.0.0.1; any other one needs accounts. */
  readonly host?: string | undefined
  /** 0 finds a free one. */
  readonly port: number
}

/** A dashboard that listens at a port of its own. */
export interface DashboardListener {
  /** `http://127.0.0.1:8090/` */
  readonly url: string
  readonly port: number
  stop(): Promise<void>
}

/** Further connections are closed at once. */
const maxConnections = 512
/** How long a request may take to come. */
const requestMs = 60_000

/** Listens. Throws for an address that is not this machine's own while there are no accounts, and for a port that is taken. */
export async function startDashboard({
  host = '127.0.0.1',
  port,
  ...options
}: ListenOptions): Promise<DashboardListener> {
  if (!isLoopback(host) && options.accounts === undefined && options.authorize === undefined)
    throw new Error(
      `${host} is not an address of this machine alone: make accounts (skua dashboard-account) and give --accounts FILE, or listen on 127.0.0.1`,
    )
  const named = host === '0.0.0.0' || host === '::' ? [] : [host.includes(':') ? `[${host}]` : host]
  const dashboard = new Dashboard({ ...options, ownHosts: named })
  const server = createServer({ maxHeaderSize: 16_384, requestTimeout: requestMs }, dashboard.handler)
  server.maxConnections = maxConnections
  try {
    await listening(server, host, port)
  } catch (error) {
    await dashboard.close()
    throw error
  }
  const { port: bound } = server.address() as AddressInfo
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
  const stop = async () => {
    const closed = new Promise<void>(resolve => server.close(() => resolve()))
    await dashboard.close()
    server.closeAllConnections()
    await closed
  }
  return { url: `http://${shown}:${bound}/`, port: bound, stop }
}

const listening = (server: Server, host: string, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Error(`the dashboard's port ${port} is taken: give another one (--port)`)
          : error,
      )
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve()
    })
  })

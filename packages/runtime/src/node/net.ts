import { lookup } from 'node:dns/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { ListenError, NetError } from '../error.ts'
import { defineEvent, type Events, noEvents } from '../event.ts'
import type { Address, ConnectOptions, Listener, ListenOptions, Net, Socket } from '../net.ts'
import { AcceptBurst } from './accept-burst.ts'
import { codeOf, reasonOf } from './code.ts'
import { type Reading, readInto, rereading } from './read-buffer.ts'
import { NodeSocket, plainHost } from './socket.ts'
import { connectTls } from './tls-connect.ts'
import { TlsListener } from './tls-listener.ts'
import { handshakeError } from './tls-reason.ts'

export { plainRefused, tlsHandshakeFailed } from './tls-listener.ts'

/** A listening port broke after it had been opened; what is connected stays. */
export const listenerFailed = defineEvent<{ host: string; port: number; code: string }>('listener failed', 'error')

/** Connections the kernel holds for us while the loop is busy; it caps this at net.core.somaxconn. */
const backlog = 1_024

export const defaultConnectTimeoutMs = 3_000

/** TCP through node:net; noDelay everywhere, no half-open connections. */
export class NodeNet implements Net {
  private readonly events: Events

  constructor(events: Events = noEvents) {
    this.events = events
  }

  /** Port 0 finds a free one; an empty host, 0.0.0.0 and :: mean every address. Errors: NetError with EADDRINUSE, EADDRNOTAVAIL, EACCES. */
  async listen(at: Address, accept: (socket: Socket) => void, options: ListenOptions = {}): Promise<Listener> {
    const { tls, room, crowd = { waiting: 0 }, crowded } = options
    const secure = tls === undefined || tls.mode === 'disabled' ? undefined : new TlsListener(tls, this.events)
    return new Promise((resolve, reject) => {
      const burst = new AcceptBurst()
      const server = createServer({ noDelay: true, allowHalfOpen: false, pauseOnConnect: true }, tcp => {
        // Those that wait to begin have a descriptor each already.
        if (room !== undefined && crowd.waiting >= room()) {
          crowded?.({ host: plainHost(tcp.remoteAddress ?? ''), port: tcp.remotePort ?? 0 })
          tcp.destroy()
          return
        }
        crowd.waiting++
        burst.add(() => {
          crowd.waiting--
          if (server.listening) accept(accepted(tcp, secure))
          else tcp.destroy()
        })
      })
      const onError = (error: Error) => {
        reject(new ListenError(codeOf(error), at, { reason: reasonOf(error), cause: error }))
      }
      server.once('error', onError)
      // As Java does: every address of both families.
      const isAny = at.host === '' || at.host === '0.0.0.0' || at.host === '::'
      const where = { port: at.port, backlog, ...(isAny ? {} : { host: at.host }) }
      server.listen(where, () => {
        const { address, port } = server.address() as AddressInfo
        server.off('error', onError)
        server.on('error', error => {
          this.events.emit(listenerFailed({ host: at.host, port, code: codeOf(error) }))
        })
        resolve({ address: { host: plainHost(address), port }, close: () => closeListener(server) })
      })
    })
  }

  /** Errors: NetError with the system's code or ETIMEOUT; the signal's reason when it was aborted. */
  connect(to: Address, options: ConnectOptions = {}): Promise<Socket> {
    const { timeoutMs = defaultConnectTimeoutMs, signal, tls } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const reading: Reading | undefined = tls === undefined ? { handler: undefined } : undefined
      const tcp = reading === undefined ? connectTls(to, tls!) : connectPlain(to, reading)
      const ready = tls === undefined ? 'connect' : 'secureConnect'
      let connected = false
      // Nothing is read before somebody takes it; TLS must read to shake hands, and keeps what comes behind it.
      if (tls === undefined) tcp.pause()
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        tcp.off(ready, onConnect)
      }
      const fail = (error: unknown) => {
        settle()
        tcp.destroy()
        reject(error)
      }
      const onError = (error: Error) => {
        const peer = `${to.host}:${to.port}`
        fail(
          connected
            ? handshakeError(peer, error)
            : new NetError(codeOf(error), `cannot connect to ${peer}: ${reasonOf(error)}`, error),
        )
      }
      const onAbort = () => fail(signal?.reason)
      const onConnect = () => {
        settle()
        const socket = new NodeSocket(tcp, { reading })
        tcp.off('error', onError)
        resolve(socket)
      }
      const timer = setTimeout(() => {
        fail(
          new NetError('ETIMEOUT', `cannot connect to ${to.host}:${to.port}: no answer in ${Math.round(timeoutMs)} ms`),
        )
      }, timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      tcp.on('error', onError)
      tcp.once(ready, onConnect)
      if (tls !== undefined) tcp.once('connect', () => (connected = true))
    })
  }

  async resolve(host: string): Promise<string | undefined> {
    try {
      return (await lookup(host)).address
    } catch {
      return undefined
    }
  }

  ownAddresses(): readonly string[] {
    return Object.values(networkInterfaces())
      .flatMap(entries => entries ?? [])
      .filter(entry => entry.family === 'IPv4' && !entry.internal)
      .map(entry => entry.address)
  }
}

function connectPlain({ host, port }: Address, reading: Reading): TcpSocket {
  return connect({ host, port, noDelay: true, allowHalfOpen: false, onread: readInto(reading) })
}

function accepted(tcp: TcpSocket, tls: TlsListener | undefined): NodeSocket {
  const reading: Reading = { handler: undefined }
  const shared = rereading(tcp, reading)
  return shared === undefined ? new NodeSocket(tcp, { tls }) : new NodeSocket(shared, { reading, tls })
}

/** The port is free when `close` returns; Node's own callback would wait for the last connection. */
async function closeListener(server: Server): Promise<void> {
  if (server.listening) server.close()
}

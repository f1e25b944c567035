import { type AddressInfo, connect, createServer, type Server, type Socket as TcpSocket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { NetError } from '../error.ts'
import { defineEvent, type Events, noEvents } from '../event.ts'
import type { Address, ConnectOptions, Listener, Net, Socket } from '../net.ts'
import { codeOf } from './code.ts'
import { type Reading, readInto, rereading } from './read-buffer.ts'
import { NodeSocket, plainHost } from './socket.ts'

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

  /** Port 0 finds a free one; an empty host means every address. Errors: NetError with EADDRINUSE, EADDRNOTAVAIL, EACCES. */
  listen(at: Address, accept: (socket: Socket) => void): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const server = createServer({ noDelay: true, allowHalfOpen: false, pauseOnConnect: true }, tcp => {
        accept(accepted(tcp))
      })
      const onError = (error: Error) => {
        reject(new NetError(codeOf(error), `cannot listen on ${at.host}:${at.port}: ${reasonOf(error)}`, error))
      }
      server.once('error', onError)
      const options = { port: at.port, backlog, ...(at.host === '' ? {} : { host: at.host }) }
      server.listen(options, () => {
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
    const { timeoutMs = defaultConnectTimeoutMs, signal } = options
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const reading: Reading = { handler: undefined }
      const tcp: TcpSocket = connect({
        host: to.host,
        port: to.port,
        noDelay: true,
        allowHalfOpen: false,
        onread: readInto(reading),
      })
      // Nothing is read before somebody takes it.
      tcp.pause()
      const settle = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        tcp.off('connect', onConnect)
      }
      const fail = (error: unknown) => {
        settle()
        tcp.destroy()
        reject(error)
      }
      const onError = (error: Error) => {
        fail(new NetError(codeOf(error), `cannot connect to ${to.host}:${to.port}: ${reasonOf(error)}`, error))
      }
      const onAbort = () => fail(signal?.reason)
      const onConnect = () => {
        settle()
        const socket = new NodeSocket(tcp, reading)
        tcp.off('error', onError)
        resolve(socket)
      }
      const timer = setTimeout(() => {
        fail(new NetError('ETIMEOUT', `cannot connect to ${to.host}:${to.port}: no answer in ${timeoutMs} ms`))
      }, timeoutMs)
      signal?.addEventListener('abort', onAbort, { once: true })
      tcp.on('error', onError)
      tcp.once('connect', onConnect)
    })
  }

  ownAddresses(): readonly string[] {
    return Object.values(networkInterfaces())
      .flatMap(entries => entries ?? [])
      .filter(entry => entry.family === 'IPv4' && !entry.internal)
      .map(entry => entry.address)
  }
}

function accepted(tcp: TcpSocket): NodeSocket {
  const reading: Reading = { handler: undefined }
  const shared = rereading(tcp, reading)
  return shared === undefined ? new NodeSocket(tcp) : new NodeSocket(shared, reading)
}

/** The port is free when `close` returns; Node's own callback would wait for the last connection. */
async function closeListener(server: Server): Promise<void> {
  if (server.listening) server.close()
}

const reasons: Record<string, string> = {
  EADDRINUSE: 'the address is in use',
  EADDRNOTAVAIL: 'no such address on this machine',
  EACCES: 'not permitted',
  ECONNREFUSED: 'refused',
}

function reasonOf(error: Error): string {
  const code = codeOf(error)
  return reasons[code] ? `${reasons[code]} (${code})` : code === 'EUNKNOWN' ? error.message : code
}

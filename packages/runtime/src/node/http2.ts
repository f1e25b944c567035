import type { ServerHttp2Session } from 'node:http2'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Events, noEvents } from '../event.ts'
import type { HttpListener } from '../http.ts'
import type { Http2, Http2Options, Http2Stream } from '../http2.ts'
import type { Address } from '../net.ts'
import { NodeHttp2Stream } from './http2-stream.ts'
import { listening } from './listening.ts'
import { plainHost } from './socket.ts'
import { handshakeByte, TlsListener } from './tls-listener.ts'

/** Connections that the kernel holds for us while the loop is busy. */
const backlog = 1024
/** How long a connection may take until it has said its first byte. */
const firstByteMs = 10_000
/** After so long of silence the system asks whether the peer's machine is still there. */
const keepAliveMs = 60_000
/** What a peer may send of a stream, and of all of a connection, before it must wait for us. */
const streamWindowBytes = 1024 * 1024
const sessionWindowBytes = 8 * 1024 * 1024
/** Names, values and 32 bytes for each of them. */
const maxHeaderListBytes = 32 * 1024

/** HTTP/2 by node:http2, which is loaded by the first `listen`. */
export class NodeHttp2 implements Http2 {
  private readonly events: Events

  constructor(events: Events = noEvents) {
    this.events = events
  }

  async listen(at: Address, accept: (stream: Http2Stream) => void, options: Http2Options): Promise<HttpListener> {
    const { performServerHandshake } = await import('node:http2')
    const { tls, maxStreams } = options
    const sessions = new Set<ServerHttp2Session>()
    const sockets = new Set<Socket>()
    const begin = (socket: Socket) => {
      const session = performServerHandshake(socket, {
        settings: {
          maxConcurrentStreams: maxStreams,
          initialWindowSize: streamWindowBytes,
          maxHeaderListSize: maxHeaderListBytes,
          enableConnectProtocol: false,
        },
      }) as ServerHttp2Session
      const ends = { ...endsOf(socket), connection: session }
      sessions.add(session)
      // A peer that begins a greeting and does not end it is none.
      const greeting = setTimeout(() => session.destroy(), firstByteMs)
      session.once('remoteSettings', () => clearTimeout(greeting))
      session.once('close', () => clearTimeout(greeting))
      session.once('connect', () => session.setLocalWindowSize(sessionWindowBytes))
      session.on('stream', (stream, headers) => accept(new NodeHttp2Stream(stream, headers, ends)))
      session.on('error', () => socket.destroy())
      session.once('close', () => sessions.delete(session))
    }
    const secure =
      tls === undefined || tls.mode === 'disabled' ? undefined : new TlsListener(tls, this.events, { alpn: ['h2'] })
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, socket => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      greet(socket, { secure, begin })
    })
    server.maxConnections = options.maxConnections
    await listening(server, at, backlog)
    const { address, port } = server.address() as AddressInfo
    return { address: { host: plainHost(address), port }, close: () => closed(server, { sessions, sockets }) }
  }
}

/** TLS or clear text: its first byte tells. */
function greet(
  socket: Socket,
  { secure, begin }: { secure: TlsListener | undefined; begin: (socket: Socket) => void },
): void {
  socket.on('error', () => socket.destroy())
  socket.setTimeout(firstByteMs, () => socket.destroy())
  socket.once('data', chunk => {
    socket.pause()
    socket.setTimeout(0)
    if (chunk[0] === handshakeByte && secure !== undefined) {
      secure.upgrade(socket, chunk, (encrypted: TLSSocket) => {
        encrypted.on('error', () => encrypted.destroy())
        begin(encrypted)
      })
    } else if (secure?.enforcing) secure.refusePlain(socket)
    else {
      socket.unshift(chunk)
      begin(socket)
    }
  })
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): { remote: Address; local: Address } {
  return {
    remote: { host: plainHost(remoteAddress ?? ''), port: remotePort ?? 0 },
    local: { host: plainHost(localAddress ?? ''), port: localPort ?? 0 },
  }
}

/** How long streams that are answered may take to leave. */
const goodbyeMs = 1000

async function closed(
  server: Server,
  { sessions, sockets }: { sessions: ReadonlySet<ServerHttp2Session>; sockets: ReadonlySet<Socket> },
): Promise<void> {
  const isFree = new Promise<void>(resolve => server.close(() => resolve()))
  for (const session of sessions) session.close()
  const timer = setTimeout(() => {
    for (const session of sessions) session.destroy()
    // Those that are still in a handshake, or have said nothing.
    for (const socket of sockets) socket.destroy()
  }, goodbyeMs)
  await isFree
  clearTimeout(timer)
}

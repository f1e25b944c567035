import type { Socket as TcpSocket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { NetError, tlsErrorCode } from '../error.ts'
import { defineEvent, type Events } from '../event.ts'
import type { TlsServer } from '../tls.ts'
import { codeOf } from './code.ts'
import { selfSigned } from './self-signed.ts'

export const tlsHandshakeFailed = defineEvent<{ peer: string; code: string; reason: string }>(
  'TLS handshake failed',
  'warn',
)
export const plainRefused = defineEvent<{ peer: string }>(
  'plain connection refused: tls.server.mode is enforcing',
  'warn',
)

/** The first byte of a TLS connection; a frame begins with 0x00 or 0x01 (remoting.md 1.2). */
export const handshakeByte = 0x16

/** Shakes hands on connections that a plain listener accepted, since one port serves both. */
export class TlsListener {
  readonly enforcing: boolean
  private readonly options: TlsServer
  private readonly events: Events
  /** Connections in their handshake, by their peer's address and port. */
  private readonly waiting = new Map<string, (socket: TLSSocket) => void>()
  private server: Server | undefined

  private readonly alpn: readonly string[] | undefined

  /**
   * `alpn`: protocols to agree on; default: none is spoken of.
   * Errors: NetError ETLS when key and certificate do not fit; without a given identity nothing is made yet.
   */
  constructor(options: TlsServer, events: Events, { alpn }: { readonly alpn?: readonly string[] } = {}) {
    this.options = options
    this.events = events
    this.alpn = alpn
    this.enforcing = options.mode === 'enforcing'
    if (options.identity !== undefined) this.server = this.make()
  }

  /** `begun` are the bytes read so far. `secure` is called once, or never: then the connection closes. */
  upgrade(tcp: TcpSocket, begun: Uint8Array, secure: (socket: TLSSocket) => void): void {
    this.server ??= this.make()
    const peer = peerOf(tcp)
    this.waiting.set(peer, secure)
    tcp.once('close', () => this.waiting.delete(peer))
    tcp.unshift(begun)
    this.server.emit('connection', tcp)
  }

  refusePlain(tcp: TcpSocket): void {
    this.events.emit(plainRefused({ peer: peerOf(tcp) }))
    tcp.destroy()
  }

  private make(): Server {
    let server: Server
    try {
      server = createServer(this.tlsOptions())
    } catch (error) {
      const message = `TLS cannot be served: ${(error as Error).message}: do key and certificate belong together, and are they PEM?`
      throw new NetError(tlsErrorCode, message, error)
    }
    server.on('secureConnection', socket => this.secured(socket))
    server.on('tlsClientError', (error, socket) => this.failed(peerOf(socket), codeOf(error), error.message))
    return server
  }

  private tlsOptions(): TlsOptions {
    const { identity = selfSigned(), clientAuth = 'none', ca } = this.options
    return {
      key: pem(identity.key),
      cert: pem(identity.cert),
      passphrase: identity.passphrase,
      ...(ca === undefined ? {} : { ca: pem(ca) }),
      requestCert: clientAuth !== 'none',
      // What it may lack is looked at when the handshake is done.
      rejectUnauthorized: clientAuth === 'require' && ca !== undefined,
      minVersion: 'TLSv1.2',
      ...(this.alpn === undefined ? {} : { ALPNProtocols: [...this.alpn] }),
    }
  }

  private secured(socket: TLSSocket): void {
    const peer = peerOf(socket)
    const lack = this.lackOf(socket)
    if (lack !== undefined) {
      this.failed(peer, tlsErrorCode, lack)
      socket.destroy()
      return
    }
    const secure = this.waiting.get(peer)
    this.waiting.delete(peer)
    if (secure === undefined) socket.destroy()
    else secure(socket)
  }

  /** Why a client may not come in. */
  private lackOf(socket: TLSSocket): string | undefined {
    const { clientAuth = 'none', ca } = this.options
    if (clientAuth === 'none') return undefined
    const shown = socket.getPeerX509Certificate() !== undefined
    if (!shown) return clientAuth === 'require' ? 'it shows no certificate' : undefined
    if (ca === undefined || socket.authorized) return undefined
    return `its certificate is not trusted: ${socket.authorizationError}`
  }

  private failed(peer: string, code: string, reason: string): void {
    this.events.emit(tlsHandshakeFailed({ peer, code, reason }))
  }
}

const peerOf = (socket: TcpSocket): string => `${socket.remoteAddress}:${socket.remotePort}`

/** Node wants a Buffer where it takes bytes. */
export const pem = (given: string | Uint8Array): string | Buffer =>
  typeof given === 'string' ? given : Buffer.from(given.buffer, given.byteOffset, given.byteLength)

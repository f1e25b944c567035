import type { Socket as TcpSocket } from 'node:net'
import { NetError, tlsErrorCode } from '../error.ts'
import type { Address, Socket, SocketHandlers } from '../net.ts'
import { codeOf } from './code.ts'
import type { Reading } from './read-buffer.ts'
import { handshakeByte, type TlsListener } from './tls-listener.ts'
import { tlsReason } from './tls-reason.ts'

/** How long an ended connection waits for the peer's own end before it is cut. */
export const lingerMs = 1_000

/** How long the last bytes of an ended connection may stand still: its peer reads nothing, and may be stopped for ever. */
export const stuckMs = 30_000

const mapped = '::ffff:'

/** A dual-stack listener shows IPv4 peers as `::ffff:1.2.3.4`; RocketMQ's formats want `1.2.3.4`. */
export function plainHost(host: string): string {
  return host.toLowerCase().startsWith(mapped) && host.includes('.') ? host.slice(mapped.length) : host
}

/** A connected TCP socket. It listens for errors from its first moment; `closed` before `start` is told at `start`. */
export class NodeSocket implements Socket {
  readonly remote: Address
  readonly local: Address
  /** Replaced once, when the first byte asks for TLS. */
  private tcp: TcpSocket
  private readonly reading: Reading | undefined
  private readonly tls: TlsListener | undefined
  private handlers: SocketHandlers | undefined
  private error: NetError | undefined
  private gone = false
  private ending = false
  private unsent = false
  private lingering: NodeJS.Timeout | undefined

  /**
   * `reading`: where a paused socket with the `onread` option brings its chunks; others are listened to for 'data'.
   * `tls`: an accepted connection may ask for TLS with its first byte.
   */
  constructor(tcp: TcpSocket, { reading, tls }: { reading?: Reading | undefined; tls?: TlsListener | undefined } = {}) {
    this.tcp = tcp
    this.reading = reading
    this.tls = tls
    this.remote = { host: plainHost(tcp.remoteAddress ?? ''), port: tcp.remotePort ?? 0 }
    this.local = { host: plainHost(tcp.localAddress ?? ''), port: tcp.localPort ?? 0 }
    this.watch(tcp)
  }

  private watch(tcp: TcpSocket): void {
    tcp.on('error', error => {
      const reason = tlsReason(error)
      const message =
        reason === undefined ? error.message : `TLS with ${this.remote.host}:${this.remote.port}: ${reason}`
      this.error ??= new NetError(reason === undefined ? codeOf(error) : tlsErrorCode, message, error)
    })
    tcp.on('close', () => {
      if (this.gone) return
      this.gone = true
      clearTimeout(this.lingering)
      this.handlers?.closed(this.error)
    })
  }

  get unsentBytes(): number {
    return this.tcp.writableLength
  }

  start(handlers: SocketHandlers): void {
    if (this.handlers !== undefined) throw new Error('a socket is started once')
    this.handlers = handlers
    if (this.gone) {
      setImmediate(() => handlers.closed(this.error))
      return
    }
    const onData = (chunk: Buffer) => {
      if (!this.ending) handlers.data(chunk)
    }
    this.read(this.tls === undefined ? onData : this.firstRead(this.tls, onData))
    this.tcp.resume()
  }

  private read(onData: (chunk: Buffer) => void): void {
    if (this.reading !== undefined) this.reading.handler = onData
    else this.tcp.removeAllListeners('data').on('data', onData)
  }

  /** Looks at the first byte of the connection, then gets out of the way. */
  private firstRead(tls: TlsListener, onData: (chunk: Buffer) => void): (chunk: Buffer) => void {
    return chunk => {
      if (chunk[0] === handshakeByte) {
        const { tcp } = this
        tcp.pause()
        if (this.reading === undefined) tcp.removeAllListeners('data')
        tls.upgrade(tcp, Buffer.from(chunk), secured => this.secured(secured, onData))
      } else if (tls.enforcing) tls.refusePlain(this.tcp)
      else {
        this.read(onData)
        onData(chunk)
      }
    }
  }

  private secured(tcp: TcpSocket, onData: (chunk: Buffer) => void): void {
    this.tcp = tcp
    this.watch(tcp)
    tcp.on('data', onData)
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.ending || this.tcp.destroyed || parts.length === 0) return
    this.unsent = true
    if (parts.length === 1) {
      this.tcp.write(parts[0]!, this.onWritten)
      return
    }
    this.tcp.cork()
    const last = parts.length - 1
    for (let i = 0; i < last; i++) this.tcp.write(parts[i]!)
    this.tcp.write(parts[last]!, this.onWritten)
    this.tcp.uncork()
  }

  pause(): void {
    this.tcp.pause()
  }

  resume(): void {
    this.tcp.resume()
  }

  /**
   * What still arrives is read and dropped until the peer ends as well, for at most `lingerMs`: closing with unread
   * bytes makes the system send a reset, which may take our last answer away from the peer.
   */
  end(): void {
    if (this.ending || this.tcp.destroyed) return
    this.ending = true
    this.tcp.end(() => {
      clearTimeout(this.lingering)
      if (!this.gone) this.lingering = setTimeout(() => this.tcp.destroy(), lingerMs)
    })
    this.cutWhenStuck()
    this.tcp.resume()
  }

  /** Nobody waits for a connection that was ended: without this one whose peer is stopped would keep the process from its end. */
  private cutWhenStuck(): void {
    const left = queuedBytes(this.tcp)
    if (left === 0 || this.gone) return
    this.lingering = setTimeout(() => {
      if (queuedBytes(this.tcp) >= left) this.tcp.destroy()
      else this.cutWhenStuck()
    }, stuckMs)
  }

  destroy(): void {
    this.tcp.destroy()
  }

  /** One function for every write: Node then joins the callbacks of writes that were taken at once. */
  private readonly onWritten = (error?: Error | null) => {
    if (error || this.gone || !this.unsent || this.tcp.writableLength > 0) return
    this.unsent = false
    this.handlers?.drained()
  }
}

/** Bytes that the system has not taken: Node counts a write as a whole until it is done, its handle each byte. */
function queuedBytes(tcp: TcpSocket): number {
  const handle = (tcp as unknown as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle
  return tcp.writableLength === 0 ? 0 : (handle?.writeQueueSize ?? tcp.writableLength)
}

import type { TlsClient, TlsServer } from './tls.ts'

/** An IP address in text form and a port. */
export interface Address {
  readonly host: string
  readonly port: number
}

export interface SocketHandlers {
  /** The chunk is only valid until this returns. */
  data(chunk: Buffer): void
  /** All bytes handed to `write` have left for the kernel. */
  drained(): void
  /** Called exactly once, whoever closed. */
  closed(error?: Error): void
}

/** One connection as a stream of bytes. No data arrives before `start`. */
export interface Socket {
  readonly remote: Address
  readonly local: Address
  /** Bytes handed over and not yet taken by the kernel. */
  readonly unsentBytes: number
  start(handlers: SocketHandlers): void
  /** Several parts go out as one write where the system can; the bytes must stay unchanged until they are sent. */
  write(parts: readonly Uint8Array[]): void
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Closes at once; what is queued is lost. */
  destroy(): void
}

export interface Listener {
  readonly address: Address
  /** Takes no new connection; those that exist stay. */
  close(): Promise<void>
}

export interface ConnectOptions {
  /** Milliseconds until the attempt fails; default 3000. */
  timeoutMs?: number
  signal?: AbortSignal
  /** Default: plain bytes. */
  tls?: TlsClient | undefined
}

export interface ListenOptions {
  /** Default: mode `disabled`. */
  tls?: TlsServer | undefined
  /** How many further connections may be taken; asked for each before it costs anything. Default: any number. */
  room?: (() => number) | undefined
  /** Counts connections that are taken and have not begun, of all listeners that are given the same one. Default: one of its own. */
  crowd?: { waiting: number } | undefined
  /** Told of those for which there was none, and which are closed. */
  crowded?: ((peer: Address) => void) | undefined
}

/** The network as it is passed in. Every socket has TCP_NODELAY. */
export interface Net {
  listen(at: Address, accept: (socket: Socket) => void, options?: ListenOptions): Promise<Listener>
  connect(to: Address, options?: ConnectOptions): Promise<Socket>
  /** IPv4 addresses of this machine which are not loopback, in the system's order. */
  ownAddresses(): readonly string[]
  /** The first address that a host name leads to; undefined where it leads nowhere. */
  resolve(host: string): Promise<string | undefined>
}

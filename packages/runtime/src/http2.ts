import type { HttpListener } from './http.ts'
import type { Address } from './net.ts'
import type { TlsServer } from './tls.ts'

export interface Http2Handlers {
  /** The bytes stay as they are. */
  data(chunk: Buffer): void
  /** The peer has sent all that it will. */
  ended(): void
  /** Called exactly once, whoever ended it. */
  closed(): void
}

/** A request of HTTP/2, and the way for its answer. Nothing arrives before `start`. */
export interface Http2Stream {
  readonly method: string
  readonly path: string
  /** The host and port that the peer asked for. */
  readonly authority: string
  readonly remote: Address
  readonly local: Address
  /** The same for all streams of a connection, and for no other. */
  readonly connection: object
  /** Whether nobody has ended it. */
  readonly open: boolean
  /** Bytes handed over and not yet taken by the connection. */
  readonly unsentBytes: number
  header(name: string): string | undefined
  start(handlers: Http2Handlers): void
  /** The head of the answer; trailers will follow. */
  respond(headers: Readonly<Record<string, string>>): void
  /** `taken` is told once: true when the connection has taken them, false where the stream was over before. */
  write(bytes: Uint8Array, taken?: (isTaken: boolean) => void): void
  end(trailers: Readonly<Record<string, string>>): void
  /** An answer that is only a head, or a head and one text for people; what the peer goes on sending is not wanted. */
  refuse(headers: Readonly<Record<string, string>>, text?: string): void
  /** Ends it without an answer. */
  reset(): void
}

export interface Http2Options {
  /** Default: mode `disabled`. */
  readonly tls?: TlsServer | undefined
  /** Further connections are closed at once. */
  readonly maxConnections: number
  /** Of one connection at the same time; further ones are refused by the protocol's own means. */
  readonly maxStreams: number
}

/** A server of HTTP/2, with TLS (ALPN h2) and in clear text with prior knowledge on one port. */
export interface Http2 {
  /** Port 0 finds a free one. Errors: NetError, as of `Net.listen`. */
  listen(at: Address, accept: (stream: Http2Stream) => void, options: Http2Options): Promise<HttpListener>
}

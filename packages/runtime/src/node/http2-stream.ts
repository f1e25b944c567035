import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { Http2Handlers, Http2Stream } from '../http2.ts'
import type { Address } from '../net.ts'

/** How long a peer has to take the text of a refusal. */
const refusalMs = 10_000

/** A stream of node:http2. Errors of it are ends: the peer is told by the protocol. */
export class NodeHttp2Stream implements Http2Stream {
  readonly remote: Address
  readonly local: Address
  readonly connection: object
  private readonly stream: ServerHttp2Stream
  private readonly headers: IncomingHttpHeaders
  private trailers: Readonly<Record<string, string>> = {}

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    { remote, local, connection }: { remote: Address; local: Address; connection: object },
  ) {
    this.stream = stream
    this.connection = connection
    this.headers = headers
    this.remote = remote
    this.local = local
    stream.on('error', () => {})
  }

  get method(): string {
    return String(this.headers[constants.HTTP2_HEADER_METHOD] ?? '')
  }

  get path(): string {
    return String(this.headers[constants.HTTP2_HEADER_PATH] ?? '')
  }

  get authority(): string {
    return String(this.headers[constants.HTTP2_HEADER_AUTHORITY] ?? this.headers.host ?? '')
  }

  get open(): boolean {
    return !this.stream.destroyed && !this.stream.closed
  }

  get unsentBytes(): number {
    return this.stream.writableLength
  }

  header(name: string): string | undefined {
    const value = this.headers[name]
    return Array.isArray(value) ? value.join(',') : value
  }

  start({ data, ended, closed }: Http2Handlers): void {
    const { stream } = this
    stream.on('data', data)
    stream.on('end', ended)
    stream.once('close', closed)
  }

  respond(headers: Readonly<Record<string, string>>): void {
    const { stream } = this
    if (!this.open) return
    stream.once('wantTrailers', () => {
      if (this.open) stream.sendTrailers(this.trailers)
    })
    stream.respond({ [constants.HTTP2_HEADER_STATUS]: 200, ...headers }, { waitForTrailers: true })
  }

  write(bytes: Uint8Array, taken?: (isTaken: boolean) => void): void {
    if (!this.open) taken?.(false)
    else if (taken === undefined) this.stream.write(bytes)
    // A stream that the peer resets fails none of its writes: they end without an error.
    else this.stream.write(bytes, error => taken(!error && !this.stream.aborted))
  }

  end(trailers: Readonly<Record<string, string>>): void {
    this.trailers = trailers
    if (!this.open) return
    this.stream.once('finish', () => this.leave())
    this.stream.end()
  }

  refuse(headers: Readonly<Record<string, string>>, text?: string): void {
    const { stream } = this
    if (!this.open) return
    const isHead = text === undefined || this.method === constants.HTTP2_METHOD_HEAD
    stream.respond({ [constants.HTTP2_HEADER_STATUS]: 200, ...headers }, { endStream: isHead })
    if (isHead) {
      this.leave()
      return
    }
    // A peer whose window is closed takes no text.
    const timer = setTimeout(() => this.reset(), refusalMs)
    stream.once('close', () => clearTimeout(timer))
    stream.once('finish', () => this.leave())
    stream.end(text)
  }

  /** What the peer goes on sending is not wanted: it is told so, without an error. */
  private leave(): void {
    if (!this.stream.readableEnded) this.stream.close(constants.NGHTTP2_NO_ERROR)
  }

  reset(): void {
    if (this.open) this.stream.close(constants.NGHTTP2_CANCEL)
  }
}

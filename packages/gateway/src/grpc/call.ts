import type { Clock, Http2Stream, Timer } from '@skua-mq/runtime'
import { ProtoError } from '../proto/reader.ts'
import { FrameReader, framed } from './frames.ts'
import { GrpcError, GrpcStatus } from './grpc-error.ts'
import type { CallContext, Duplex, Method } from './method.ts'
import type { Holder, Shares } from './shares.ts'
import { timeoutOf } from './timeout.ts'

export interface CallParts {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly maxMessageBytes: number
  /** Most bytes that may wait for a client that does not read. */
  readonly maxUnsentBytes: number
  /** Memory of incomplete requests. */
  readonly carried: Shares<Call>
  /** Bytes of answers that wait for their clients. */
  readonly owed: Shares<Call>
  /** Called once when it is over and the stream is closed. */
  readonly closed: (call: Call) => void
  /** Told of what went wrong on our side. */
  readonly failed: (path: string, error: unknown) => void
}

/** setTimeout's limit is the longest that a deadline is waited for. */
const maxTimerMs = 2_147_483_647

/** Why work for a call is given up; one for all, since each costs a stack. */
const callEnded = new GrpcError(GrpcStatus.cancelled, 'the call has ended')
/** A request, or a message of a stream, that has begun must be whole after so long. */
const maxRequestMs = 60_000
/** A client that has taken nothing of what waits for it for so long does not read. */
const maxStallMs = 60_000
/** Messages of a stream that wait while one is worked on; clients send one in minutes. */
const maxQueued = 16
/** Most bytes that are prepared for a client ahead of what it takes. */
const aheadBytes = 1024 * 1024

const head = { 'content-type': 'application/grpc+proto' }

/** One call: its messages come in, and its answers go out. */
export class Call implements CallContext, Duplex<object, object>, Holder {
  readonly deadlineMs: number
  private readonly stream: Http2Stream
  private readonly method: Method
  private readonly parts: CallParts
  private readonly reader: FrameReader
  /** Made for whoever asks for it: most calls are over before anybody could. */
  private abort: AbortController | undefined
  private isOver = false
  private readonly listeners: (() => void)[] = []
  private listener: ((message: object) => void | Promise<void>) | undefined
  private timer: Timer | undefined
  private messages = 0
  /** Since when a request is not whole; Infinity where none is begun. */
  private begunAtMs: number
  /** Bytes that the connection has not taken, and when it took some. */
  private untaken = 0
  private takenAtMs = 0
  /** Messages of a stream; the first one is being worked on. */
  private readonly queue: object[] = []
  private readonly waiting: (() => void)[] = []
  private hasHead = false
  private isEnded = false

  constructor(stream: Http2Stream, method: Method, parts: CallParts) {
    this.stream = stream
    this.method = method
    this.parts = parts
    this.reader = new FrameReader({
      maxBytes: Math.min(parts.maxMessageBytes, method.maxRequestBytes ?? parts.maxMessageBytes),
      held: bytes => parts.carried.add(this, bytes),
    })
    this.begunAtMs = method.kind === 'both' ? Number.POSITIVE_INFINITY : parts.clock.monotonic()
    const timeoutMs = timeoutOf(stream.header('grpc-timeout'))
    this.deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : parts.clock.monotonic() + timeoutMs
    if (timeoutMs !== undefined)
      this.timer = parts.clock.after(Math.min(timeoutMs, maxTimerMs), () =>
        this.end(new GrpcError(GrpcStatus.deadlineExceeded, 'the deadline of the call is over')),
      )
  }

  get connection(): object {
    return this.stream.connection
  }

  get remote() {
    return this.stream.remote
  }

  get local() {
    return this.stream.local
  }

  get authority(): string {
    return this.stream.authority
  }

  get signal(): AbortSignal {
    this.abort ??= new AbortController()
    if (this.isOver) this.abort.abort(callEnded)
    return this.abort.signal
  }

  get open(): boolean {
    return !this.isEnded && this.stream.open
  }

  header(name: string): string | undefined {
    return this.stream.header(name)
  }

  start(): void {
    this.stream.start({
      data: chunk => this.data(chunk),
      ended: () => this.peerEnded(),
      closed: () => this.gone(),
    })
    if (this.method.kind === 'both') this.guarded(async () => this.method.both?.(this as never, this))
  }

  onMessage(listener: (message: object) => void | Promise<void>): void {
    this.listener = listener
  }

  onClosed(listener: () => void): void {
    this.listeners.push(listener)
  }

  send(answer: object, taken?: () => void): boolean {
    if (!this.open) return false
    const bytes = framed(this.method.response.encode(answer))
    if (this.untaken + bytes.length > this.parts.maxUnsentBytes) {
      this.end(new GrpcError(GrpcStatus.resourceExhausted, 'the client does not read its answers (grpcMaxUnsentBytes)'))
      return false
    }
    if (!this.hasHead) this.stream.respond(head)
    this.hasHead = true
    this.put(bytes, taken)
    return this.open
  }

  private put(bytes: Buffer, taken: (() => void) | undefined): void {
    const { clock, owed } = this.parts
    if (this.untaken === 0) this.takenAtMs = clock.monotonic()
    this.untaken += bytes.length
    this.stream.write(bytes, isTaken => {
      this.untaken -= bytes.length
      this.takenAtMs = clock.monotonic()
      if (isTaken) taken?.()
      owed.add(this, -bytes.length)
      if (this.untaken === 0) for (const tell of this.waiting.splice(0)) tell()
    })
    owed.add(this, bytes.length)
  }

  idle(): Promise<void> {
    if (this.untaken === 0) return Promise.resolve()
    return new Promise(resolve => this.waiting.push(resolve))
  }

  async room(): Promise<boolean> {
    if (this.untaken >= aheadBytes) await this.idle()
    return this.open
  }

  /** Ends it without a word, and lets go of all that waits for the client. */
  cut(): void {
    this.stream.reset()
    this.gone()
  }

  /** Ends it where its client has stopped in the middle of a request or of an answer. */
  check(nowMs: number): void {
    if (nowMs - this.begunAtMs > maxRequestMs)
      this.end(new GrpcError(GrpcStatus.deadlineExceeded, `a request that is not whole after ${maxRequestMs} ms`))
    if (this.untaken > 0 && nowMs - this.takenAtMs > maxStallMs) this.cut()
  }

  end(error?: Error): void {
    if (this.isEnded) return
    this.isEnded = true
    this.begunAtMs = Number.POSITIVE_INFINITY
    this.timer?.cancel()
    const trailers = trailersOf(error)
    if (!this.hasHead && error !== undefined) this.stream.refuse({ ...head, ...trailers })
    else {
      if (!this.hasHead) this.stream.respond(head)
      this.stream.end(trailers)
    }
    this.over()
  }

  private data(chunk: Buffer): void {
    if (this.isEnded) return
    try {
      for (const bytes of this.reader.push(chunk)) this.message(this.method.request.decode(bytes))
    } catch (error) {
      this.fail(error)
      return
    }
    const isWhole = this.reader.isBetween && (this.method.kind === 'both' || this.messages > 0)
    if (isWhole) this.begunAtMs = Number.POSITIVE_INFINITY
    else if (this.begunAtMs === Number.POSITIVE_INFINITY) this.begunAtMs = this.parts.clock.monotonic()
  }

  private message(request: object): void {
    const { kind } = this.method
    if (kind !== 'both' && ++this.messages > 1)
      throw new GrpcError(GrpcStatus.internal, 'a call of this method has one request')
    if (kind === 'both') this.next(request)
    else if (kind === 'unary')
      this.guarded(async () => {
        const answer = await this.method.unary!(request as never, this)
        if (this.send(answer)) this.end()
      })
    else
      this.guarded(async () => {
        await this.method.server!(request as never, this as never, this)
        this.end()
      })
  }

  /** One after the other: the second settings of a client must not be answered before the first. */
  private next(request: object): void {
    if (this.queue.length >= maxQueued)
      throw new GrpcError(GrpcStatus.resourceExhausted, `${maxQueued} messages of this stream wait already`)
    this.queue.push(request)
    if (this.queue.length === 1) this.guarded(() => this.work())
  }

  private async work(): Promise<void> {
    for (;;) {
      const request = this.queue[0]
      if (request === undefined || this.isEnded) break
      await this.listener?.(request)
      this.queue.shift()
    }
    this.queue.length = 0
  }

  private guarded(work: () => Promise<void>): void {
    work().catch(error => this.fail(error))
  }

  private fail(error: unknown): void {
    if (error instanceof GrpcError) this.end(error)
    else if (error instanceof ProtoError)
      this.end(new GrpcError(GrpcStatus.internal, `the request cannot be read: ${error.message}`))
    else {
      if (this.open) this.parts.failed(this.method.path, error)
      this.end(new GrpcError(GrpcStatus.internal, String(error)))
    }
  }

  private peerEnded(): void {
    if (this.method.kind === 'both') this.end()
    else if (this.messages === 0) this.end(new GrpcError(GrpcStatus.internal, 'the call ended before its request'))
  }

  private gone(): void {
    this.isEnded = true
    this.timer?.cancel()
    this.over()
    this.parts.closed(this)
  }

  private over(): void {
    this.reader.clear()
    if (this.isOver) return
    this.isOver = true
    this.abort?.abort(callEnded)
    for (const listener of this.listeners.splice(0)) listener()
  }
}

function trailersOf(error: Error | undefined): Record<string, string> {
  if (error === undefined) return { 'grpc-status': '0' }
  const status = error instanceof GrpcError ? error.status : GrpcStatus.internal
  return { 'grpc-status': String(status), 'grpc-message': percent(error.message) }
}

/** As gRPC has texts in a header: what is not printable ASCII as %XX. */
export const percent = (text: string): string =>
  [...Buffer.from(text.slice(0, 1000))]
    .map(byte =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')

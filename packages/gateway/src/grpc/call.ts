import type { Clock, Http2Stream, Timer } from '@skua-mq/runtime'
import { ProtoError } from '../proto/reader.ts'
import { type CarryBudget, FrameReader, framed } from './frames.ts'
import { GrpcError, GrpcStatus } from './grpc-error.ts'
import type { CallContext, Duplex, Method } from './method.ts'
import { timeoutOf } from './timeout.ts'

export interface CallParts {
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
  readonly maxMessageBytes: number
  /** Most bytes that may wait for a client that does not read. */
  readonly maxUnsentBytes: number
  readonly budget: CarryBudget
  /** Told of what went wrong on our side. */
  readonly failed: (path: string, error: unknown) => void
}

/** setTimeout's limit is the longest that a deadline is waited for. */
const maxTimerMs = 2_147_483_647

/** Why work for a call is given up; one for all, since each costs a stack. */
const callEnded = new GrpcError(GrpcStatus.cancelled, 'the call has ended')

const head = { 'content-type': 'application/grpc+proto' }

/** One call: its messages come in, and its answers go out. */
export class Call implements CallContext, Duplex<object, object> {
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
  private hasHead = false
  private isEnded = false

  constructor(stream: Http2Stream, method: Method, parts: CallParts) {
    this.stream = stream
    this.method = method
    this.parts = parts
    this.reader = new FrameReader({ maxBytes: parts.maxMessageBytes, budget: parts.budget })
    const timeoutMs = timeoutOf(stream.header('grpc-timeout'))
    this.deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : parts.clock.monotonic() + timeoutMs
    if (timeoutMs !== undefined)
      this.timer = parts.clock.after(Math.min(timeoutMs, maxTimerMs), () =>
        this.end(new GrpcError(GrpcStatus.deadlineExceeded, 'the deadline of the call is over')),
      )
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

  send(answer: object): boolean {
    if (!this.open) return false
    const bytes = framed(this.method.response.encode(answer))
    if (this.stream.unsentBytes + bytes.length > this.parts.maxUnsentBytes) {
      this.end(new GrpcError(GrpcStatus.resourceExhausted, 'the client does not read its answers (grpcMaxUnsentBytes)'))
      return false
    }
    if (!this.hasHead) this.stream.respond(head)
    this.hasHead = true
    this.stream.write(bytes)
    return true
  }

  end(error?: Error): void {
    if (this.isEnded) return
    this.isEnded = true
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
    }
  }

  private message(request: object): void {
    const { kind } = this.method
    if (kind !== 'both' && ++this.messages > 1)
      throw new GrpcError(GrpcStatus.internal, 'a call of this method has one request')
    if (kind === 'both') this.guarded(async () => this.listener?.(request))
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
const percent = (text: string): string =>
  [...Buffer.from(text.slice(0, 1000))]
    .map(byte =>
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('')

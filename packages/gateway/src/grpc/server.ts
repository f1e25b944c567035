import {
  type Address,
  type Clock,
  every,
  type Http2,
  type Http2Stream,
  type HttpListener,
  type Timer,
  type TlsServer,
} from '@skua-mq/runtime'
import { Call, type CallParts, percent } from './call.ts'
import { GrpcError, GrpcStatus } from './grpc-error.ts'
import type { Method } from './method.ts'
import { Shares } from './shares.ts'

export interface GrpcServerParts {
  readonly http2: Http2
  readonly clock: Clock
  readonly listen: Address
  readonly tls?: TlsServer | undefined
  readonly methods: readonly Method[]
  readonly limits: GrpcLimits
  readonly failed: (path: string, error: unknown) => void
}

export interface GrpcLimits {
  readonly maxConnections: number
  readonly maxStreams: number
  readonly maxMessageBytes: number
  readonly maxCarryBytes: number
  readonly maxUnsentBytes: number
  readonly maxOwedBytes: number
  readonly maxCalls: number
}

/** How often calls are looked at whose clients may have stopped. */
const checkMs = 5000

/** Takes calls of gRPC over HTTP/2 and gives each to its method. */
export class GrpcServer {
  private readonly parts: GrpcServerParts
  private readonly methods: ReadonlyMap<string, Method>
  private readonly call: CallParts
  private readonly calls = new Set<Call>()
  private timer: Timer | undefined
  private listener: HttpListener | undefined

  constructor(parts: GrpcServerParts) {
    this.parts = parts
    const { clock, limits, failed } = parts
    this.methods = new Map(parts.methods.map(method => [method.path, method]))
    const { maxMessageBytes, maxUnsentBytes } = limits
    this.call = {
      ...{ clock, failed, maxMessageBytes, maxUnsentBytes },
      carried: new Shares(limits.maxCarryBytes, call => call.end(crowded('grpcMaxCarryBytes'))),
      owed: new Shares(limits.maxOwedBytes, call => call.cut()),
      closed: call => this.calls.delete(call),
    }
  }

  /** Where it listens; undefined where it does not. */
  get address(): Address | undefined {
    return this.listener?.address
  }

  async start(): Promise<void> {
    const { http2, listen, tls, limits } = this.parts
    const { maxConnections, maxStreams } = limits
    this.listener = await http2.listen(listen, stream => this.accept(stream), { tls, maxConnections, maxStreams })
    this.timer = every(this.parts.clock, checkMs, () => this.check())
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    await this.listener?.close()
    this.listener = undefined
  }

  private check(): void {
    const now = this.parts.clock.monotonic()
    for (const call of this.calls) call.check(now)
  }

  private accept(stream: Http2Stream): void {
    const type = stream.header('content-type') ?? ''
    if (stream.method !== 'POST' || !/^application\/grpc(\+proto)?($|;)/.test(type)) {
      const status = stream.method === 'POST' ? '415' : '405'
      stream.refuse({ ':status': status, 'content-type': 'text/plain' }, noGrpc)
      return
    }
    const method = this.methods.get(stream.path)
    const { maxCalls } = this.parts.limits
    if (method === undefined) refuse(stream, GrpcStatus.unimplemented, `no method ${stream.path.slice(0, 200)}`)
    else if (this.calls.size >= maxCalls)
      refuse(stream, GrpcStatus.unavailable, `${maxCalls} calls are under way (grpcMaxCalls)`)
    else {
      const call = new Call(stream, method, this.call)
      this.calls.add(call)
      call.start()
    }
  }
}

/** What people with a browser or curl read. */
const noGrpc = 'Here listens a gRPC server of RocketMQ: it takes POST with content-type application/grpc.\n'

function refuse(stream: Http2Stream, status: GrpcStatus, message: string): void {
  const told = { 'grpc-status': String(status), 'grpc-message': percent(message) }
  stream.refuse({ 'content-type': 'application/grpc+proto', ...told })
}

const crowded = (limit: string): GrpcError =>
  new GrpcError(GrpcStatus.resourceExhausted, `all peers together hold too much (${limit}): try again later`)

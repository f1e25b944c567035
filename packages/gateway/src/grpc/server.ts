import type { Address, Clock, Http2, Http2Stream, HttpListener, TlsServer } from '@skua-mq/runtime'
import { Call, type CallParts } from './call.ts'
import { CarryBudget } from './frames.ts'
import { GrpcStatus } from './grpc-error.ts'
import type { Method } from './method.ts'

export interface GrpcServerParts {
  readonly http2: Http2
  readonly clock: Pick<Clock, 'monotonic' | 'after'>
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
}

/** Takes calls of gRPC over HTTP/2 and gives each to its method. */
export class GrpcServer {
  private readonly parts: GrpcServerParts
  private readonly methods: ReadonlyMap<string, Method>
  private readonly call: CallParts
  private listener: HttpListener | undefined

  constructor(parts: GrpcServerParts) {
    this.parts = parts
    const { clock, limits, failed } = parts
    this.methods = new Map(parts.methods.map(method => [method.path, method]))
    const { maxMessageBytes, maxUnsentBytes } = limits
    this.call = { clock, failed, maxMessageBytes, maxUnsentBytes, budget: new CarryBudget(limits.maxCarryBytes) }
  }

  /** Where it listens; undefined where it does not. */
  get address(): Address | undefined {
    return this.listener?.address
  }

  async start(): Promise<void> {
    const { http2, listen, tls, limits } = this.parts
    const { maxConnections, maxStreams } = limits
    this.listener = await http2.listen(listen, stream => this.accept(stream), { tls, maxConnections, maxStreams })
  }

  async stop(): Promise<void> {
    await this.listener?.close()
    this.listener = undefined
  }

  private accept(stream: Http2Stream): void {
    const type = stream.header('content-type') ?? ''
    if (stream.method !== 'POST' || !/^application\/grpc(\+proto)?($|;)/.test(type)) {
      stream.refuse({ ':status': stream.method === 'POST' ? '415' : '405' })
      return
    }
    const method = this.methods.get(stream.path)
    if (method === undefined) {
      const status = { 'grpc-status': String(GrpcStatus.unimplemented), 'grpc-message': `no method ${stream.path}` }
      stream.refuse({ 'content-type': 'application/grpc+proto', ...status })
      return
    }
    new Call(stream, method, this.call).start()
  }
}

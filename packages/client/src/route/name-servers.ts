import { getRouteInfoByTopic, type HeaderOf, type RequestSpec, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient, RequestOptions, TypedReply } from '@skua-mq/remoting'
import { type Clock, delay, NetError, type Random, type Timer } from '@skua-mq/runtime'
import { ClientError, reasonOf } from '../error.ts'
import { addressList } from '../options.ts'

/** Java's rhythm of asking the HTTP endpoint again. */
const endpointFirstMs = 10_000
const endpointPeriodMs = 120_000
const endpointTimeoutMs = 3_000

export interface NameServerParts {
  readonly remoting: Pick<RemotingClient, 'request' | 'closeAddress'>
  readonly clock: Clock
  readonly random: Random
  readonly addresses: readonly string[]
  readonly endpoint: string | undefined
  /** Milliseconds until a server that does not answer is left for the next one. */
  readonly timeoutMs: number
}

/** What brokers answer to whoever takes them for a name server. */
function notNameServer(address: string, remark: string | undefined): ClientError {
  const message = `${address} is no name server (${remark ?? 'it does not know the request'}): a broker's address, perhaps; namesrvAddr is mostly port 9876`
  return new ClientError('NAME_SERVER', message, { responseCode: ResponseCode.requestCodeNotSupported })
}

/** The name servers: starts at a random one and stays with it while it answers (client.md 1). */
export class NameServers {
  private readonly parts: NameServerParts
  private list: readonly string[]
  private index = 0
  private timer: Timer | undefined
  private ended = false

  constructor(parts: NameServerParts) {
    this.parts = parts
    this.list = parts.addresses
    if (this.list.length > 0) this.index = parts.random.int(this.list.length)
  }

  get addresses(): readonly string[] {
    return this.list
  }

  /** Asks the endpoint when no address is given. Errors: ClientError NAME_SERVER. */
  async start(): Promise<void> {
    if (this.list.length > 0) return
    if (this.parts.endpoint === undefined) {
      throw new ClientError('NAME_SERVER', 'no name server is known: give namesrvAddr, or set NAMESRV_ADDR')
    }
    await this.askEndpoint(this.parts.endpoint)
    this.again(this.parts.endpoint, endpointFirstMs)
  }

  stop(): void {
    this.ended = true
    this.timer?.cancel()
  }

  /** Asks one after another until one answers. Errors: ClientError NAME_SERVER, retriable; the signal's reason. */
  async request<Q extends RequestSpec<never, never, never, never> | RequestSpec>(
    spec: Q,
    header: HeaderOf<Q>,
    options: RequestOptions = {},
  ): Promise<TypedReply<Q>> {
    const failures: string[] = []
    let cause: unknown
    const count = this.list.length
    for (let tries = 0; tries < count; tries++) {
      const address = this.list[this.index % this.list.length]!
      try {
        const { timeoutMs } = this.parts
        const reply = await this.parts.remoting.request(address, spec, header, { timeoutMs, ...options })
        const isRoute = (spec as RequestSpec).code === getRouteInfoByTopic.code
        if (isRoute && reply.code === ResponseCode.requestCodeNotSupported) throw notNameServer(address, reply.remark)
        return reply
      } catch (error) {
        if (!(error instanceof NetError)) throw error
        cause = error
        failures.push(`${address}: ${error.message}`)
        if (error.code === 'ETIMEOUT') this.parts.remoting.closeAddress(address)
        this.index = (this.index + 1) % this.list.length
      }
    }
    const closed = cause instanceof NetError && cause.code === 'ECLOSED'
    const check = closed
      ? 'check namesrvAddr and the option tls: the server may take only TLS, or want a client certificate'
      : 'check that it runs, and namesrvAddr'
    const retriable = !(cause instanceof NetError) || cause.retriable
    throw new ClientError('NAME_SERVER', `no name server answers (${failures.join('; ')}): ${check}`, {
      cause,
      retriable,
    })
  }

  private again(endpoint: string, ms: number): void {
    if (this.ended) return
    this.timer = this.parts.clock.after(ms, () => {
      // A failed look-up keeps the list that is known.
      this.askEndpoint(endpoint)
        .catch(() => {})
        .finally(() => this.again(endpoint, endpointPeriodMs))
    })
  }

  private async askEndpoint(endpoint: string): Promise<void> {
    const abort = new AbortController()
    const deadline = new AbortController()
    delay(this.parts.clock, endpointTimeoutMs, deadline.signal).then(
      () => abort.abort(new NetError('ETIMEOUT', `no answer in ${endpointTimeoutMs} ms`)),
      () => {},
    )
    try {
      const response = await fetch(endpoint, { signal: abort.signal })
      if (!response.ok) throw new Error(`HTTP status ${response.status}`)
      const found = addressList(await response.text())
      if (found.length === 0) throw new Error('the answer names no address')
      this.list = found
    } catch (error) {
      const message = `${endpoint} gives no name server list: ${reasonOf(error)}`
      throw new ClientError('NAME_SERVER', message, { cause: error, retriable: true })
    } finally {
      deadline.abort()
    }
  }
}

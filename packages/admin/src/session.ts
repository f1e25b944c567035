import { addressList, type Credentials, signer, type TlsOptions, tlsClientOf } from '@skua-mq/client'
import type { BodyOf, HeaderOf, ReplyBodyOf, RequestSpec } from '@skua-mq/protocol'
import { RemotingClient, type TypedReply } from '@skua-mq/remoting'
import { NetError, nodeRuntime, type Runtime } from '@skua-mq/runtime'
import { AdminError, networkAdvice, reasonOf, refused, unanswered } from './error.ts'

/** What `connect` takes. */
export interface AdminOptions {
  /** Name servers, `host:port`, several joined by `;` or as a list. Needed by whatever asks one. */
  readonly namesrvAddr?: string | readonly string[] | undefined
  /** As the client's option: true encrypts and trusts anybody, an object checks the server. Default false. */
  readonly tls?: boolean | TlsOptions | undefined
  /** Account of brokers with access control; requests are signed. */
  readonly credentials?: Credentials | undefined
  /** Longest wait for an answer, ms; what takes brokers long waits three times as long. Default 5000, as Apache's tools. */
  readonly timeoutMs?: number | undefined
  /** Longest try to connect, ms. Default 3000. */
  readonly connectTimeoutMs?: number | undefined
  /** Changes are not sent but noted in `planned`. Default false. */
  readonly dryRun?: boolean | undefined
  /** Clock, network and randomness. Default: this machine's. */
  readonly runtime?: Runtime | undefined
}

type AnySpec = RequestSpec<never, never, never, never> | RequestSpec

/** A request and how to ask it. */
export interface AdminCall<Q> {
  readonly spec: Q
  readonly header?: HeaderOf<Q> | undefined
  readonly body?: BodyOf<Q> | undefined
  /** A body that has no codec: a message. */
  readonly bytes?: Uint8Array | undefined
  /** Default: the session's. */
  readonly timeoutMs?: number | undefined
  /** Codes beside 0 that are answers. */
  readonly allow?: readonly number[] | undefined
  /** Further header fields. */
  readonly extra?: Record<string, string> | undefined
}

/** A change that a dry run did not make. */
export interface PlannedChange {
  readonly address: string
  /** Name of the request in the protocol. */
  readonly request: string
  readonly header: Readonly<Record<string, unknown>>
  readonly body: unknown
}

const noBytes = Buffer.from('{}')

/** Connections to name servers and brokers, opened when needed. Whoever made it closes it; nothing of it is global. */
export class AdminSession {
  readonly runtime: Runtime
  readonly namesrvAddrs: readonly string[]
  readonly timeoutMs: number
  readonly dryRun: boolean
  /** What a dry run would have sent, in order. */
  readonly planned: PlannedChange[] = []
  private readonly remoting: RemotingClient
  private nameServer = 0

  constructor(options: AdminOptions) {
    this.runtime = options.runtime ?? nodeRuntime()
    this.namesrvAddrs = addressList(options.namesrvAddr)
    this.timeoutMs = options.timeoutMs ?? 5_000
    this.dryRun = options.dryRun ?? false
    const { net, clock, turn, events } = this.runtime
    this.remoting = new RemotingClient({
      net,
      clock,
      turn,
      events,
      connectTimeoutMs: options.connectTimeoutMs ?? 3_000,
      tls: tlsClientOf(options.tls),
      ...(options.credentials === undefined ? {} : { sign: signer(options.credentials) }),
    })
  }

  /** Asks one server. Errors: REFUSED for codes other than 0 and `allow`; NETWORK. */
  async ask<Q extends AnySpec>(address: string, call: AdminCall<Q>): Promise<TypedReply<Q>> {
    const at = { address, request: nameOf(call) }
    let reply: TypedReply<Q>
    try {
      reply = await this.send(address, call)
    } catch (error) {
      throw unanswered(at, error)
    }
    if (reply.code !== 0 && !(call.allow ?? []).includes(reply.code)) throw refused(at, reply)
    return reply
  }

  /** As `ask`; the body of the answer. */
  async read<Q extends AnySpec>(address: string, call: AdminCall<Q>): Promise<ReplyBodyOf<Q>> {
    return bodyOf(call.spec, await this.ask(address, call))
  }

  /** As `ask`, for what changes something: in a dry run it is noted, and the answer is undefined. */
  async write<Q extends AnySpec>(address: string, call: AdminCall<Q>): Promise<TypedReply<Q> | undefined> {
    if (!this.dryRun) return this.ask(address, call)
    this.planned.push({ address, request: nameOf(call), header: { ...call.header }, body: call.body })
    return undefined
  }

  /** `write` to each of them, also when one refuses. Errors: that of the only one, or PARTIAL, which names all that failed. */
  async writeEach<Q extends AnySpec>(
    addresses: readonly string[],
    call: AdminCall<Q>,
  ): Promise<{ readonly address: string; readonly reply: TypedReply<Q> | undefined }[]> {
    const done = await Promise.allSettled(addresses.map(address => this.write(address, call)))
    const failures = done.filter(result => result.status === 'rejected').map(({ reason }) => reason)
    if (failures.length === 0)
      return done.map((result, i) => ({
        address: addresses[i]!,
        reply: result.status === 'fulfilled' ? result.value : undefined,
      }))
    if (addresses.length === 1) throw failures[0]
    const took = addresses.filter((_, i) => done[i]!.status === 'fulfilled')
    const taken = took.length === 0 ? 'none of the servers took it' : `taken by ${took.join(', ')}, but not by all`
    throw new AdminError('PARTIAL', `${nameOf(call)} was ${taken}: ${failures.map(reasonOf).join('; ')}`, {
      request: nameOf(call),
      cause: failures[0],
    })
  }

  /** Asks one name server after another until one answers. Errors: NAME_SERVER when none does; REFUSED. */
  async askNameServer<Q extends AnySpec>(call: AdminCall<Q>): Promise<TypedReply<Q>> {
    const addresses = this.nameServers()
    const failures: NetError[] = []
    for (let tries = 0; tries < addresses.length; tries++) {
      const address = addresses[this.nameServer % addresses.length]!
      try {
        const reply = await this.send(address, call)
        if (reply.code !== 0 && !(call.allow ?? []).includes(reply.code))
          throw refused({ address, request: nameOf(call) }, reply)
        return reply
      } catch (error) {
        if (!(error instanceof NetError)) throw error
        failures.push(error)
        this.nameServer++
      }
    }
    const reasons = failures.map(({ message }, i) => `${addresses[i]}: ${message}`).join('; ')
    throw new AdminError('NAME_SERVER', `no name server answers (${reasons}): ${networkAdvice(failures[0]!)}`, {
      request: nameOf(call),
      address: addresses.join(';'),
      cause: failures[0],
    })
  }

  /** As `askNameServer`; the body of the answer. */
  async readNameServer<Q extends AnySpec>(call: AdminCall<Q>): Promise<ReplyBodyOf<Q>> {
    return bodyOf(call.spec, await this.askNameServer(call))
  }

  /** All name servers. Errors: NAME_SERVER when none is known. */
  nameServers(): readonly string[] {
    if (this.namesrvAddrs.length > 0) return this.namesrvAddrs
    throw new AdminError('NAME_SERVER', 'no name server is known: give -n host:port (namesrvAddr), or set NAMESRV_ADDR')
  }

  close(): Promise<void> {
    return this.remoting.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private send<Q extends AnySpec>(address: string, call: AdminCall<Q>): Promise<TypedReply<Q>> {
    const codec = (call.spec as RequestSpec).body
    const body = call.body === undefined ? call.bytes : codec?.encode(call.body)
    const header = (call.header ?? {}) as HeaderOf<Q>
    const { timeoutMs = this.timeoutMs, extra } = call
    return this.remoting.request(address, call.spec, header, { body, timeoutMs, extra })
  }
}

/** A session with these servers; nothing is sent before the first question. */
export const connect = (options: AdminOptions): AdminSession => new AdminSession(options)

const nameOf = (call: { readonly spec: AnySpec }): string => (call.spec as RequestSpec).name

/** An answer without a body has none of its members. */
function bodyOf<Q extends AnySpec>(spec: Q, { body }: TypedReply<Q>): ReplyBodyOf<Q> {
  return (spec as RequestSpec).replyBody!.decode(body ?? noBytes) as ReplyBodyOf<Q>
}

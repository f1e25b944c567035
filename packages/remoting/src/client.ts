import {
  type Command,
  decodeFrame,
  type HeaderOf,
  isResponse,
  type ReplyHeaderOf,
  type RequestSpec,
  readFields,
  skuaVersion,
  writeFields,
} from '@skua-mq/protocol'
import {
  type Address,
  type Clock,
  type Events,
  every,
  type Net,
  NetError,
  noEvents,
  type Timer,
  type TlsClient,
  type Turn,
} from '@skua-mq/runtime'
import { Accounts } from './account.ts'
import { Channel, type ChannelOwner, idleSweepMs } from './channel.ts'
import type { OutgoingCommand } from './connection.ts'
import { Dispatch } from './dispatch.ts'
import { badFrame, handlerFailed } from './events.ts'
import { Admission, overloadGate } from './gate.ts'
import { defaultLimits, type RemotingLimits } from './limits.ts'
import type { Route } from './route.ts'
import { SendQueue } from './send-queue.ts'

export interface RemotingClientOptions {
  readonly net: Net
  readonly clock: Clock
  readonly turn: Turn
  readonly events?: Events
  /** What servers may ask of us: 39, 40, 220 … */
  readonly routes?: readonly Route[]
  /** Number of remoting.md 3.1; default 0, JAVA: 4.9 servers know no NODE_JS. */
  readonly language?: number
  /** Default 409. */
  readonly version?: number
  /** Sees each request last, with all its fields: the place for signing. May add extFields. */
  readonly sign?: (command: OutgoingCommand & { extFields: Record<string, string> }) => void
  readonly limits?: Partial<RemotingLimits>
  /** Default 3000 ms. */
  readonly connectTimeoutMs?: number
  /** Default: plain connections. */
  readonly tls?: TlsClient | undefined
  /** Told when a connection that was open is gone, whoever closed it. */
  readonly onGone?: (address: string) => void
  /** Told when none could be made. */
  readonly onUnreached?: (address: string) => void
}

/** One connection to an address, also before it is there. */
interface Attempt {
  readonly address: string
  /** False once the address was closed: it ends as soon as it is there. */
  isWanted: boolean
  channel: Channel | undefined
}

export interface RequestOptions {
  readonly body?: Uint8Array | undefined
  /** Connect and answer together; default 3000 ms. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Further extFields. */
  readonly extra?: Record<string, string> | undefined
}

export interface TypedReply<Q> {
  /** The server's code as it came, also one that we have no name for. */
  readonly code: number
  readonly remark: string | undefined
  readonly extFields: Readonly<Record<string, string>>
  /** Parsed when asked for; throws HeaderError if the reply lacks a field. */
  readonly header: ReplyHeaderOf<Q>
  readonly body: Uint8Array | undefined
  /** The server's version. */
  readonly version: number
}

/**
 * Whoever asks goes on reading: a server that does not read either, because its answers are not taken, and it would wait
 * for each other for ever.
 */
const asAsker = { pauseAtUnsentBytes: Number.MAX_SAFE_INTEGER, maxRunningRequests: Number.MAX_SAFE_INTEGER }

/** Connections to servers by address, opened when needed and shared by all who ask. */
export class RemotingClient implements ChannelOwner {
  private readonly options: RemotingClientOptions
  private readonly limits: RemotingLimits
  private readonly dispatch: Dispatch
  /** Both from the first connection on: a client that was only made holds nothing. */
  private sends: SendQueue | undefined
  /** The way to each address. */
  private readonly channels = new Map<string, { readonly attempt: Attempt; readonly connecting: Promise<Channel> }>()
  /** With the attempt that each came of: a later one to the same address may have taken its place. */
  private readonly open = new Map<Channel, Attempt>()
  private readonly accounts = new Accounts()
  private idleTimer: Timer | undefined
  private ended = false

  constructor(options: RemotingClientOptions) {
    this.options = options
    this.limits = { ...defaultLimits, ...asAsker, ...options.limits }
    this.dispatch = new Dispatch(options.routes ?? [], {
      events: options.events ?? noEvents,
      admission: new Admission(
        overloadGate(this.limits, this.accounts, () => this.open.size),
        [],
      ),
    })
  }

  async request<Q extends RequestSpec<never, never, never, never> | RequestSpec>(
    address: string,
    spec: Q,
    header: HeaderOf<Q>,
    options: RequestOptions = {},
  ): Promise<TypedReply<Q>> {
    const timeoutMs = options.timeoutMs ?? 3000
    const begun = this.options.clock.monotonic()
    const channel = await this.channel(address, timeoutMs, options.signal)
    const left = timeoutMs - (this.options.clock.monotonic() - begun)
    if (left <= 0) throw new NetError('ETIMEOUT', `no reply from ${address} within ${Math.round(timeoutMs)} ms`)
    const reply = await channel.call(this.outgoing(spec as RequestSpec, header as never, options), left, options.signal)
    return typed(spec as RequestSpec, reply) as TypedReply<Q>
  }

  /** Sends without waiting for an answer; resolves when it is handed to the connection. */
  async tell<Q extends RequestSpec<never, never, never, never> | RequestSpec>(
    address: string,
    spec: Q,
    header: HeaderOf<Q>,
    options: RequestOptions = {},
  ): Promise<void> {
    const channel = await this.channel(address, options.timeoutMs ?? 3000, options.signal)
    channel.tellOrThrow(this.outgoing(spec as RequestSpec, header as never, options))
  }

  /** Whether a connection to an address is open now. */
  isConnected(address: string): boolean {
    return this.channels.get(address)?.attempt.channel?.open === true
  }

  /** Drops the connection to an address that no longer answers, or that the route has lost. */
  closeAddress(address: string): void {
    const known = this.channels.get(address)
    if (known === undefined) return
    this.channels.delete(address)
    known.attempt.isWanted = false
    known.attempt.channel?.close()
  }

  /** Sends what is queued, closes all connections. */
  async close(): Promise<void> {
    if (this.ended) return
    this.ended = true
    this.idleTimer?.cancel()
    // One that is still being made closes itself when it is there: nobody waits for an address that does not answer.
    for (const channel of this.open.keys()) channel.end()
    this.channels.clear()
    this.sends?.leave()
  }

  private outgoing(spec: RequestSpec, header: Record<string, unknown>, options: RequestOptions): OutgoingCommand {
    const extFields = { ...writeFields(spec.header, header), ...options.extra }
    const command = { code: spec.code, extFields, body: options.body }
    this.options.sign?.(command)
    return command
  }

  private async channel(address: string, timeoutMs: number, signal?: AbortSignal): Promise<Channel> {
    if (this.ended) throw new NetError('ECLOSED', 'this client is closed')
    const known = this.channels.get(address)
    if (known !== undefined) {
      const channel = await this.within(known.connecting, { address, timeoutMs, signal })
      if (channel.open) return channel
      this.forget(known.attempt)
      return this.channel(address, timeoutMs, signal)
    }
    const attempt: Attempt = { address, isWanted: true, channel: undefined }
    const connecting = this.connect(attempt, Math.min(timeoutMs, this.options.connectTimeoutMs ?? 3000))
    this.channels.set(address, { attempt, connecting })
    connecting.catch(() => {
      this.forget(attempt)
      if (!this.ended && attempt.isWanted) this.options.onUnreached?.(address)
    })
    return this.within(connecting, { address, timeoutMs, signal })
  }

  /** A connection that somebody else began may take longer than this request may. */
  private within(
    connecting: Promise<Channel>,
    { address, timeoutMs, signal }: { address: string; timeoutMs: number; signal: AbortSignal | undefined },
  ): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const late = () =>
        reject(new NetError('ETIMEOUT', `no connection to ${address} within ${Math.round(timeoutMs)} ms`))
      const timer = this.options.clock.after(timeoutMs, late)
      const onAbort = () => reject(signal?.reason)
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      connecting.then(resolve, reject).finally(() => {
        timer.cancel()
        signal?.removeEventListener('abort', onAbort)
      })
    })
  }

  /** No longer the way to its address, unless another one is by now. */
  private forget(attempt: Attempt): void {
    if (this.channels.get(attempt.address)?.attempt === attempt) this.channels.delete(attempt.address)
  }

  private async connect(attempt: Attempt, timeoutMs: number): Promise<Channel> {
    const { address } = attempt
    const socket = await this.options.net.connect(parseAddress(address), { timeoutMs, tls: this.options.tls })
    if (this.ended || !attempt.isWanted) {
      socket.destroy()
      throw new NetError('ECLOSED', this.ended ? 'this client is closed' : `the connection to ${address} was given up`)
    }
    this.sends ??= new SendQueue(this.options.turn)
    this.idleTimer ??= every(this.options.clock, idleSweepMs, () => this.sweepIdle())
    const channel = new Channel({
      socket,
      owner: this,
      sends: this.sends,
      clock: this.options.clock,
      limits: this.limits,
      accounts: this.accounts,
      language: this.options.language ?? 0,
      version: this.options.version ?? skuaVersion,
    })
    this.open.set(channel, attempt)
    attempt.channel = channel
    channel.start()
    return channel
  }

  frame(channel: Channel, bytes: Buffer, start: number, end: number): void {
    const command = decodeFrame(bytes, start, end)
    // The reader's buffer is reused by the next chunk, while whoever waits reads this later.
    if (command.body !== undefined && !channel.keepFrame()) command.body = Buffer.from(command.body)
    if (isResponse(command)) channel.settle(command)
    else this.dispatch.run(command, channel)
  }

  broken(channel: Channel, error: Error): void {
    this.options.events?.emit(badFrame({ peer: channel.peer, reason: error.message }))
    channel.close()
  }

  unwritable(channel: Channel, code: number, error: unknown): void {
    this.options.events?.emit(handlerFailed({ code, peer: channel.peer, error }))
  }

  carrying(): void {}

  owing(): void {}

  closed(channel: Channel): void {
    const attempt = this.open.get(channel)
    this.open.delete(channel)
    if (attempt === undefined) return
    this.forget(attempt)
    if (!this.ended) this.options.onGone?.(attempt.address)
  }

  private sweepIdle(): void {
    const now = this.options.clock.monotonic()
    for (const channel of this.open.keys()) channel.closeIfIdle(now)
  }
}

function typed(spec: RequestSpec, reply: Command): TypedReply<RequestSpec> {
  return {
    code: reply.code,
    remark: reply.remark,
    extFields: reply.extFields,
    body: reply.body,
    version: reply.version,
    get header() {
      return readFields(spec.reply, reply.extFields)
    },
  }
}

/** `host:port`, also `[v6]:port`. */
export function parseAddress(address: string): Address {
  const colon = address.lastIndexOf(':')
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
  const port = Number(address.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new NetError('EADDRESS', `"${address}" is no address: host:port is wanted`)
  }
  return { host, port }
}

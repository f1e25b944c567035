import { type Clock, every, type Timer } from '@skua-mq/runtime'
import { GrpcError, GrpcStatus } from '../grpc/grpc-error.ts'
import type { CallContext } from '../grpc/method.ts'
import { Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { bytesOf, GrpcClient, languageOf } from './client.ts'
import type { Membership } from './membership.ts'
import type { ClientSettings } from './settings.ts'
import type { User } from './users.ts'

export interface ClientTableParts {
  readonly clock: Clock
  readonly idleMs: number
  readonly most: number
  readonly join: (clientId: string, language: number, user: User) => Membership
  /** It left, or was silent for too long. */
  readonly left: (client: GrpcClient) => Promise<void>
}

/** How often the silent ones are looked for. */
const sweepMs = 10_000

/** Of the settings of one client: 1000 topics with long names, and expressions of the ordinary kind. */
export const maxSettingsBytes = 1024 * 1024
/** Of those of all clients together. */
export const maxAllSettingsBytes = 256 * 1024 * 1024

/** Longest client id; those of the clients are below 100. */
const maxIdLength = 512

/** Clients that were here lately, by their accounts and ids: nobody is another's client by naming its id. */
export class ClientTable {
  private readonly parts: ClientTableParts
  private readonly clients = new Map<string, GrpcClient>()
  private readonly leaving = new Set<Promise<void>>()
  private timer: Timer | undefined
  private bytes = 0

  constructor(parts: ClientTableParts) {
    this.parts = parts
  }

  get size(): number {
    return this.clients.size
  }

  /** What the settings of all of them take, about. */
  get settingsBytes(): number {
    return this.bytes
  }

  start(): void {
    this.timer = every(this.parts.clock, sweepMs, () => this.sweep())
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    for (const client of [...this.clients.values()]) this.end(client)
    await Promise.all(this.leaving)
  }

  /** Who asks, if it was here. Throws Refused with CLIENT_ID_REQUIRED. */
  find(context: CallContext, { account }: Pick<User, 'account'>): GrpcClient | undefined {
    const client = this.clients.get(keyOf(account, idOf(context)))
    if (client !== undefined) client.seenAtMs = this.parts.clock.monotonic()
    return client
  }

  /** Who asks. Throws Refused. */
  get(context: CallContext, user: User): GrpcClient {
    const known = this.find(context, user)
    if (known !== undefined) return known
    const { most, clock, join } = this.parts
    if (this.clients.size >= most)
      throw new Refused(Code.tooManyRequests, `${most} clients are here already (grpcMaxClients)`)
    const id = idOf(context)
    const membership = join(id, languageOf(context.header('x-mq-language')), user)
    const { account } = user
    const client = new GrpcClient(id, { account, membership, nowMs: clock.monotonic() })
    this.clients.set(keyOf(account, id), client)
    return client
  }

  /** Takes a client's settings. Throws Refused, and then all stays as it was. */
  set(client: GrpcClient, settings: ClientSettings): void {
    const bytes = bytesOf(settings)
    if (bytes > maxSettingsBytes)
      throw new Refused(Code.badRequest, `settings of ${bytes} bytes: at most ${maxSettingsBytes} are kept of a client`)
    const all = this.bytes - client.bytes + bytes
    if (all > maxAllSettingsBytes)
      throw new Refused(Code.tooManyRequests, `settings of all clients have ${maxAllSettingsBytes} bytes already`)
    client.set(settings, this.parts.clock.now())
    // One that has left meanwhile holds nothing.
    if (client.hasLeft) return
    this.bytes = all
    client.bytes = bytes
  }

  /** Forgets it; what it held is given back in the background. */
  end(client: GrpcClient): Promise<void> {
    if (client.hasLeft) return Promise.resolve()
    client.hasLeft = true
    this.bytes -= client.bytes
    client.bytes = 0
    this.clients.delete(keyOf(client.account, client.id))
    const leaving = this.parts
      .left(client)
      .catch(() => {})
      .finally(() => this.leaving.delete(leaving))
    this.leaving.add(leaving)
    return leaving
  }

  private sweep(): void {
    const now = this.parts.clock.monotonic()
    for (const client of [...this.clients.values()]) {
      if (now - client.seenAtMs <= this.parts.idleMs) continue
      // A machine that vanished ends no stream. Whoever only slept opens a new one, and tells its settings again.
      client.stream?.end(new GrpcError(GrpcStatus.unavailable, 'nothing was heard of this client for too long'))
      this.end(client)
    }
  }
}

const keyOf = (account: string, id: string): string => `${account} ${id}`

function idOf(context: CallContext): string {
  const id = context.header('x-mq-client-id') ?? ''
  if (id.trim() === '' || id.length > maxIdLength)
    throw new Refused(Code.clientIdRequired, `the header x-mq-client-id is missing, or longer than ${maxIdLength}`)
  return id
}

import { decodeFrame, isResponse } from '@skua-mq/protocol'
import type { Address, Clock, Events, Listener, Net, Service, Socket, Timer, TlsServer, Turn } from '@skua-mq/runtime'
import { every } from '@skua-mq/runtime'
import { Channel, type ChannelOwner, idleSweepMs, serverIdentity } from './channel.ts'
import { Dispatch } from './dispatch.ts'
import { badFrame, connectionLimit, listening, tlsNotConfigured } from './events.ts'
import { type HotHandlers, HotPath } from './hot.ts'
import { defaultLimits, type RemotingLimits } from './limits.ts'
import type { Route } from './route.ts'
import { SendQueue } from './send-queue.ts'

export interface RemotingServerParts {
  readonly name: string
  readonly net: Net
  readonly clock: Clock
  readonly turn: Turn
  readonly events: Events
  /** All of them serve the same requests: the main and the fast port of a broker. Port 0 takes a free one. */
  readonly listen: readonly Address[]
  readonly routes: readonly Route[]
  readonly hot?: HotHandlers
  readonly limits?: Partial<RemotingLimits>
  /** Default: plain connections only. */
  readonly tls?: TlsServer | undefined
}

const tlsHandshake = 0x16

/** Listens, and answers requests by its routes. Connections end with it. */
export class RemotingServer implements Service, ChannelOwner {
  readonly name: string
  private readonly parts: RemotingServerParts
  private readonly limits: RemotingLimits
  private readonly dispatch: Dispatch
  private readonly hot: HotPath | undefined
  private readonly channels = new Map<Channel, number>()
  private listeners: Listener[] = []
  private sends: SendQueue | undefined
  private idleTimer: Timer | undefined
  private carried = 0

  constructor(parts: RemotingServerParts) {
    this.parts = parts
    this.name = parts.name
    this.limits = { ...defaultLimits, ...parts.limits }
    this.dispatch = new Dispatch(parts.routes, {
      events: parts.events,
      maxPendingRequests: this.limits.maxPendingRequests,
    })
    this.hot =
      parts.hot === undefined
        ? undefined
        : new HotPath(parts.hot, { version: serverIdentity.version, events: parts.events })
  }

  /** Where it listens, in the order of `listen`. */
  get addresses(): readonly Address[] {
    return this.listeners.map(listener => listener.address)
  }

  get connectionCount(): number {
    return this.channels.size
  }

  async start(): Promise<void> {
    const { net, clock, turn, events, tls } = this.parts
    this.sends = new SendQueue(turn)
    try {
      for (const at of this.parts.listen) {
        const listener = await net.listen(at, socket => this.accept(socket), { tls })
        this.listeners.push(listener)
        events.emit(listening({ name: this.name, ...listener.address }))
      }
    } catch (error) {
      await this.stop()
      throw error
    }
    this.idleTimer = every(clock, idleSweepMs, () => this.sweepIdle())
  }

  async stop(): Promise<void> {
    this.idleTimer?.cancel()
    const listeners = this.listeners.splice(0)
    const closing = listeners.map(listener => listener.close())
    for (const channel of [...this.channels.keys()]) channel.end()
    for (const channel of [...this.channels.keys()]) channel.close()
    await Promise.all(closing)
    this.sends?.leave()
  }

  private accept(socket: Socket): void {
    if (this.channels.size >= this.limits.maxConnections) {
      this.parts.events.emit(
        connectionLimit({ peer: socket.remote.host, limit: 'maxConnections', value: this.limits.maxConnections }),
      )
      socket.destroy()
      return
    }
    const channel = new Channel({
      socket,
      owner: this,
      sends: this.sends as SendQueue,
      clock: this.parts.clock,
      limits: this.limits,
      ...serverIdentity,
    })
    this.channels.set(channel, 0)
    channel.start()
  }

  frame(channel: Channel, bytes: Buffer, start: number, end: number): void {
    const command =
      this.hot === undefined ? decodeFrame(bytes, start, end) : this.hot.frame(channel, bytes, { start, end })
    if (command === undefined) return
    // The reader's buffer is reused, while whoever waits for a reply, or answers later, still reads this.
    if (command.body !== undefined) command.body = Uint8Array.from(command.body)
    if (isResponse(command)) channel.settle(command)
    else this.dispatch.run(command, channel)
  }

  broken(channel: Channel, error: Error): void {
    const tls = error instanceof Error && channel.firstByte === tlsHandshake
    this.parts.events.emit(
      tls ? tlsNotConfigured({ peer: channel.peer }) : badFrame({ peer: channel.peer, reason: error.message }),
    )
    channel.close()
  }

  /** Incomplete frames of all connections together are bounded. */
  carrying(channel: Channel, bytes: number): void {
    const before = this.channels.get(channel)
    if (before === undefined || before === bytes) return
    this.carried += bytes - before
    this.channels.set(channel, bytes)
    if (bytes > before && this.carried > this.limits.maxCarryBytes) {
      this.parts.events.emit(
        connectionLimit({ peer: channel.peer, limit: 'maxCarryBytes', value: this.limits.maxCarryBytes }),
      )
      channel.close()
    }
  }

  closed(channel: Channel): void {
    this.carried -= this.channels.get(channel) ?? 0
    this.channels.delete(channel)
  }

  private sweepIdle(): void {
    const now = this.parts.clock.monotonic()
    for (const channel of this.channels.keys()) channel.closeIfIdle(now)
  }
}

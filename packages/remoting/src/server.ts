import { type Command, decodeFrame, isResponse } from '@skua-mq/protocol'
import type { Address, Clock, Events, Listener, Net, Service, Socket, Timer, TlsServer, Turn } from '@skua-mq/runtime'
import { delay, every } from '@skua-mq/runtime'
import { Accounts } from './account.ts'
import { Channel, type ChannelOwner, idleSweepMs } from './channel.ts'
import { Dispatch } from './dispatch.ts'
import type { Door } from './door.ts'
import { badFrame, connectionLimit, handlerFailed, listening, tlsNotConfigured } from './events.ts'
import { Admission, type FullGate, type Gate, overloadGate, type SwitchedGate } from './gate.ts'
import { HotPath } from './hot-path.ts'
import type { AnyHotRoute } from './hot-route.ts'
import { type Identity, type SpokenBy, serverIdentity } from './identity.ts'
import { Later } from './later.ts'
import { defaultLimits, type RemotingLimits } from './limits.ts'
import type { Route } from './route.ts'
import { SendQueue } from './send-queue.ts'
import { type RequestObserver, type SlowObserver, Watch } from './watch.ts'

export interface RemotingServerParts {
  readonly name: string
  readonly net: Net
  readonly clock: Clock
  readonly turn: Turn
  readonly events: Events
  /** All of them serve the same requests: the main and the fast port of a broker. Port 0 takes a free one. */
  readonly listen: readonly Address[]
  readonly routes: readonly Route[]
  readonly hot?: readonly AnyHotRoute[]
  /** Asked before each request, in this order, behind the one that refuses what is too much. */
  readonly gates?: readonly (Gate | SwitchedGate)[]
  /** Asked before all of these. */
  readonly fullGates?: readonly FullGate[]
  /** Asked before a connection is taken. */
  readonly doors?: readonly Door[]
  /** Told of every answered request. Default: nobody, and no times are taken. */
  readonly observer?: RequestObserver | undefined
  /** Told of those that took long. */
  readonly slow?: SlowObserver | undefined
  readonly limits?: Partial<RemotingLimits>
  /** Default: plain connections only. */
  readonly tls?: TlsServer | undefined
  /** Default: 4.9. */
  readonly dialect?: SpokenBy | undefined
}

const tlsHandshake = 0x16

/** How often it is looked who does not take its answers, for how long it may, and how much is copied at a time. */
const slowSweepMs = 100
const slowMs = 1000
const copiedPerSweepBytes = 4 * 1024 * 1024

/** How long a stop waits for peers to take the answers that they are owed. */
const lastAnswersMs = 1000

/** Every connection may be owed an answer or two, however many there are. */
const leastShareBytes = 64 * 1024

/** Listens, and answers requests by its routes. Connections end with it. */
export class RemotingServer implements Service, ChannelOwner {
  readonly name: string
  private readonly parts: RemotingServerParts
  private readonly limits: RemotingLimits
  private readonly dispatch: Dispatch
  private readonly hot: HotPath
  private readonly fullGates: readonly FullGate[]
  private readonly channels = new Set<Channel>()
  /** Those whose answers were not all taken at once, and since when. */
  private readonly slow = new Map<Channel, number>()
  private readonly accounts = new Accounts()
  private readonly identity: Identity
  private listeners: Listener[] = []
  private sends: SendQueue | undefined
  private later: Later | undefined
  private idleTimer: Timer | undefined
  private slowTimer: Timer | undefined
  /** Connections refused since the last sweep. */
  private refusals = 0

  constructor(parts: RemotingServerParts) {
    this.parts = parts
    this.name = parts.name
    this.limits = { ...defaultLimits, ...parts.limits }
    const overload = overloadGate(this.limits, this.accounts, () => this.channels.size)
    this.fullGates = parts.fullGates ?? []
    const isWatched = parts.observer !== undefined || parts.slow !== undefined
    const watch = isWatched ? new Watch(parts.clock, parts) : undefined
    const ways = { events: parts.events, admission: new Admission(overload, parts.gates ?? []), watch }
    this.dispatch = new Dispatch(parts.routes, ways)
    this.identity = serverIdentity(parts.dialect)
    this.hot = new HotPath(parts.hot ?? [], { ...ways, identity: this.identity })
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
    // Behind the queue of sends, which it joins after: what a connection has asked for is sent before it asks for more.
    this.later = new Later(clock, turn)
    const crowd = { waiting: 0 }
    try {
      for (const at of this.parts.listen) {
        const listener = await net.listen(at, socket => this.accept(socket), {
          tls,
          room: () => this.limits.maxConnections - this.channels.size,
          crowd,
          crowded: peer => this.refused(peer.host),
        })
        this.listeners.push(listener)
        events.emit(listening({ name: this.name, ...listener.address }))
      }
    } catch (error) {
      await this.stop()
      throw error
    }
    this.idleTimer = every(clock, idleSweepMs, () => this.sweepIdle())
    this.slowTimer = every(clock, slowSweepMs, () => this.sweepSlow())
  }

  async stop(): Promise<void> {
    this.idleTimer?.cancel()
    this.slowTimer?.cancel()
    const listeners = this.listeners.splice(0)
    const closing = listeners.map(listener => listener.close())
    const slow = [...this.channels].filter(channel => !channel.end())
    await this.taken(slow)
    for (const channel of [...this.channels]) channel.close()
    await Promise.all(closing)
    this.sends?.leave()
    this.later?.leave()
  }

  /** Answers that the kernel did not take at once have a while to leave. */
  private async taken(channels: readonly Channel[]): Promise<void> {
    if (channels.length === 0) return
    const over = new AbortController()
    const ended = Promise.all(channels.map(channel => new Promise<void>(resolve => channel.onClose(resolve))))
    await Promise.race([ended, delay(this.parts.clock, lastAnswersMs, over.signal).catch(() => {})])
    over.abort()
  }

  private accept(socket: Socket): void {
    if (this.channels.size >= this.limits.maxConnections) {
      this.refused(socket.remote.host)
      socket.destroy()
      return
    }
    const { doors = [] } = this.parts
    if (!doors.every(door => door.admits(socket.remote))) {
      socket.destroy()
      return
    }
    const channel = new Channel({
      socket,
      owner: this,
      sends: this.sends as SendQueue,
      clock: this.parts.clock,
      limits: this.limits,
      accounts: this.accounts,
      later: this.later,
      ...this.identity,
    })
    this.channels.add(channel)
    for (const door of doors) door.entered(channel)
    this.share()
    channel.start()
  }

  /** One line for all of a while: whoever is refused comes again. */
  private refused(host: string): void {
    if (this.refusals++ === 0) this.atLimit(host, 'maxConnections')
  }

  private atLimit(peer: string, limit: keyof RemotingLimits): void {
    this.parts.events.emit(connectionLimit({ peer, limit, value: this.limits[limit] }))
  }

  /** Half of what all may be owed, by head: who takes more is paused before anybody is closed. */
  private share(): void {
    const share = this.limits.maxOwedBytes / 2 / Math.max(1, this.channels.size)
    this.accounts.shareBytes = Math.max(leastShareBytes, share)
  }

  frame(channel: Channel, bytes: Buffer, start: number, end: number): void {
    const bounds = { start, end }
    const command = this.guards(channel) ? this.guarded(channel, bytes, bounds) : this.hot.frame(channel, bytes, bounds)
    if (command === undefined) return
    channel.setHeavy()
    // The reader's buffer is reused, while whoever waits for a reply, or answers later, still reads this.
    if (command.body !== undefined && !channel.keepFrame()) command.body = Uint8Array.from(command.body)
    if (isResponse(command)) channel.settle(command)
    else this.dispatch.run(command, channel)
  }

  /** A plain loop over what is mostly nothing: it runs for every frame. */
  private guards(channel: Channel): boolean {
    for (const gate of this.fullGates) if (gate.guards(channel)) return true
    return false
  }

  /** Returns what is left to do, if anything: the command for the generic way. */
  private guarded(channel: Channel, bytes: Buffer, bounds: { start: number; end: number }): Command | undefined {
    const [gate, ...others] = this.fullGates
    if (gate?.lets !== undefined && others.length === 0 && this.hot.frameLetIn(channel, bytes, { bounds, gate }))
      return undefined
    const command = decodeFrame(bytes, bounds.start, bounds.end)
    if (isResponse(command)) return command
    for (const gate of this.fullGates) {
      const refusal = gate.guards(channel) ? gate.admit(command, channel) : undefined
      if (refusal === undefined) continue
      this.dispatch.refuse(command, channel, refusal)
      return undefined
    }
    return this.hot.serve(channel, command) ? undefined : command
  }

  broken(channel: Channel, error: Error): void {
    const tls = error instanceof Error && channel.firstByte === tlsHandshake
    this.parts.events.emit(
      tls ? tlsNotConfigured({ peer: channel.peer }) : badFrame({ peer: channel.peer, reason: error.message }),
    )
    channel.close()
  }

  unwritable(channel: Channel, code: number, error: unknown): void {
    this.parts.events.emit(handlerFailed({ code, peer: channel.peer, error }))
  }

  /** What came and is not handled is bounded for all together: who holds most goes, and not who passes by. */
  carrying(): void {
    while (this.accounts.unread > this.limits.maxCarryBytes) {
      if (!this.closeLargest('maxCarryBytes', channel => channel.account.unread)) return
    }
  }

  /**
   * The same for what is not taken. Reads do not count here: each is bounded for its connection, what they are taken to
   * bring is a guess, and the end of a connection gives nothing of it back before they are over.
   */
  owing(channel: Channel): void {
    const { account } = channel
    if (account.unsent > 0 && !this.slow.has(channel)) this.slow.set(channel, this.parts.clock.monotonic())
    while (this.accounts.unsent > this.limits.maxOwedBytes) {
      if (!this.closeLargest('maxOwedBytes', one => one.account.unsent)) return
    }
  }

  /** Of several that hold as much, the oldest. */
  private closeLargest(limit: 'maxCarryBytes' | 'maxOwedBytes', holds: (channel: Channel) => number): boolean {
    let largest: Channel | undefined
    let most = 0
    for (const channel of this.channels) {
      if (holds(channel) <= most) continue
      most = holds(channel)
      largest = channel
    }
    if (largest === undefined) return false
    this.atLimit(largest.peer, limit)
    largest.close()
    return true
  }

  closed(channel: Channel): void {
    this.channels.delete(channel)
    this.slow.delete(channel)
    for (const door of this.parts.doors ?? []) door.left(channel)
    this.share()
  }

  /** Whose answers were not taken for a while gives up what they pin, a little at a time. */
  private sweepSlow(): void {
    const now = this.parts.clock.monotonic()
    let left = copiedPerSweepBytes
    for (const [channel, sinceMs] of this.slow) {
      if (channel.account.unsent === 0) this.slow.delete(channel)
      else if (left > 0 && now - sinceMs >= slowMs) left -= channel.copyOut(left)
    }
  }

  private sweepIdle(): void {
    const now = this.parts.clock.monotonic()
    this.refusals = 0
    for (const channel of this.channels) {
      channel.closeIfIdle(now)
      if (channel.open && channel.closeIfIncomplete(now)) this.atLimit(channel.peer, 'maxFrameMs')
    }
  }
}

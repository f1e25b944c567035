import type { Timer } from '../clock.ts'
import { NetError } from '../error.ts'
import type { Address, Socket, SocketHandlers } from '../net.ts'
import type { SimNetwork } from './network.ts'

/** Bytes under way that count as taken by the kernel; more are `unsentBytes`. */
export const kernelBufferBytes = 64 * 1024

/** A chunk under way; undefined: the end of the stream. */
interface Chunk {
  readonly bytes: Buffer | undefined
  readonly dueAt: number
}

/** One end of a simulated connection. What it sends waits in `outgoing` until it is due, the way is free and the peer reads. */
export class SimSocket implements Socket {
  readonly remote: Address
  readonly local: Address
  private readonly network: SimNetwork
  private peer!: SimSocket
  private handlers: SocketHandlers | undefined
  private outgoing: Chunk[] = []
  private outgoingBytes = 0
  private wake: Timer | undefined
  private paused = false
  private ending = false
  private endReceived = false
  private unsent = false
  private gone = false
  private error: NetError | undefined

  private constructor(network: SimNetwork, local: Address, remote: Address) {
    this.network = network
    this.local = local
    this.remote = remote
    network.opened(this)
  }

  /** The two ends of a new connection: of `a`, of `b`. */
  static pair(network: SimNetwork, a: Address, b: Address): [SimSocket, SimSocket] {
    const near = new SimSocket(network, a, b)
    const far = new SimSocket(network, b, a)
    near.peer = far
    far.peer = near
    return [near, far]
  }

  get unsentBytes(): number {
    return Math.max(0, this.outgoingBytes - kernelBufferBytes)
  }

  start(handlers: SocketHandlers): void {
    if (this.handlers !== undefined) throw new Error('a socket is started once')
    this.handlers = handlers
    if (this.gone) this.tellClosed()
    else this.peer.carryOnSoon()
  }

  write(parts: readonly Uint8Array[]): void {
    if (this.ending || this.gone || parts.length === 0) return
    const { random } = this.network
    if (random.chance(this.network.resetChance)) {
      this.break('ECONNRESET')
      return
    }
    const bytes = Buffer.concat(parts)
    this.unsent = true
    const cut = bytes.length > 1 && random.chance(this.network.splitChance) ? 1 + random.int(bytes.length - 1) : 0
    if (cut > 0) this.queue(bytes.subarray(0, cut))
    this.queue(bytes.subarray(cut))
    this.network.clock.after(0, () => this.tellDrained())
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.peer.carryOnSoon()
  }

  end(): void {
    if (this.ending || this.gone) return
    this.ending = true
    this.queue(undefined)
    this.peer.carryOnSoon()
  }

  /** By chance the peer still gets all that was under way and an end, or a reset at once: TCP promises neither. */
  destroy(): void {
    if (this.gone) return
    if (this.network.random.chance(0.5)) {
      if (!this.ending) this.queue(undefined)
      this.ending = true
      this.close()
    } else {
      this.vanish(true)
    }
  }

  /** @internal Both ends are closed with this error. */
  break(code: string): void {
    this.error ??= new NetError(code, `connection to ${this.remote.host}:${this.remote.port}: ${code}`)
    this.vanish(true)
  }

  /** @internal The process is dead, so nobody is told; a connection between two sockets of one host dies on both sides. */
  orphan(announce: boolean): void {
    this.handlers = undefined
    this.vanish(announce)
  }

  /** @internal This end is no more; the peer is reset after a delay, or never hears of it. */
  vanish(announce: boolean): void {
    if (this.gone) return
    this.outgoing = []
    this.outgoingBytes = 0
    this.close()
    const { peer } = this
    if (!announce) return
    this.network.clock.after(this.network.drawDelay(), () => {
      if (this.network.passes(this.local.host, this.remote.host)) peer.wasReset()
    })
  }

  /** @internal Delivers what is due, in order, as long as the way is free and the peer reads. */
  carryOn(): void {
    this.wake?.cancel()
    this.wake = undefined
    const { clock } = this.network
    while (this.outgoing.length > 0 && this.peer.takes && this.network.passes(this.local.host, this.remote.host)) {
      const wait = this.outgoing[0]!.dueAt - clock.monotonic()
      if (wait > 0) {
        this.wake = clock.after(wait, () => this.carryOn())
        return
      }
      const chunk = this.outgoing.shift()!
      this.outgoingBytes -= chunk.bytes?.length ?? 0
      if (this.peer.isForgotten) this.resetSoon()
      else if (chunk.bytes) this.peer.receive(chunk.bytes)
      else this.peer.receiveEnd()
    }
    if (this.gone && this.outgoing.length === 0) this.network.closed(this)
    this.tellDrained()
  }

  /** Its machine is up and knows nothing of this connection: what comes for it is answered with a reset. */
  private get isForgotten(): boolean {
    return this.gone && this.outgoing.length === 0 && this.network.netAt(this.local.host) !== undefined
  }

  /** A partition may have kept the end of the connection from this side. */
  private resetSoon(): void {
    this.network.clock.after(this.network.drawDelay(), () => {
      if (this.network.passes(this.local.host, this.remote.host)) this.wasReset()
    })
  }

  /** Not from within a call of the owner, whose handlers must not be entered twice. */
  private carryOnSoon(): void {
    this.network.clock.after(0, () => this.carryOn())
  }

  /** An end that has said goodbye reads on and drops what it reads. */
  private get takes(): boolean {
    return this.ending || this.isForgotten || (this.handlers !== undefined && !this.paused)
  }

  private queue(bytes: Buffer | undefined): void {
    const earliest = this.outgoing.at(-1)?.dueAt ?? 0
    const dueAt = Math.max(earliest, this.network.clock.monotonic() + this.network.drawDelay())
    this.outgoing.push({ bytes, dueAt })
    this.outgoingBytes += bytes?.length ?? 0
    this.wake ??= this.network.clock.after(dueAt - this.network.clock.monotonic(), () => this.carryOn())
  }

  private receive(bytes: Buffer): void {
    if (!this.gone && !this.ending) this.handlers?.data(bytes)
  }

  /** No half-open connections: an end is answered with an end. */
  private receiveEnd(): void {
    if (this.gone) return
    this.endReceived = true
    this.end()
    this.closeIfDone()
  }

  private wasReset(): void {
    if (this.gone) return
    this.error ??= new NetError('ECONNRESET', `connection to ${this.remote.host}:${this.remote.port}: ECONNRESET`)
    this.outgoing = []
    this.outgoingBytes = 0
    this.close()
  }

  private tellDrained(): void {
    if (this.gone) return
    this.closeIfDone()
    if (this.gone || !this.unsent || this.unsentBytes > 0) return
    this.unsent = false
    this.handlers?.drained()
  }

  private closeIfDone(): void {
    if (this.ending && this.endReceived && this.outgoing.length === 0) this.close()
  }

  private close(): void {
    if (this.gone) return
    this.gone = true
    if (this.outgoing.length === 0) this.network.closed(this)
    if (this.handlers) this.tellClosed()
  }

  /** Never from within the call that closed, as in Node. */
  private tellClosed(): void {
    this.network.clock.after(0, () => this.handlers?.closed(this.error))
  }
}

import type { SimClock } from './clock.ts'
import type { Life } from './file.ts'
import { SimNet } from './net.ts'
import type { SimRandom } from './random.ts'
import type { SimSocket } from './socket.ts'

export interface NetworkOptions {
  readonly clock: SimClock
  readonly random: SimRandom
  /** Milliseconds a chunk is under way, drawn for each; order within a connection stays. Default 0.1 to 1. */
  readonly delayMs?: { readonly min: number; readonly max: number }
  /** Probability that a chunk arrives in two pieces; default 0.1. */
  readonly splitChance?: number
  /** Probability that sending a chunk resets its connection; default 0. */
  readonly resetChance?: number
}

/**
 * A network in one process: hosts by name, each with an address 10.0.0.x, and TCP connections between them which are
 * late, cut in pieces, reset or partitioned as the options and the calls say. Repeats with the seed of `random`.
 */
export class SimNetwork {
  readonly clock: SimClock
  readonly random: SimRandom
  delayMs: { readonly min: number; readonly max: number }
  splitChance: number
  resetChance: number
  private readonly addresses = new Map<string, string>()
  private readonly nets = new Map<string, SimNet>()
  private readonly cut = new Set<string>()
  private readonly sockets = new Set<SimSocket>()

  constructor(options: NetworkOptions) {
    this.clock = options.clock
    this.random = options.random
    this.delayMs = options.delayMs ?? { min: 0.1, max: 1 }
    this.splitChance = options.splitChance ?? 0.1
    this.resetChance = options.resetChance ?? 0
  }

  /** The network as a host sees it; a second call for a host that is up takes the place of the first, as after a restart. */
  host(name: string, life: Life = { alive: true }): SimNet {
    const address = this.addressOf(name)
    const net = new SimNet(this, address, life)
    this.nets.set(address, net)
    return net
  }

  /** The address of a host, given to it at the first use of its name. */
  addressOf(name: string): string {
    if (/^\d+\.\d+\.\d+\.\d+$/.test(name)) return name
    let address = this.addresses.get(name)
    if (!address) {
      const number = this.addresses.size + 1
      address = `10.0.${number >> 8}.${number & 255}`
      this.addresses.set(name, address)
    }
    return address
  }

  /** Nothing passes between the two until `heal`: chunks wait as TCP resends them, connecting times out. */
  partition(a: string, b: string): void {
    this.cut.add(this.pair(a, b))
  }

  heal(a: string, b: string): void {
    this.cut.delete(this.pair(a, b))
    for (const socket of this.sockets) socket.carryOn()
  }

  healAll(): void {
    this.cut.clear()
    for (const socket of this.sockets) socket.carryOn()
  }

  /** Cuts the connections between two hosts; both sides see ECONNRESET. */
  reset(a: string, b: string): void {
    const pair = this.pair(a, b)
    for (const socket of [...this.sockets]) {
      if (this.pair(socket.local.host, socket.remote.host) === pair) socket.break('ECONNRESET')
    }
  }

  /**
   * The host's sockets vanish. `announce`: its kernel still runs and resets the peers, as after kill -9; otherwise the
   * peers hear nothing, as after a power cut.
   */
  drop(name: string, { announce }: { announce: boolean }): void {
    const address = this.addressOf(name)
    this.nets.get(address)?.forgetListeners()
    this.nets.delete(address)
    for (const socket of [...this.sockets]) if (socket.local.host === address) socket.orphan(announce)
  }

  /** @internal */
  netAt(host: string): SimNet | undefined {
    return this.nets.get(host)
  }

  /** @internal */
  passes(a: string, b: string): boolean {
    return !this.cut.has(this.pair(a, b))
  }

  /** @internal */
  drawDelay(): number {
    const { min, max } = this.delayMs
    return min + this.random.fraction() * (max - min)
  }

  /** @internal */
  opened(socket: SimSocket): void {
    this.sockets.add(socket)
  }

  /** @internal */
  closed(socket: SimSocket): void {
    this.sockets.delete(socket)
  }

  private pair(a: string, b: string): string {
    return [this.addressOf(a), this.addressOf(b)].sort().join(' ')
  }
}

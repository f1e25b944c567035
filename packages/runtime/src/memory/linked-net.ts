import { NetError } from '../error.ts'
import type { Address, ConnectOptions, Listener, ListenOptions, Net, Socket } from '../net.ts'
import { linkedPair, type MemorySocket } from './socket.ts'

interface Listening {
  readonly at: Address
  readonly accept: (socket: Socket) => void
  readonly options: ListenOptions
}

/** Where they connect from: no address, so that no list of trusted ones takes a gateway for the machine that it runs on. */
const unspecified = '0.0.0.0'
/** Ports of those who connect in memory, which only have to differ. */
const firstPort = 0x1_0000

/**
 * A network in which whoever connects to a listener of this process reaches it without a socket between: bytes are handed
 * over at the end of the loop's turn. Everything else goes the way of the network behind it.
 */
export class LinkedNet implements Net {
  private readonly base: Net
  private readonly listeners = new Map<number, Listening>()
  private readonly pending = new Set<MemorySocket>()
  private nextPort = firstPort

  constructor(base: Net) {
    this.base = base
  }

  async listen(at: Address, accept: (socket: Socket) => void, options: ListenOptions = {}): Promise<Listener> {
    const listener = await this.base.listen(at, accept, options)
    const { port } = listener.address
    const own = { at: { host: at.host, port }, accept, options }
    this.listeners.set(port, own)
    const close = () => {
      if (this.listeners.get(port) === own) this.listeners.delete(port)
      return listener.close()
    }
    return { address: listener.address, close }
  }

  async connect(to: Address, options: ConnectOptions = {}): Promise<Socket> {
    const listening = this.listeners.get(to.port)
    if (options.tls !== undefined || listening === undefined || !this.isOwn(to.host, listening.at.host))
      return this.base.connect(to, options)
    if ((listening.options.room?.() ?? 1) <= 0)
      throw new NetError('ECONNREFUSED', `cannot connect to ${to.host}:${to.port}: there is no room (ECONNREFUSED)`)
    const from = { host: unspecified, port: this.nextPort++ }
    const [near, far] = linkedPair({ from, to }, socket => this.arm(socket))
    listening.accept(far)
    return near
  }

  ownAddresses(): readonly string[] {
    return this.base.ownAddresses()
  }

  resolve(host: string): Promise<string | undefined> {
    return this.base.resolve(host)
  }

  private isOwn(host: string, listensAt: string): boolean {
    if (host === listensAt) return true
    const isAny = listensAt === '' || listensAt === '0.0.0.0' || listensAt === '::'
    return (
      isAny && (host === '127.0.0.1' || host === '::1' || host === 'localhost' || this.ownAddresses().includes(host))
    )
  }

  private arm(socket: MemorySocket): void {
    this.pending.add(socket)
    if (this.pending.size === 1) setImmediate(() => this.handOver())
  }

  private handOver(): void {
    const ready = [...this.pending]
    this.pending.clear()
    for (const socket of ready) socket.handOver()
  }
}

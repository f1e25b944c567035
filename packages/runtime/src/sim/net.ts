import { ListenError, NetError } from '../error.ts'
import type { Address, ConnectOptions, Listener, ListenOptions, Net, Socket } from '../net.ts'
import type { Life } from './file.ts'
import type { SimNetwork } from './network.ts'
import { SimSocket } from './socket.ts'

const firstFreePort = 32_768
const loopback = new Set(['', 'localhost', '127.0.0.1', '0.0.0.0', '::', '::1'])

interface Listening extends Pick<ListenOptions, 'room' | 'crowded'> {
  readonly accept: (socket: Socket) => void
}

/** One host's view of a SimNetwork. Loopback addresses are the host itself; its own address is 10.0.0.x. */
export class SimNet implements Net {
  readonly address: string
  readonly life: Life
  private readonly network: SimNetwork
  private readonly listeners = new Map<number, Listening>()
  private nextPort = firstFreePort

  constructor(network: SimNetwork, address: string, life: Life) {
    this.network = network
    this.address = address
    this.life = life
  }

  async listen(at: Address, accept: (socket: Socket) => void, options: ListenOptions = {}): Promise<Listener> {
    if (!this.life.alive) throw new NetError('EDEAD', 'the process is dead')
    const host = this.addressFor(at.host)
    if (host !== this.address) throw new ListenError('EADDRNOTAVAIL', at, { reason: 'not ours' })
    const port = at.port === 0 ? this.takePort() : at.port
    if (this.listeners.has(port)) {
      throw new ListenError('EADDRINUSE', { host: at.host, port }, { reason: 'the address is in use (EADDRINUSE)' })
    }
    const listening = { accept, room: options.room, crowded: options.crowded }
    this.listeners.set(port, listening)
    const close = async () => {
      if (this.listeners.get(port) === listening) this.listeners.delete(port)
    }
    return { address: { host: at.host, port }, close }
  }

  connect(to: Address, options: ConnectOptions = {}): Promise<Socket> {
    const { timeoutMs = 3_000, signal, tls } = options
    if (tls !== undefined) return Promise.reject(new NetError('ETLS', 'the simulated network has no TLS'))
    const { clock } = this.network
    const remote = { host: this.addressFor(to.host), port: to.port }
    return new Promise((resolve, reject) => {
      const settle = () => {
        timer.cancel()
        attempt.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        settle()
        reject(signal?.reason)
      }
      const timer = clock.after(timeoutMs, () => {
        settle()
        if (this.life.alive) reject(new NetError('ETIMEOUT', `cannot connect to ${to.host}:${to.port}: no answer`))
      })
      const attempt = clock.after(this.network.drawDelay() * 2, () => {
        if (!this.network.passes(this.address, remote.host)) return
        const peer = this.network.netAt(remote.host)
        // A host that is not there does not answer; one without a listener refuses.
        if (peer === undefined || !this.life.alive) return
        settle()
        const socket = peer.accept({ host: this.address, port: this.takePort() }, remote)
        if (socket) resolve(socket)
        else reject(new NetError('ECONNREFUSED', `cannot connect to ${to.host}:${to.port}: refused (ECONNREFUSED)`))
      })
      if (signal?.aborted) onAbort()
      else signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  async resolve(host: string): Promise<string | undefined> {
    return this.addressFor(host)
  }

  ownAddresses(): readonly string[] {
    return [this.address]
  }

  /** @internal Returns the caller's end of a new connection. */
  accept(from: Address, at: Address): Socket | undefined {
    const listening = this.listeners.get(at.port)
    if (!listening) return undefined
    const [theirs, ours] = SimSocket.pair(this.network, from, at)
    if (listening.room !== undefined && listening.room() < 1) {
      listening.crowded?.(from)
      ours.destroy()
    } else listening.accept(ours)
    return theirs
  }

  /** @internal */
  forgetListeners(): void {
    this.listeners.clear()
  }

  private addressFor(host: string): string {
    return loopback.has(host) ? this.address : this.network.addressOf(host)
  }

  private takePort(): number {
    while (this.listeners.has(this.nextPort)) this.nextPort++
    return this.nextPort++
  }
}

import type { Address, Clock, ConnectOptions, Listener, ListenOptions, Net, Socket } from '@skua-mq/runtime'
import type { Quiet, Sockets } from '../clock/quiet.ts'
import type { Faults } from '../fault/faults.ts'
import { Wire } from './wire.ts'

/** Those who connect within the process have no real port. */
const firstLinkedPort = 0x1_0000
const dayMs = 24 * 3_600_000

export interface KitNetParts {
  /** In which this process reaches itself without a socket between. */
  readonly base: Net
  readonly quiet: Quiet
  readonly faults: Faults
  readonly clock: Clock
}

/** The network of a test: all connections to its servers are wires, which know what goes through them. */
export class KitNet implements Net, Sockets {
  private readonly parts: KitNetParts
  private readonly wires = new Set<Wire>()
  /** The connection that is made in this moment is for a look inside. */
  private isLook = false
  moves = 0

  constructor(parts: KitNetParts) {
    this.parts = parts
  }

  get count(): number {
    let count = 0
    for (const wire of this.wires) if (isSocket(wire)) count++
    return count
  }

  get running(): number {
    let running = 0
    for (const wire of this.wires) if (isSocket(wire)) running += wire.running
    return running
  }

  listen(at: Address, accept: (socket: Socket) => void, options?: ListenOptions): Promise<Listener> {
    const { base, quiet } = this.parts
    return quiet.during(() => base.listen(at, socket => accept(this.wire(socket)), options))
  }

  connect(to: Address, options?: ConnectOptions): Promise<Socket> {
    return this.parts.quiet.during(() => this.parts.base.connect(to, options))
  }

  /** The same network for those who look: no fault touches them. */
  forLooks(): Net {
    return {
      listen: (at, accept, options) => this.listen(at, accept, options),
      connect: (to, options) => {
        // A connection within the process is accepted before the call returns.
        this.isLook = true
        const connected = this.connect(to, options)
        this.isLook = false
        return connected
      },
      ownAddresses: () => this.ownAddresses(),
      resolve: host => this.resolve(host),
    }
  }

  ownAddresses(): readonly string[] {
    return this.parts.base.ownAddresses()
  }

  resolve(host: string): Promise<string | undefined> {
    return this.parts.quiet.during(() => this.parts.base.resolve(host))
  }

  private wire(socket: Socket): Wire {
    const { quiet, faults, clock } = this.parts
    const wire: Wire = new Wire(socket, {
      faults,
      clock,
      isExempt: this.isLook,
      holdMs: clock.leaps && socket.remote.port < firstLinkedPort ? dayMs : undefined,
      moved: () => {
        quiet.stir()
        if (isSocket(wire)) this.moves++
      },
      closed: () => {
        this.wires.delete(wire)
        quiet.stir()
        if (isSocket(wire)) this.moves++
      },
    })
    this.wires.add(wire)
    return wire
  }
}

const isSocket = ({ remote }: Wire): boolean => remote.port < firstLinkedPort

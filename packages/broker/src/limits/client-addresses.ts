import { Bucket } from './bucket.ts'
import { clientNetwork } from './client-network.ts'

/** Addresses without a connection that are remembered: whoever hangs up and comes again has no fresh second. */
export const maxGoneAddresses = 10_000

/** How long one is remembered. What it owes beyond that, it is spared. */
export const goneMs = 60_000

/** All connections of one address together. */
export class ClientAddress {
  readonly name: string
  connections = 0
  readonly requests = new Bucket()
  readonly bytes = new Bucket()
  /** When it was told in the log last, by limit. */
  readonly toldAtMs = new Map<string, number>()
  leftAtMs = 0

  constructor(name: string) {
    this.name = name
  }
}

/** Who is connected, by address, and who was a moment ago: as many as there are connections, and `maxGoneAddresses`. */
export class ClientAddresses {
  private readonly present = new Map<string, ClientAddress>()
  /** The one that has gone first comes first. */
  private readonly gone = new Map<string, ClientAddress>()

  get size(): number {
    return this.present.size + this.gone.size
  }

  find(host: string): ClientAddress | undefined {
    return this.present.get(clientNetwork(host))
  }

  /** One more connection of it. */
  enter(host: string): ClientAddress {
    const name = clientNetwork(host)
    const address = this.present.get(name) ?? this.gone.get(name) ?? new ClientAddress(name)
    this.gone.delete(name)
    this.present.set(name, address)
    address.connections++
    return address
  }

  leave(address: ClientAddress, nowMs: number): void {
    if (--address.connections > 0) return
    this.present.delete(address.name)
    address.leftAtMs = nowMs
    this.gone.set(address.name, address)
    for (const [name, { leftAtMs }] of this.gone) {
      if (this.gone.size <= maxGoneAddresses && nowMs - leftAtMs < goneMs) return
      this.gone.delete(name)
    }
  }
}

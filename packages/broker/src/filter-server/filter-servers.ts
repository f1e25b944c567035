import type { Connection } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'

/** A filter server that says nothing for so long is forgotten (remoting.md 10.1). */
export const filterServerExpiryMs = 30_000

/** More are refused: all of them are in each registration with a name server. */
export const maxFilterServers = 128

/** host:port; no host name is longer than 255. */
const addressForm = /^[\w.:[\]-]{1,255}:\d{1,5}$/

interface Known {
  readonly connection: Connection
  readonly address: string
  seenAtMs: number
}

/** The filter servers that registered here (301): consumers find them in the route. */
export class FilterServers {
  private readonly clock: Clock
  private readonly byConnection = new Map<number, Known>()
  private readonly listeners: (() => void)[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Addresses in the order of their arrival. */
  get addresses(): string[] {
    return [...this.byConnection.values()].map(({ address }) => address)
  }

  onChange(run: () => void): void {
    this.listeners.push(run)
  }

  /**
   * Returns why it was not taken: name servers refuse a registration that is too large, and would know nothing of this
   * broker any more.
   */
  register(connection: Connection, address: string): string | undefined {
    const seenAtMs = this.clock.monotonic()
    const known = this.byConnection.get(connection.id)
    if (known?.address === address) {
      known.seenAtMs = seenAtMs
      return undefined
    }
    if (!addressForm.test(address)) return `${address.slice(0, 64)} is not an address: host:port is wanted`
    if (known === undefined && this.byConnection.size >= maxFilterServers)
      return `${maxFilterServers} filter servers are registered, as many as a broker takes`
    this.byConnection.set(connection.id, { connection, address, seenAtMs })
    if (known === undefined) connection.onClose(() => this.forget(connection.id))
    this.changed()
    return undefined
  }

  /** Forgets those that were silent for too long. */
  expire(): void {
    const before = this.clock.monotonic() - filterServerExpiryMs
    for (const { connection, seenAtMs } of this.byConnection.values()) if (seenAtMs < before) connection.close()
  }

  private forget(id: number): void {
    if (this.byConnection.delete(id)) this.changed()
  }

  private changed(): void {
    for (const run of this.listeners) run()
  }
}

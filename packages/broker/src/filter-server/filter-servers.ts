import type { Connection } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'

/** A filter server that says nothing for so long is forgotten (remoting.md 10.1). */
export const filterServerExpiryMs = 30_000

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

  register(connection: Connection, address: string): void {
    const seenAtMs = this.clock.monotonic()
    const known = this.byConnection.get(connection.id)
    if (known?.address === address) {
      known.seenAtMs = seenAtMs
      return
    }
    this.byConnection.set(connection.id, { connection, address, seenAtMs })
    if (known === undefined) connection.onClose(() => this.forget(connection.id))
    this.changed()
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

/** A call that holds memory for its peer. */
export interface Holder {
  /** The same for all calls of a connection. */
  readonly connection: object
}

interface Held<H> {
  bytes: number
  readonly holders: Map<H, number>
}

/**
 * Bytes that are held for all peers together. Above the bound the calls of the connection that holds most must let go: to
 * refuse who comes next would let a few idle peers shut out all others.
 */
export class Shares<H extends Holder> {
  private readonly maxBytes: number
  private readonly shed: (holder: H) => void
  private readonly connections = new Map<object, Held<H>>()
  private bytes = 0

  /** `shed`: ends a call, which gives back all that it holds at once, or as soon as its stream is closed. */
  constructor(maxBytes: number, shed: (holder: H) => void) {
    this.maxBytes = maxBytes
    this.shed = shed
  }

  /** So many bytes more are held for a call, or fewer. It may be ended by it. */
  add(holder: H, count: number): void {
    if (count === 0) return
    const held = this.connections.get(holder.connection) ?? { bytes: 0, holders: new Map<H, number>() }
    const own = (held.holders.get(holder) ?? 0) + count
    if (own === 0) held.holders.delete(holder)
    else held.holders.set(holder, own)
    held.bytes += count
    this.bytes += count
    if (held.holders.size === 0) this.connections.delete(holder.connection)
    else this.connections.set(holder.connection, held)
    if (count > 0 && this.bytes > this.maxBytes) this.shedMost()
  }

  private shedMost(): void {
    let most: Held<H> | undefined
    for (const held of this.connections.values()) if (most === undefined || held.bytes > most.bytes) most = held
    for (const holder of [...(most?.holders.keys() ?? [])]) this.shed(holder)
  }
}

/** What a request may wait for. `held`: it was held as a pull is, which is not slow. */
export const waitKinds = ['held', 'write', 'flush', 'slave', 'read', 'announce'] as const
export type WaitKind = (typeof waitKinds)[number]

/** For how long a request has waited for something, in ms, as far as whoever had it wait has said so. */
export class Waits implements Record<WaitKind, number> {
  held = 0
  /** The write to the log of all that its turn has brought. */
  write = 0
  /** The fdatasync. */
  flush = 0
  slave = 0
  /** Reads from the disk. */
  read = 0
  /** The name servers, and topics.json. */
  announce = 0

  clear(): void {
    this.held = this.write = this.flush = this.slave = this.read = this.announce = 0
  }
}

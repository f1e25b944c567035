/** What one peer, or all together, may cost. Every value has the name under which refusals mention it. */
export interface RemotingLimits {
  /** Largest frame in bytes, length word included; remoting.md 1. */
  readonly maxFrameBytes: number
  /** Bytes held for all connections together that came and are not handled; above it, who holds most is closed. */
  readonly maxCarryBytes: number
  /** A frame that is not complete after so long ends its connection. */
  readonly maxFrameMs: number
  /** Unsent bytes of a connection, and bytes that are being read for it, above which nothing more is read from it. */
  readonly pauseAtUnsentBytes: number
  /** Unsent bytes of a connection at which it is closed: it does not read its answers. */
  readonly closeAtUnsentBytes: number
  /**
   * Bytes that are read for all connections together, or unsent. A connection is paused at its share of half of them, and
   * above all of them, who is owed most is closed.
   */
  readonly maxOwedBytes: number
  /** Requests of a connection that run, held pulls apart, above which nothing more is read from it. */
  readonly maxRunningRequests: number
  /** Requests of all connections that run; whoever has more than its share of them gets code 2 for more. */
  readonly maxPendingRequests: number
  /** Requests of ours that wait for a reply on one connection. */
  readonly maxPendingCalls: number
  /** A connection without a read and a write for so long is closed; remoting.md 4. */
  readonly idleMs: number
  readonly maxConnections: number
}

export const defaultLimits: RemotingLimits = {
  maxFrameBytes: 16_777_216,
  maxCarryBytes: 256 * 1024 * 1024,
  maxFrameMs: 60_000,
  pauseAtUnsentBytes: 4 * 1024 * 1024,
  closeAtUnsentBytes: 128 * 1024 * 1024,
  maxOwedBytes: 512 * 1024 * 1024,
  maxRunningRequests: 4096,
  maxPendingRequests: 20_000,
  maxPendingCalls: 65_536,
  idleMs: 120_000,
  maxConnections: 50_000,
}

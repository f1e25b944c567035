/** What one peer, or all together, may cost. Every value has the name under which refusals mention it. */
export interface RemotingLimits {
  /** Largest frame in bytes, length word included; remoting.md 1. */
  readonly maxFrameBytes: number
  /** Bytes of incomplete frames held for all connections together; the one that passes it is closed. */
  readonly maxCarryBytes: number
  /** Unsent bytes of a connection above which nothing more is read from it. */
  readonly pauseAtUnsentBytes: number
  /** Unsent bytes of a connection at which it is closed: it does not read its answers. */
  readonly closeAtUnsentBytes: number
  /** Requests of all connections that wait for an asynchronous handler; more get code 2. */
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
  pauseAtUnsentBytes: 4 * 1024 * 1024,
  closeAtUnsentBytes: 128 * 1024 * 1024,
  maxPendingRequests: 20_000,
  maxPendingCalls: 65_536,
  idleMs: 120_000,
  maxConnections: 50_000,
}

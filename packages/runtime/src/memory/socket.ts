import type { Address, Socket, SocketHandlers } from '../net.ts'

/** One end of a connection inside the process. What it writes waits here until its peer takes it. */
export class MemorySocket implements Socket {
  readonly remote: Address
  readonly local: Address
  peer!: MemorySocket
  private readonly arm: (socket: MemorySocket) => void
  private handlers: SocketHandlers | undefined
  /** On their way to the peer. */
  private parts: Buffer[] = []
  private bytes = 0
  private isPaused = false
  private isEnding = false
  private isClosed = false
  private isToldClosed = false

  constructor(ends: { remote: Address; local: Address }, arm: (socket: MemorySocket) => void) {
    this.remote = ends.remote
    this.local = ends.local
    this.arm = arm
  }

  get unsentBytes(): number {
    return this.bytes
  }

  start(handlers: SocketHandlers): void {
    this.handlers = handlers
    this.arm(this.peer)
    this.arm(this)
  }

  /** The bytes are copied: whoever wrote them may use them again at once. */
  write(parts: readonly Uint8Array[]): void {
    if (this.isClosed || this.isEnding) return
    for (const part of parts) {
      this.parts.push(Buffer.from(part))
      this.bytes += part.length
    }
    this.arm(this)
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.arm(this.peer)
  }

  end(): void {
    this.isEnding = true
    this.arm(this)
  }

  destroy(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.peer.isClosed = true
    this.arm(this)
    this.arm(this.peer)
  }

  /** Gives the peer what it may have; at the end of a turn, never inside a call of either. */
  handOver(): void {
    const { peer } = this
    if (this.bytes > 0 && !this.isClosed && !peer.isPaused && peer.handlers !== undefined) {
      const whole = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts, this.bytes)
      this.parts = []
      this.bytes = 0
      peer.handlers.data(whole)
      if (!this.isClosed) this.handlers?.drained()
    }
    if (this.isEnding && this.bytes === 0) this.destroy()
    if (this.isClosed) this.tellClosed()
  }

  private tellClosed(): void {
    if (this.isToldClosed || this.handlers === undefined) return
    this.isToldClosed = true
    this.parts = []
    this.bytes = 0
    this.handlers.closed()
  }
}

/** Both ends of a connection. `arm`: to be called back with `handOver`. */
export function linkedPair(
  { from, to }: { from: Address; to: Address },
  arm: (socket: MemorySocket) => void,
): [MemorySocket, MemorySocket] {
  const near = new MemorySocket({ local: from, remote: to }, arm)
  const far = new MemorySocket({ local: to, remote: from }, arm)
  near.peer = far
  far.peer = near
  return [near, far]
}

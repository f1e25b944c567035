/** What all connections of a server cost together: the same figures as an Account's. */
export class Accounts {
  unread = 0
  running = 0
  /** `reading` and `unsent` of all. */
  owed = 0
  /** `unsent` of all: what the end of connections gives back. */
  unsent = 0
  /** What one of them may be owed before it is paused, where all of them are owed as much. */
  shareBytes = Number.MAX_SAFE_INTEGER
}

/** Before a connection has read anything, a read is taken to bring so much. */
const firstReadBytes = 256 * 1024
/** What a read is taken to bring at least: its buffers, also where nothing is found. */
const leastReadBytes = 16 * 1024

/**
 * What one connection costs at the moment. Whoever does something for a peer writes it here first, and the parser asks
 * before each frame whether the peer may ask for more. Plain fields: the hot path changes them for every message.
 */
export class Account {
  private readonly sum: Accounts
  /** Bytes that came and are not handled: an incomplete frame, and whole ones that wait for their turn. */
  unread = 0
  /** All bytes that ever came, handled or not. */
  received = 0
  /** Requests begun and not answered, pulls that are held apart. */
  running = 0
  /** Bytes that are being read from the store for it. */
  reading = 0
  /** Bytes of answers that the kernel has not taken. */
  unsent = 0
  /** Pulls that are held for it, and their bytes. */
  held = 0
  heldBytes = 0
  /** What its next read is taken to bring: what the last one brought. */
  expectedReadBytes = firstReadBytes

  constructor(sum: Accounts) {
    this.sum = sum
  }

  /** Bytes in memory, or soon to be, that only end when the peer reads. */
  get owed(): number {
    return this.reading + this.unsent
  }

  begin(): void {
    this.running++
    this.sum.running++
  }

  end(): void {
    this.running--
    this.sum.running--
  }

  setUnread(bytes: number): void {
    this.sum.unread += bytes - this.unread
    this.unread = bytes
  }

  setUnsent(bytes: number): void {
    this.sum.owed += bytes - this.unsent
    this.sum.unsent += bytes - this.unsent
    this.unsent = bytes
  }

  /** A read begins; returns how many bytes to give back when it is over. */
  reserve(bytes: number = this.expectedReadBytes): number {
    this.reading += bytes
    this.sum.owed += bytes
    return bytes
  }

  giveBack(reserved: number): void {
    this.reading -= reserved
    this.sum.owed -= reserved
  }

  /** A read brought so many bytes: the next one will, too. */
  readBrought(bytes: number): void {
    this.expectedReadBytes = Math.max(leastReadBytes, bytes)
  }

  /** The connection is gone; what still runs for it ends by itself and changes the sums then. */
  close(): void {
    this.setUnread(0)
    this.setUnsent(0)
  }
}

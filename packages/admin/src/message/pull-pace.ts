/** Messages that brokers give at once at most, unless they are told otherwise. */
export const mostAtOnce = 32
/** Asked for of a queue of which nothing is known: so many of the largest messages (4 MiB) fit into a frame (16 MiB). */
const firstCount = 3
/** Taken for the size of a message of which nothing is known, bytes: brokers cut an answer at 256 KiB unless they are told otherwise. */
const unknownBytes = 256 * 1024

/** What a message costs that is held: its body as it is read, and what else is stored of it. */
export interface SizedMessage {
  readonly storeSize: number
  readonly body: { readonly length: number }
}

/** Bytes of a message that is held; a body that was compressed in the store counts as what it has become. */
export const heldSize = ({ storeSize, body }: SizedMessage): number => Math.max(storeSize, body.length)

/** How many messages of a queue are asked for at once: by the size of those before, so that an answer stays small. */
export class PullPace {
  /** What an answer is to have, bytes; one message may have more. */
  static readonly pieceBytes = 1024 * 1024
  private last = firstCount
  private size: number | undefined

  /** 1 to 32. */
  get count(): number {
    return Math.max(1, Math.min(this.last, Math.floor(PullPace.pieceBytes / Math.max(1, this.size ?? 1))))
  }

  /** What a message of this queue has about, bytes. */
  get messageBytes(): number {
    return this.size ?? unknownBytes
  }

  /** The answer did not come: it may have been larger than a frame may be. */
  failed(): void {
    this.last = 1
  }

  /** What came of the last question. */
  saw(messages: readonly SizedMessage[]): void {
    if (messages.length === 0) return
    const mean = messages.reduce((sum, message) => sum + heldSize(message), 0) / messages.length
    // A large one is believed at once, small ones little by little.
    this.size = Math.max(mean, (this.size ?? mean) / 2)
    this.last = Math.min(mostAtOnce, 2 * this.last)
  }
}

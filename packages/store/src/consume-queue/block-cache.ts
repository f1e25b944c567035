import { unitBytes } from './unit.ts'

/** A run of a queue's units in memory, `count` of them from `firstUnit` on. */
export interface Block {
  readonly owner: BlockOwner
  readonly firstUnit: number
  count: number
  readonly bytes: Buffer
  /** Filled since the cache last looked: spared once. */
  touched: boolean
  /** False once its owner has let go of it. */
  isHeld: boolean
}

export interface BlockOwner {
  /** Gives up its oldest block, writing it first where needed. Throws DiskError; the block then stays. */
  dropOldest(): void
}

/** The first block of a queue is small, because most of many queues are quiet; the next ones are not. */
const firstBlockUnits = 48
const blockUnits = 512

/**
 * Caps the memory of all queues' blocks together, so that ten thousand queues stay affordable. The oldest block goes
 * first; a block at the end of a busy queue is spared once per round.
 */
export class BlockCache {
  private queue: (Block | undefined)[] = []
  private head = 0
  private held = 0
  private readonly limitBytes: number
  private readonly onTrouble: (error: unknown) => void
  bytes = 0

  /** Blocks that it knows, also such as their owners have let go of. */
  get listed(): number {
    return this.queue.length - this.head
  }

  /** `onTrouble` is told when an old block cannot be written: it stays, and the cap is passed rather than a unit lost. */
  constructor(limitBytes: number, onTrouble: (error: unknown) => void) {
    this.limitBytes = limitBytes
    this.onTrouble = onTrouble
  }

  /** A new block for `owner`. */
  open(owner: BlockOwner, { firstUnit, isFirst }: { firstUnit: number; isFirst: boolean }): Block {
    const size = (isFirst ? firstBlockUnits : blockUnits) * unitBytes
    if (this.bytes + size > this.limitBytes) this.shrink(this.limitBytes - size)
    const block: Block = {
      owner,
      firstUnit,
      count: 0,
      bytes: Buffer.allocUnsafeSlow(size),
      touched: true,
      isHeld: true,
    }
    this.bytes += size
    this.held++
    this.queue.push(block)
    if (this.listed > 2 * this.held + 1024) this.forgetLetGo()
    return block
  }

  /** The owner has let go of a block. */
  closed(block: Block): void {
    block.isHeld = false
    this.held--
    this.bytes -= block.bytes.length
  }

  /** Where queues come and go, the limit is never reached that would pass their blocks by. */
  private forgetLetGo(): void {
    this.queue = this.queue.slice(this.head).filter(block => block?.isHeld)
    this.head = 0
  }

  private shrink(toBytes: number): void {
    let looks = 2 * (this.queue.length - this.head)
    while (this.bytes > toBytes && this.head < this.queue.length && looks-- > 0) {
      const block = this.queue[this.head]!
      this.queue[this.head++] = undefined
      if (!block.isHeld) continue
      if (block.touched) {
        block.touched = false
        this.queue.push(block)
        continue
      }
      try {
        // An older one of its owner may stand behind it, because it was spared when this one was not there yet.
        while (block.isHeld) block.owner.dropOldest()
      } catch (error) {
        this.queue.push(block)
        this.onTrouble(error)
        return
      }
    }
    if (this.head > 1024 && this.head > this.queue.length / 2) {
      this.queue = this.queue.slice(this.head)
      this.head = 0
    }
  }
}

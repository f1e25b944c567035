import { opTopic } from '@skua-mq/protocol'
import { type Clock, delay } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { readQueue, type UnreadableMessage } from '../record/queue-reader.ts'
import { halfOffsetsOf } from './op-messages.ts'

/** Half messages of one block, and how many blocks a round keeps in mind: 2 million places, 16 MiB. */
const blockHalves = 4096
export const maxBlocks = 512
/** Decided halves that lie before a round and are kept in mind for the sake of their copies. */
export const maxEarly = 250_000
/** Ops between which the loop gets a turn: they may be millions, and in memory. */
const opsPerTurn = 2000

const undecided = -1

export interface DecidedLimits {
  readonly blocks: number
  readonly early: number
}

export interface DecidedParts {
  readonly store: Pick<MessageStore, 'get' | 'queue' | 'maxOffset' | 'minOffset' | 'readRecord'>
  readonly clock: Clock
  /** Ends the reading early; what is asked then is of no use. */
  readonly isStopped?: () => boolean
  /** Told of each op that does not read. What it decides counts as undecided: its producer is asked again. */
  readonly unreadable?: (op: UnreadableMessage) => void
  /** Where a round begins. */
  readonly half: number
  readonly op: number
  readonly limits?: DecidedLimits
}

/**
 * What the op queue says from an offset on. Memory is bounded and the answers are right all the same: of more than
 * `maxBlocks` the lowest are kept, and a round ends at `horizon`; of the halves before the round more than `maxEarly` are
 * looked for in the queue again.
 */
export class DecidedHalves {
  /** Where to go on reading. */
  nextOp: number
  /** Of halves from here on nothing is known. */
  horizon = Number.POSITIVE_INFINITY
  /** By block: the first op that decides each half. */
  private readonly blocks = new Map<number, Float64Array>()
  private readonly early = new Map<number, number>()
  private readonly fromOp: number
  private readonly parts: DecidedParts
  private readonly limits: DecidedLimits
  private earlyLeftOut = false
  private firstOpBeyond = Number.POSITIVE_INFINITY

  constructor(parts: DecidedParts) {
    this.parts = parts
    this.limits = parts.limits ?? { blocks: maxBlocks, early: maxEarly }
    this.fromOp = Math.max(parts.op, parts.store.minOffset(opTopic, 0))
    this.nextOp = this.fromOp
  }

  /** Reads to the end of the queue. */
  async readAll(): Promise<void> {
    await this.eachOp(this.nextOp, (half, op) => {
      this.note(half, op)
      this.nextOp = Math.max(this.nextOp, op + 1)
    })
  }

  /** Whether a half message of the round is decided; it lies before `horizon`. */
  has(half: number): boolean {
    if (half < this.parts.half) return this.early.has(half)
    return (this.blocks.get(Math.floor(half / blockHalves))?.[half % blockHalves] ?? undecided) !== undecided
  }

  /** The same for the first place of a copy, which may lie before the round. */
  async hasFirst(half: number): Promise<boolean> {
    if (this.has(half)) return true
    if (half >= this.parts.half || !this.earlyLeftOut) return false
    let found = false
    await this.eachOp(this.fromOp, decided => {
      found ||= decided === half
    })
    return found
  }

  /**
   * From which op on a later round has to read: all before decide half messages which lie before `halfOffset`. `awaited`
   * are such that lie before it, and whose decision is still asked for.
   */
  firstNeeded(halfOffset: number, awaited: ReadonlyMap<number, number>): number {
    let first = Math.min(this.nextOp, this.firstOpBeyond)
    for (const [half, op] of this.early) if (op < first && (half >= halfOffset || awaited.has(half))) first = op
    if (this.earlyLeftOut && awaited.size > 0) first = Math.min(first, this.fromOp)
    for (const [block, ops] of this.blocks)
      for (let at = 0; at < blockHalves; at++) {
        const op = ops[at]!
        if (op === undecided || op >= first) continue
        const half = block * blockHalves + at
        if (half >= halfOffset || awaited.has(half)) first = op
      }
    return first
  }

  private async eachOp(from: number, see: (half: number, op: number) => void): Promise<void> {
    const { store, clock, isStopped, unreadable = () => {} } = this.parts
    let count = 0
    for await (const op of readQueue(store, { topic: opTopic, queueId: 0, unreadable }, from)) {
      for (const half of halfOffsetsOf(op.body)) see(half, op.queueOffset)
      if (++count % opsPerTurn !== 0) continue
      await delay(clock, 0)
      if (isStopped?.() === true) return
    }
  }

  private note(half: number, op: number): void {
    if (half < this.parts.half) {
      if (this.early.has(half)) return
      if (this.early.size < this.limits.early) this.early.set(half, op)
      else this.earlyLeftOut = true
      return
    }
    if (half >= this.horizon) {
      this.firstOpBeyond = Math.min(this.firstOpBeyond, op)
      return
    }
    const id = Math.floor(half / blockHalves)
    let block = this.blocks.get(id)
    if (block === undefined) {
      block = new Float64Array(blockHalves).fill(undecided)
      this.blocks.set(id, block)
    }
    if (block[half % blockHalves] === undecided) block[half % blockHalves] = op
    if (this.blocks.size > this.limits.blocks) this.giveUpHighest()
  }

  private giveUpHighest(): void {
    const highest = Math.max(...this.blocks.keys())
    for (const op of this.blocks.get(highest)!) if (op !== undecided && op < this.firstOpBeyond) this.firstOpBeyond = op
    this.blocks.delete(highest)
    this.horizon = highest * blockHalves
  }
}

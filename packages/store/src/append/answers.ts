import type { Clock, Timer, Turn, TurnSlot } from '@skua-mq/runtime'
import type { PutSlot, SlotPool } from './put-slot.ts'
import { SlotList } from './slot-list.ts'

/** Where slaves tell how far they are; the seam for replication. */
export interface Replicas {
  /** Whether a slave is connected and near enough to be waited for (haSlaveFallbehindMax). */
  readonly available: boolean
  /** All bytes of the log below this are confirmed by a slave. */
  readonly confirmedOffset: number
  /** Calls `run` when `confirmedOffset` has moved. */
  onConfirmed(run: () => void): void
  /** Calls `run` when `available` may have become false: whoever waits for a slave waits for nobody then. */
  onFaltered(run: () => void): void
}

/**
 * Written appends on their way to their answers. Those which wait for nothing are answered in this turn's phase
 * 'answer'; the others when the fdatasync and the slave they wait for have passed their end, or at their deadline.
 */
export class Answers {
  private readonly ready = new SlotList()
  private readonly waiting = new SlotList()
  private readonly clock: Clock
  private readonly turn: Turn
  private readonly pool: SlotPool
  private readonly replicas: Replicas | undefined
  private slot: TurnSlot | undefined
  private timer: Timer | undefined
  private syncedOffset = 0
  /** When the last fdatasync had ended. */
  private syncedAtMs = 0

  constructor(parts: { clock: Clock; turn: Turn; pool: SlotPool; replicas: Replicas | undefined }) {
    this.clock = parts.clock
    this.turn = parts.turn
    this.pool = parts.pool
    this.replicas = parts.replicas
  }

  start(syncedOffset: number): void {
    this.syncedOffset = syncedOffset
    this.slot = this.turn.join('answer', () => this.answerReady())
    this.replicas?.onConfirmed(() => this.settle())
    this.replicas?.onFaltered(() => this.slavesFaltered())
  }

  /** Answers all that is ready, gives up all that still waits, and leaves the turn. */
  stop(): void {
    this.timer?.cancel()
    this.timer = undefined
    for (let slot = this.waiting.shift(); slot !== undefined; slot = this.waiting.shift()) {
      this.giveUp(slot, Number.POSITIVE_INFINITY)
      this.ready.push(slot)
    }
    this.answerReady()
    this.slot?.leave()
    this.slot = undefined
  }

  /** How many wait for an fdatasync or a slave. */
  get waitingCount(): number {
    return this.waiting.length
  }

  /** Takes an append whose bytes are written. */
  add(slot: PutSlot): void {
    // The last slave may have gone since the append was taken.
    if (slot.needsSlave && this.replicas?.available !== true) withoutSlave(slot)
    if (slot.needsSync || slot.needsSlave) {
      this.waiting.push(slot)
      if (this.timer === undefined) this.armTimer()
      return
    }
    this.ready.push(slot)
    this.slot?.arm()
  }

  /** An fdatasync that covers all bytes below `offset` has ended. */
  synced(offset: number): void {
    this.syncedOffset = offset
    this.syncedAtMs = this.clock.monotonic()
    this.settle()
  }

  /** The fdatasync failed: nothing that waits for it may be called synced. */
  syncFailed(): void {
    for (let left = this.waiting.length; left > 0; left--) {
      const slot = this.waiting.shift()!
      if (slot.needsSync) slot.result.status = 'flushDiskTimeout'
      slot.needsSync = false
      this.waiting.push(slot)
    }
    this.settle()
  }

  /** Where no slave is left that may confirm, nothing is waited for: as RocketMQ answers whoever comes later. */
  private slavesFaltered(): void {
    this.settle()
    if (this.replicas?.available === true) return
    for (let left = this.waiting.length; left > 0; left--) {
      const slot = this.waiting.shift()!
      if (slot.needsSlave) {
        slot.result.slaveMs = this.clock.monotonic() - slot.writtenAtMs
        withoutSlave(slot)
      }
      this.waiting.push(slot)
    }
    this.settle()
  }

  private settle(): void {
    for (let slot = this.waiting.peek(); slot !== undefined; slot = this.waiting.peek()) {
      if (slot.needsSync && slot.end <= this.syncedOffset) {
        slot.needsSync = false
        slot.result.syncMs = Math.max(0, this.syncedAtMs - slot.writtenAtMs)
      }
      if (slot.needsSlave && slot.end <= (this.replicas?.confirmedOffset ?? 0)) {
        slot.needsSlave = false
        slot.result.slaveMs = this.clock.monotonic() - slot.writtenAtMs
      }
      if (slot.needsSync || slot.needsSlave) return
      this.waiting.shift()
      this.ready.push(slot)
      this.slot?.arm()
    }
  }

  private giveUp(slot: PutSlot, nowMs: number): void {
    if (slot.needsSync && slot.syncDeadline <= nowMs) {
      slot.needsSync = false
      slot.result.syncMs = nowMs - slot.writtenAtMs
      if (slot.result.status === 'ok') slot.result.status = 'flushDiskTimeout'
    }
    // The state of the slave wins over that of the disk (store.md 6).
    if (slot.needsSlave && slot.slaveDeadline <= nowMs) {
      slot.needsSlave = false
      slot.result.slaveMs = nowMs - slot.writtenAtMs
      slot.result.status = 'flushSlaveTimeout'
    }
  }

  private armTimer(): void {
    const slot = this.waiting.peek()
    if (slot === undefined) return
    const sync = slot.needsSync ? slot.syncDeadline : Number.POSITIVE_INFINITY
    const slave = slot.needsSlave ? slot.slaveDeadline : Number.POSITIVE_INFINITY
    const ms = Math.max(1, Math.ceil(Math.min(sync, slave) - this.clock.monotonic()))
    this.timer = this.clock.after(ms, () => this.expire())
  }

  private expire(): void {
    this.timer = undefined
    const now = this.clock.monotonic()
    for (let left = this.waiting.length; left > 0; left--) {
      const slot = this.waiting.shift()!
      this.giveUp(slot, now)
      this.waiting.push(slot)
    }
    this.settle()
    if (this.waiting.length > 0) this.armTimer()
  }

  private answerReady(): void {
    for (let slot = this.ready.shift(); slot !== undefined; slot = this.ready.shift()) {
      slot.answer()
      this.pool.give(slot)
    }
  }
}

/** The state of the slave wins over that of the disk (store.md 6). */
function withoutSlave(slot: PutSlot): void {
  slot.needsSlave = false
  slot.result.status = 'slaveNotAvailable'
}

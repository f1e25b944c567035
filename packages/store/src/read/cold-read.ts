import { defineEvent, type Events, isBadPlace } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { StoreConfig } from '../config.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import type { ExtWindow } from '../consume-queue/queue-ext.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { fillSize, unitBytes, unitPhysicalOffset, unitSize } from '../consume-queue/unit.ts'
import type { GetRequest, GetResult } from '../get.ts'
import type { LogReader } from '../reader.ts'
import { isWholeRecord } from '../record/whole-record.ts'
import { type ColdBytes, ColdPool } from './cold-bytes.ts'
import { type LogBlock, LogBlocks } from './log-blocks.ts'
import { passesUnit } from './passes-unit.ts'
import { type UnitWindow, UnitWindows } from './unit-windows.ts'

/** Most units looked at in one read (store.md 6). */
export const scanUnits = 800
/** A message from this size on is read by itself, and kept in no block. */
const largeBytes = 128 * 1024
/** Pieces that are sent as they lie; more of them are copied together, which costs less than a write of many. */
const maxPieces = 4

export interface ColdReadParts {
  readonly config: StoreConfig
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly reader: LogReader
  readonly events: Events
}

export const recordUnreadable = defineEvent<{ topic: string; queueId: number; offset: number; size: number }>(
  'a message is damaged in the commit log, and left out',
  'error',
)
/** Each damaged message is named once, up to so many. */
const maxNamed = 1000

/** The messages that an answer is to hold, in the order of the queue. */
interface Plan {
  readonly froms: number[]
  readonly sizes: number[]
  /** The units of them, from the first that is looked at. */
  readonly units: number[]
  /** Units that were looked at. */
  looked: number
}

/** What was read for one answer: blocks that are pinned for it, and large messages by their offsets. */
interface Loaded {
  readonly blocks: Map<number, LogBlock>
  readonly large: Map<number, Buffer>
}

interface Piece {
  readonly bytes: Buffer
  from: number
  to: number
  readonly pin: { pins: number } | undefined
}

/** Reads messages from the files: at once where their bytes were read for somebody else just now, or through the pool. */
export class ColdRead {
  private readonly parts: ColdReadParts
  private readonly blocks: LogBlocks
  private readonly windows = new UnitWindows()
  private readonly answers = new ColdPool()
  private readonly unreadable = new Set<number>()

  constructor(parts: ColdReadParts) {
    this.parts = parts
    this.blocks = new LogBlocks(parts.log, parts.config.logReadBytes)
  }

  /** Answers from what was read already; false when something of it is not in memory. */
  now(queue: ConsumeQueue, request: GetRequest, result: GetResult): boolean {
    // Extended units have no place in memory when they are old.
    if (request.filter !== undefined && queue.hasExt) return false
    const window = this.windows.find(queue, request.offset, wantedUnits(request))
    if (window === undefined) return false
    const plan = this.plan(request, { queue, window, ext: undefined })
    for (let i = 0; i < plan.froms.length; i++) if (!this.hasRecord(plan.froms[i]!, plan.sizes[i]!)) return false
    this.answer(plan, undefined, { request, result })
    return true
  }

  /** Reads what is lacking, then answers. Throws DiskError. */
  async later(queue: ConsumeQueue, request: GetRequest, result: GetResult): Promise<void> {
    const known = this.windows.find(queue, request.offset, wantedUnits(request))
    if (known !== undefined) known.pins++
    const window = known ?? (await this.windows.load(queue, request.offset))
    if (window === undefined) {
      result.status = 'offsetFoundNull'
      const { fileUnits } = this.parts.queues.files
      result.nextOffset = Math.min(queue.maxOffset, request.offset - (request.offset % fileUnits) + fileUnits)
      return
    }
    const plan = await this.planIn(window, queue, request)
    const loaded: Loaded = { blocks: new Map(), large: new Map() }
    try {
      await this.load(plan, loaded)
      this.answer(plan, loaded, { request, result })
    } finally {
      for (const block of loaded.blocks.values()) block.pins--
    }
  }

  /** Takes the pin of the window. */
  private async planIn(window: UnitWindow, queue: ConsumeQueue, request: GetRequest): Promise<Plan> {
    try {
      const ext = request.filter === undefined ? undefined : await queue.extWindow(unitsFrom(window, request.offset))
      return this.plan(request, { queue, window, ext })
    } finally {
      this.windows.release(window)
    }
  }

  private answer(plan: Plan, loaded: Loaded | undefined, to: { request: GetRequest; result: GetResult }): void {
    const { request, result } = to
    this.take(plan, loaded, to)
    const { froms } = plan
    result.nextOffset = request.offset + plan.looked
    if (result.count > 0) result.status = 'found'
    else if (froms.length > 0 && froms[0]! < this.parts.log.minOffset) result.status = 'messageWasRemoving'
    const last = froms.at(-1)
    result.lagBytes = last === undefined ? 0 : this.parts.log.written - last
  }

  /** Chooses the messages by their entries. */
  private plan(
    request: GetRequest,
    { queue, window, ext }: { queue: ConsumeQueue; window: UnitWindow; ext: ExtWindow | undefined },
  ): Plan {
    const plan: Plan = { froms: [], sizes: [], units: [], looked: 0 }
    const units = window.bytes
    const begin = request.offset - window.first
    const count = Math.min(window.count - begin, scanUnits)
    let bytes = 0
    for (; plan.looked < count; plan.looked++) {
      const at = (begin + plan.looked) * unitBytes
      const size = unitSize(units, at)
      if (size === fillSize) continue
      if (request.filter !== undefined && !passesUnit(queue, request.filter, { bytes: units, at, window: ext }))
        continue
      const from = unitPhysicalOffset(units, at)
      if (plan.froms.length > 0 && this.isFull({ messages: plan.froms.length, bytes: bytes + size }, from, request))
        break
      bytes += size
      plan.froms.push(from)
      plan.sizes.push(size)
      plan.units.push(plan.looked)
    }
    return plan
  }

  /** "In memory" as RocketMQ means it: within that share of the machine's memory behind the end of the log. */
  private isFull(then: { messages: number; bytes: number }, from: number, request: GetRequest): boolean {
    const { config, log } = this.parts
    const isNear = log.written - from <= (config.totalMemoryBytes * config.accessMessageInMemoryMaxRatio) / 100
    const count = isNear ? config.maxTransferCountOnMessageInMemory : config.maxTransferCountOnMessageInDisk
    const bytes = isNear ? config.maxTransferBytesOnMessageInMemory : config.maxTransferBytesOnMessageInDisk
    const most = Math.min(count, request.maxCount, request.filter?.mostRecords ?? count)
    return then.messages >= most || then.bytes > Math.min(bytes, request.maxBytes)
  }

  private hasRecord(from: number, size: number): boolean {
    if (size >= largeBytes) return false
    for (let at = this.blocks.baseOf(from); at < from + size; at = this.blocks.endOf(at))
      if (this.blocks.find(at, Math.min(from + size, this.blocks.endOf(at))) === undefined) return false
    return true
  }

  /**
   * Brings what a plan needs into memory. A place that the disk does not give keeps none of its neighbours, which are read together
   * with it: the plan ends before the record that lies there. Throws DiskError where that is the first one.
   */
  private async load(plan: Plan, { blocks, large }: Loaded): Promise<void> {
    // The last end that is needed of each block.
    const needed = new Map<number, number>()
    for (let i = 0; i < plan.froms.length; i++) {
      const from = plan.froms[i]!
      const end = from + plan.sizes[i]!
      if (plan.sizes[i]! >= largeBytes) {
        if (!(await this.loadAlone(plan, i, large))) break
        continue
      }
      for (let at = this.blocks.baseOf(from); at < end; at = this.blocks.endOf(at))
        needed.set(at, Math.max(needed.get(at) ?? 0, Math.min(end, this.blocks.endOf(at))))
    }
    let bad: Set<number> | undefined
    for (const [base, end] of needed) {
      try {
        const block = await this.blocks.hold(base, end)
        if (block !== undefined) blocks.set(base, block)
      } catch (error) {
        if (!isBadPlace(error)) throw error
        bad ??= new Set()
        bad.add(base)
      }
    }
    if (bad === undefined) return
    for (let i = 0; i < plan.froms.length; i++)
      if (this.touches(bad, plan, i) && !(await this.loadAlone(plan, i, large))) return
  }

  private touches(bad: ReadonlySet<number>, { froms, sizes }: Plan, i: number): boolean {
    for (let at = this.blocks.baseOf(froms[i]!); at < froms[i]! + sizes[i]!; at = this.blocks.endOf(at))
      if (bad.has(at)) return sizes[i]! < largeBytes
    return false
  }

  /** False where the plan ends before it now. */
  private async loadAlone(plan: Plan, i: number, large: Map<number, Buffer>): Promise<boolean> {
    const { froms, sizes, units } = plan
    try {
      large.set(froms[i]!, await this.parts.reader.read(froms[i]!, sizes[i]!))
      return true
    } catch (error) {
      if (i === 0 || !isBadPlace(error)) throw error
      plan.looked = units[i]!
      froms.length = sizes.length = units.length = i
      return false
    }
  }

  /** Takes the wanted records out of the blocks, moved together where they lie in many pieces. */
  private take(plan: Plan, loaded: Loaded | undefined, to: { request: GetRequest; result: GetResult }): void {
    const { request, result } = to
    const pieces: Piece[] = []
    for (let i = 0; i < plan.froms.length; i++) {
      const size = plan.sizes[i]!
      const piece = this.pieceOf(plan.froms[i]!, size, loaded)
      // A segment that went away meanwhile, an entry that does not fit its record, or one whose parts are not as long as it says:
      // whoever takes an answer apart by them would miss those behind it.
      if (piece === undefined || !isWholeRecord(piece.bytes, piece, plan.froms[i]!)) {
        this.leftOut(plan.froms[i]!, size, request)
        continue
      }
      if (request.filter?.matchesRecord?.(piece.bytes, piece.from, piece.to) === false) continue
      const before = pieces.at(-1)
      if (before !== undefined && before.bytes === piece.bytes && before.to === piece.from) before.to = piece.to
      else pieces.push(piece)
      result.count++
      result.bytes += size
    }
    if (pieces.length <= maxPieces) for (const piece of pieces) send(piece, result)
    else result.slices.push(this.joined(pieces, result))
  }

  private leftOut(offset: number, size: number, { topic, queueId }: GetRequest): void {
    const { log, events } = this.parts
    if (offset < log.minOffset || this.unreadable.has(offset) || this.unreadable.size >= maxNamed) return
    this.unreadable.add(offset)
    events.emit(recordUnreadable({ topic, queueId, offset, size }))
  }

  private pieceOf(from: number, size: number, loaded: Loaded | undefined): Piece | undefined {
    const whole = loaded?.large.get(from)
    if (whole !== undefined) return { bytes: whole, from: 0, to: size, pin: undefined }
    const base = this.blocks.baseOf(from)
    const end = this.blocks.endOf(base)
    if (from + size > end) return this.acrossBlocks(from, size, loaded)
    const block = loaded?.blocks.get(base) ?? this.blocks.find(base, from + size)
    if (block === undefined) return undefined
    this.blocks.touch(block)
    return { bytes: block.bytes, from: from - base, to: from - base + size, pin: block }
  }

  /** A record that begins in one block and ends in another, copied together. */
  private acrossBlocks(from: number, size: number, loaded: Loaded | undefined): Piece | undefined {
    const bytes = Buffer.allocUnsafe(size)
    let done = 0
    while (done < size) {
      const base = this.blocks.baseOf(from + done)
      const end = Math.min(this.blocks.endOf(base), from + size)
      const block = loaded?.blocks.get(base) ?? this.blocks.find(base, end)
      if (block === undefined) return undefined
      block.bytes.copy(bytes, done, from + done - base, end - base)
      done = end - from
    }
    return { bytes, from: 0, to: size, pin: undefined }
  }

  private joined(pieces: readonly Piece[], result: GetResult): Buffer {
    let length = 0
    for (const { from, to } of pieces) length += to - from
    const cold: ColdBytes = this.answers.take(length)
    let at = 0
    for (const { bytes, from, to } of pieces) {
      bytes.copy(cold.bytes, at, from, to)
      at += to - from
    }
    result.pinned.push(cold)
    return cold.bytes.subarray(0, length)
  }
}

/** What a window must have left. Without a filter no more is looked at than messages are wanted, but for fill units. */
const wantedUnits = ({ filter, maxCount }: GetRequest): number =>
  filter === undefined ? Math.min(scanUnits, maxCount) : scanUnits / 2

const unitsFrom = ({ first, count, bytes }: UnitWindow, offset: number): Buffer =>
  bytes.subarray((offset - first) * unitBytes, count * unitBytes)

function send({ bytes, from, to, pin }: Piece, result: GetResult): void {
  if (pin !== undefined) {
    pin.pins++
    result.pinned.push(pin)
  }
  result.slices.push(bytes.subarray(from, to))
}

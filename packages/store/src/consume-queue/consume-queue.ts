import { assert } from '@skua-mq/runtime'
import type { MessageQueue, QueueEntry } from '../message-store.ts'
import type { SpecialQueue } from '../special-queue.ts'
import type { Block, BlockCache, BlockOwner } from './block-cache.ts'
import type { ExtFiles } from './ext-files.ts'
import { type ExtUnit, extAddress, isExtAddress } from './ext-unit.ts'
import { type ExtWindow, QueueExt } from './queue-ext.ts'
import type { QueueFiles } from './queue-files.ts'
import {
  fillSize,
  putUnit,
  type UnitFields,
  unitBytes,
  unitPhysicalOffset,
  unitSize,
  unitTagsCode,
  unitTagsHash,
  unitTagsHigh,
} from './unit.ts'

/** What all queues share. */
export interface QueueParts {
  readonly files: QueueFiles
  readonly extFiles: ExtFiles
  readonly blocks: BlockCache
  /** By topic. */
  readonly special: ReadonlyMap<string, SpecialQueue>
  /** Told when a queue has units which its file does not have. */
  readonly becameDirty: (queue: ConsumeQueue) => void
  /** Files of a former life of a topic go before anything of the next one is written. Throws DiskError. */
  readonly beforeWrite: () => void
}

const fill: UnitFields = { physicalOffset: 0, size: fillSize, tagsHigh: 0, tagsLow: 0 }
const word = 0x1_0000_0000
const readAhead = Buffer.alloc(64 * unitBytes)

/**
 * The queue of a topic and queueId. `[minOffset, maxOffset)` is what consumers see. Units are filled in memory and
 * written later, since they can be rebuilt from the log: `[writtenOffset, maxOffset)` is in memory only.
 */
export class ConsumeQueue implements MessageQueue, BlockOwner {
  readonly topic: string
  readonly queueId: number
  minOffset = 0
  maxOffset = 0
  /** The queue offset of the next message; runs ahead of `maxOffset` within a turn. */
  nextOffset = 0
  writtenOffset = 0
  /** End of the last message in the log that has a unit here; -1 when none has. */
  maxPhysicalOffset = -1
  /** First unit of the first file; the files up to the one of `writtenOffset` follow. */
  firstFileUnit = 0
  /** Listed as dirty, and as having news for the listener of arrivals. */
  isDirty = false
  hasArrivals = false
  isDeleted = false
  /** Moves when the queue begins anew (a topic that was deleted and made again): what was read of it before is of another life. */
  life = 0
  private readonly blocks: Block[] = []
  private readonly parts: QueueParts
  private extended: QueueExt | undefined
  /** What its units carry in place of the hash of the tags. */
  readonly special: SpecialQueue | undefined

  constructor(parts: QueueParts, name: { topic: string; queueId: number }) {
    this.special = parts.special.get(name.topic)
    this.parts = parts
    this.topic = name.topic
    this.queueId = name.queueId
  }

  get directory(): string {
    return `${this.parts.files.root}/${this.topic}/${this.queueId}`
  }

  /** The extended units; made when first asked for. */
  get ext(): QueueExt {
    this.extended ??= new QueueExt(this.parts.extFiles, this.extDirectory)
    return this.extended
  }

  /** Whether there may be extended units. */
  get hasExt(): boolean {
    return this.extended !== undefined
  }

  private get extDirectory(): string {
    return `${this.parts.extFiles.root}/${this.topic}/${this.queueId}`
  }

  /** First unit in memory; `maxOffset` when none is. */
  get firstInMemory(): number {
    return this.blocks.length === 0 ? this.maxOffset : this.blocks[0]!.firstUnit
  }

  /** Adds the unit of the next message, and makes it visible. */
  push(unit: UnitFields): void {
    this.add(unit)
    if (unit.size !== fillSize) this.maxPhysicalOffset = unit.physicalOffset + unit.size
    if (this.nextOffset < this.maxOffset) this.nextOffset = this.maxOffset
  }

  /** Fills places up to `offset` for messages which are not in this log (store.md 3.3). */
  fillTo(offset: number): void {
    if (this.maxOffset === 0 && this.blocks.length === 0) {
      const fileStart = offset - (offset % this.parts.files.fileUnits)
      this.startAt(fileStart)
      while (this.maxOffset < offset) this.push(fill)
      this.minOffset = offset
      return
    }
    while (this.maxOffset < offset) this.push(fill)
  }

  /** Makes the queue one whose messages are all deleted, `offset` > 0 being the next one: its file says so with filled places. */
  emptyAt(offset: number): void {
    this.dropAll()
    this.startAt(offset - 1 - ((offset - 1) % this.parts.files.fileUnits))
    this.maxPhysicalOffset = -1
    while (this.maxOffset < offset) this.push(fill)
    this.minOffset = offset
  }

  /** Makes the queue empty, its next offset being `offset`. Only before any unit. */
  startAt(offset: number): void {
    this.life++
    this.minOffset = offset
    this.maxOffset = offset
    this.nextOffset = offset
    this.writtenOffset = offset
    this.firstFileUnit = offset - (offset % this.parts.files.fileUnits)
  }

  /** The block that holds a unit. */
  blockOf(offset: number): Block | undefined {
    for (let at = this.blocks.length - 1; at >= 0; at--) {
      const block = this.blocks[at]!
      if (offset >= block.firstUnit) return offset < block.firstUnit + block.count ? block : undefined
    }
    return undefined
  }

  entries(offset: number, into: QueueEntry[]): number {
    let count = 0
    while (count < into.length && offset + count < this.maxOffset && offset >= this.minOffset) {
      const got = this.readSync(offset + count, readAhead, into.length - count)
      if (got === 0) break
      for (let i = 0; i < got; i++, count++) {
        const entry = into[count]!
        entry.physicalOffset = unitPhysicalOffset(readAhead, i * unitBytes)
        entry.size = unitSize(readAhead, i * unitBytes)
        this.tagsOf(entry, i * unitBytes)
      }
    }
    return count
  }

  /** From the unit at `at` of what was read. */
  private tagsOf(entry: QueueEntry, at: number): void {
    entry.tagsCode = unitTagsCode(readAhead, at)
    if (entry.ext !== undefined) entry.ext = undefined
    if (!this.isExtended(readAhead, at)) return
    const address = extAddress(unitTagsHigh(readAhead, at), unitTagsHash(readAhead, at))
    const unit = this.ext.find(address)
    entry.ext = { address, unit }
    entry.tagsCode = unit === undefined ? 0 : unit.tagsHigh * word + (unit.tagsLow >>> 0)
  }

  /** Whether the unit at `at` names an extended one. */
  isExtended(bytes: Buffer, at: number): boolean {
    const high = unitTagsHigh(bytes, at)
    return high < 0 && isExtAddress(high, unitTagsHash(bytes, at))
  }

  /** The extended unit that the unit at `at` names; undefined when it is lost. */
  extUnit(bytes: Buffer, at: number, window?: ExtWindow): ExtUnit | undefined {
    return this.ext.find(extAddress(unitTagsHigh(bytes, at), unitTagsHash(bytes, at)), window)
  }

  /** Reads what the units of `bytes` name through the pool; undefined when they name none, or it is in memory. */
  async extWindow(bytes: Buffer): Promise<ExtWindow | undefined> {
    let from = -1
    let to = -1
    for (let at = 0; at < bytes.length; at += unitBytes) {
      if (!this.isExtended(bytes, at)) continue
      to = extAddress(unitTagsHigh(bytes, at), unitTagsHash(bytes, at))
      if (from < 0) from = to
    }
    return from < 0 ? undefined : await this.ext.window(from, to)
  }

  /** Copies up to `count` units from `offset` on, as many as lie together; from memory or from the file. */
  readSync(offset: number, into: Buffer, count: number): number {
    const wanted = Math.min(count, Math.floor(into.length / unitBytes), this.maxOffset - offset)
    if (wanted <= 0) return 0
    const block = this.blockOf(offset)
    if (block !== undefined) return copyUnits(block, offset, { into, count: wanted })
    const onFile = Math.min(wanted, this.writtenOffset - offset)
    return onFile <= 0 ? 0 : this.parts.files.readSync(this.directory, offset, { into, count: onFile })
  }

  /** As `readSync`; what is not in memory is read through the pool. */
  async read(offset: number, into: Buffer, count: number): Promise<number> {
    const wanted = Math.min(count, Math.floor(into.length / unitBytes), this.maxOffset - offset)
    if (wanted <= 0) return 0
    const block = this.blockOf(offset)
    if (block !== undefined) return copyUnits(block, offset, { into, count: wanted })
    const onFile = Math.min(wanted, this.writtenOffset - offset)
    return onFile <= 0 ? 0 : await this.parts.files.read(this.directory, offset, { into, count: onFile })
  }

  /** Brings all units to the files. Throws DiskError; `writtenOffset` then says how far it came. */
  flush(): void {
    this.parts.beforeWrite()
    this.extended?.flush()
    for (const block of this.blocks) {
      const end = block.firstUnit + block.count
      if (end <= this.writtenOffset) continue
      assert(block.firstUnit <= this.writtenOffset, 'units are written where those before them end')
      const from = (this.writtenOffset - block.firstUnit) * unitBytes
      this.parts.files.write(this.directory, this.writtenOffset, {
        bytes: block.bytes,
        from,
        to: block.count * unitBytes,
      })
      this.writtenOffset = end
    }
  }

  dropOldest(): void {
    const block = this.blocks[0]!
    if (block.firstUnit + block.count > this.writtenOffset) this.flush()
    this.blocks.shift()
    this.parts.blocks.closed(block)
  }

  /** The extended units begin at 0 again; their files are gone, or about to be. */
  restartExt(): void {
    this.extended?.restart()
  }

  /** Forgets all units in memory, written or not. */
  dropAll(): void {
    for (const block of this.blocks.splice(0)) this.parts.blocks.closed(block)
  }

  private add(unit: UnitFields): void {
    let block = this.blocks[this.blocks.length - 1]
    if (block === undefined || (block.count + 1) * unitBytes > block.bytes.length) {
      block = this.parts.blocks.open(this, { firstUnit: this.maxOffset, isFirst: this.blocks.length === 0 })
      this.blocks.push(block)
    }
    putUnit(block.bytes, block.count * unitBytes, unit)
    block.count++
    block.touched = true
    this.maxOffset++
    if (!this.isDirty) {
      this.isDirty = true
      this.parts.becameDirty(this)
    }
  }
}

function copyUnits(block: Block, offset: number, { into, count }: { into: Buffer; count: number }): number {
  const from = offset - block.firstUnit
  const got = Math.min(count, block.count - from)
  block.bytes.copy(into, 0, from * unitBytes, (from + got) * unitBytes)
  return got
}

import { ColdPool } from './cold-bytes.ts'
import type { CommitLog } from './commit-log/commit-log.ts'
import type { Chunk } from './commit-log/log-ring.ts'
import type { StoreConfig } from './config.ts'
import type { ConsumeQueue } from './consume-queue/consume-queue.ts'
import type { ExtWindow } from './consume-queue/queue-ext.ts'
import type { QueueTable } from './consume-queue/queue-table.ts'
import { fillSize, unitBytes, unitPhysicalOffset, unitSize, unitTagsHash } from './consume-queue/unit.ts'
import type { GetRequest, GetResult, MessageFilter } from './get.ts'
import { type LogReader, recordSizeAt } from './reader.ts'

export interface QueueReadParts {
  readonly config: StoreConfig
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly reader: LogReader
}

/** Most units looked at in one read (store.md 6). */
const scanUnits = 800
/**
 * Between two wanted messages, bytes that are read along rather than begun anew: copying them from the page cache costs
 * less than another way through the pool (about 40 us). One run is at most `runBytes` long.
 */
const readAlongBytes = 32 * 1024
const runBytes = 1024 * 1024
const maxScratches = 8

/**
 * Reads messages from queues (store.md 6, getMessage). What is in memory is answered at once with slices of it; anything
 * else goes through the pool.
 */
export class QueueRead {
  private readonly parts: QueueReadParts
  /** Buffers for reads in the pool: fresh ones of this size cost more than the read, in page faults. */
  private readonly scratch: Buffer[] = []
  private readonly units: Buffer[] = []
  private readonly answers = new ColdPool()

  constructor(parts: QueueReadParts) {
    this.parts = parts
  }

  get(request: GetRequest, result: GetResult): Promise<void> | undefined {
    result.reset()
    const queue = this.parts.queues.find(request.topic, request.queueId)
    if (queue === undefined) {
      result.status = 'noMatchedLogicQueue'
      return undefined
    }
    result.minOffset = queue.minOffset
    result.maxOffset = queue.maxOffset
    if (!this.isInside(request, result)) return undefined
    result.nextOffset = request.offset
    result.status = 'noMatchedMessage'
    if (request.offset >= queue.firstInMemory && this.hot(queue, request, result)) return undefined
    result.release()
    // The caller fills its request anew for the next read while this one waits for the disk.
    return this.cold(queue, { ...request }, result)
  }

  /** Settles the cases that need no look at the queue. */
  private isInside(request: GetRequest, result: GetResult): boolean {
    const { offset } = request
    const { minOffset, maxOffset } = result
    if (maxOffset === 0) result.status = 'noMessageInQueue'
    else if (offset < minOffset) {
      result.status = 'offsetTooSmall'
      result.nextOffset = minOffset
    } else if (offset === maxOffset) {
      result.status = 'offsetOverflowOne'
      result.nextOffset = offset
    } else if (offset > maxOffset) {
      result.status = 'offsetOverflowBadly'
      result.nextOffset = maxOffset
    } else return true
    return false
  }

  /** Answers from memory; false when the first wanted message is not there. A plain loop: it runs for every message. */
  private hot(queue: ConsumeQueue, request: GetRequest, result: GetResult): boolean {
    const { log, config } = this.parts
    const { filter } = request
    const maxCount = Math.min(request.maxCount, config.maxTransferCountOnMessageInMemory)
    const maxBytes = Math.min(request.maxBytes, config.maxTransferBytesOnMessageInMemory)
    const stop = Math.min(queue.maxOffset, request.offset + scanUnits)
    let block = queue.blockOf(request.offset)
    let chunk: Chunk | undefined
    let from = 0
    let to = 0
    let offset = request.offset
    let last = -1
    for (; offset < stop && result.count < maxCount; offset++) {
      if (block === undefined || offset >= block.firstUnit + block.count) block = queue.blockOf(offset)
      if (block === undefined) break
      const at = (offset - block.firstUnit) * unitBytes
      const size = unitSize(block.bytes, at)
      if (size === fillSize) continue
      if (filter !== undefined && !passesUnit(queue, filter, { bytes: block.bytes, at })) continue
      const physicalOffset = unitPhysicalOffset(block.bytes, at)
      if (result.count > 0 && result.bytes + size > maxBytes) break
      const holder = isIn(chunk, physicalOffset, size) ? chunk : log.ring.find(physicalOffset, size)
      if (holder === undefined) {
        // What precedes is answered; the next read begins here and takes the way through the files.
        if (result.count === 0 && offset === request.offset) return false
        break
      }
      const start = physicalOffset - holder.base
      if (filter?.matchesRecord !== undefined && !filter.matchesRecord(holder.bytes, start, start + size)) continue
      if (holder !== chunk || start !== to) {
        if (chunk !== undefined) pin(chunk, { from, to }, result)
        chunk = holder
        from = start
      }
      to = start + size
      result.count++
      result.bytes += size
      last = physicalOffset
    }
    if (chunk !== undefined) pin(chunk, { from, to }, result)
    result.nextOffset = offset
    if (result.count > 0) result.status = 'found'
    result.lagBytes = last < 0 ? 0 : log.written - last
    return result.count > 0 || offset > request.offset
  }

  private async cold(queue: ConsumeQueue, request: GetRequest, result: GetResult): Promise<void> {
    const units = this.units.pop() ?? Buffer.allocUnsafeSlow(scanUnits * unitBytes)
    try {
      await this.coldUnits(queue, request, { result, units })
    } finally {
      if (this.units.length < maxScratches) this.units.push(units)
    }
  }

  private async coldUnits(
    queue: ConsumeQueue,
    request: GetRequest,
    { result, units }: { result: GetResult; units: Buffer },
  ): Promise<void> {
    // Without a filter no more units are looked at than messages are wanted, but for fill units.
    const wanted = request.filter === undefined ? Math.min(scanUnits, 2 * request.maxCount + 16) : scanUnits
    const count = await queue.read(request.offset, units, wanted)
    if (count === 0) {
      result.status = 'offsetFoundNull'
      const { fileUnits } = this.parts.queues.files
      result.nextOffset = Math.min(queue.maxOffset, request.offset - (request.offset % fileUnits) + fileUnits)
      return
    }
    const window = request.filter === undefined ? undefined : await queue.extWindow(units, count)
    const plan = this.plan(request, { queue, units, count, window })
    for (const run of plan.runs) await this.readRun(run, request, result)
    result.nextOffset = request.offset + plan.looked
    if (result.count > 0) result.status = 'found'
    else if (plan.runs.length > 0 && plan.runs[0]!.from < this.parts.log.minOffset) {
      result.status = 'messageWasRemoving'
    }
    const last = plan.runs.at(-1)?.records.at(-1)
    result.lagBytes = last === undefined ? 0 : this.parts.log.written - last.from
  }

  /** Chooses the messages, and groups those which lie close together in one file. */
  private plan(
    request: GetRequest,
    {
      queue,
      units,
      count,
      window,
    }: { queue: ConsumeQueue; units: Buffer; count: number; window: ExtWindow | undefined },
  ): { runs: Run[]; looked: number } {
    const runs: Run[] = []
    const limits = { messages: 0, bytes: 0 }
    let looked = 0
    for (; looked < count; looked++) {
      const at = looked * unitBytes
      const size = unitSize(units, at)
      if (size === fillSize) continue
      if (request.filter !== undefined && !passesUnit(queue, request.filter, { bytes: units, at, window })) continue
      const from = unitPhysicalOffset(units, at)
      if (this.isFull(limits, { request, from, size })) break
      limits.messages++
      limits.bytes += size
      const run = runs.at(-1)
      if (run !== undefined && this.joins(run, { from, size })) {
        run.records.push({ from, size })
        run.to = from + size
      } else runs.push({ from, to: from + size, records: [{ from, size }] })
    }
    return { runs, looked }
  }

  private joins(run: Run, { from, size }: { from: number; size: number }): boolean {
    const segment = this.parts.log.segments.size
    const isNear = from >= run.to && from - run.to <= readAlongBytes && from + size - run.from <= runBytes
    return isNear && Math.floor(from / segment) === Math.floor(run.from / segment)
  }

  /** "In memory" as RocketMQ means it: within that share of the machine's memory behind the end of the log. */
  private isFull(
    sum: { messages: number; bytes: number },
    next: { request: GetRequest; from: number; size: number },
  ): boolean {
    if (sum.messages === 0) return false
    const { config, log } = this.parts
    const isNear = log.written - next.from <= (config.totalMemoryBytes * config.accessMessageInMemoryMaxRatio) / 100
    const count = isNear ? config.maxTransferCountOnMessageInMemory : config.maxTransferCountOnMessageInDisk
    const bytes = isNear ? config.maxTransferBytesOnMessageInMemory : config.maxTransferBytesOnMessageInDisk
    if (sum.messages >= Math.min(count, next.request.maxCount)) return true
    return sum.bytes + next.size > Math.min(bytes, next.request.maxBytes)
  }

  private async readRun(run: Run, request: GetRequest, result: GetResult): Promise<void> {
    const length = run.to - run.from
    if (run.records.length === 1 || length > runBytes) {
      this.take(run, await this.parts.reader.read(run.from, length), { request, result, mustCopy: false })
      return
    }
    const scratch = this.scratch.pop() ?? Buffer.allocUnsafeSlow(runBytes)
    try {
      const got = await this.parts.reader.readInto(scratch, run.from, length)
      this.take(run, scratch.subarray(0, got), { request, result, mustCopy: true })
    } finally {
      if (this.scratch.length < maxScratches) this.scratch.push(scratch)
    }
  }

  /** Takes the wanted records out of the bytes of a run, moved together. */
  private take(run: Run, bytes: Buffer, how: { request: GetRequest; result: GetResult; mustCopy: boolean }): void {
    const { request, result } = how
    const wanted: Buffer[] = []
    let from = -1
    let to = -1
    for (const record of run.records) {
      const start = record.from - run.from
      const end = start + record.size
      // A segment that went away meanwhile, or an entry that does not fit its record.
      if (end > bytes.length || recordSizeAt(bytes.subarray(start)) !== record.size) continue
      if (request.filter?.matchesRecord !== undefined && !request.filter.matchesRecord(bytes, start, end)) continue
      if (start !== to) {
        if (from >= 0) wanted.push(bytes.subarray(from, to))
        from = start
      }
      to = end
      result.count++
      result.bytes += record.size
    }
    if (from >= 0) wanted.push(bytes.subarray(from, to))
    if (wanted.length === 0) return
    if (wanted.length === 1 && !how.mustCopy) result.slices.push(wanted[0]!)
    else result.slices.push(this.joined(wanted, result))
  }

  /** The scratch buffer is needed for the next read, so the wanted bytes move to one that waits for the sender. */
  private joined(wanted: readonly Buffer[], result: GetResult): Buffer {
    let length = 0
    for (const part of wanted) length += part.length
    const cold = this.answers.take(length)
    let to = 0
    for (const part of wanted) {
      cold.bytes.set(part, to)
      to += part.length
    }
    result.pinned.push(cold)
    return cold.bytes.subarray(0, length)
  }
}

/** Neighbouring messages that are read at once. */
interface Run {
  readonly from: number
  to: number
  readonly records: { from: number; size: number }[]
}

/** What an entry alone tells. One whose extended unit is lost passes: the record and the consumer decide. */
function passesUnit(
  queue: ConsumeQueue,
  filter: MessageFilter,
  { bytes, at, window }: { bytes: Buffer; at: number; window?: ExtWindow | undefined },
): boolean {
  if (!queue.isExtended(bytes, at)) return filter.matchesTag(unitTagsHash(bytes, at))
  const unit = queue.extUnit(bytes, at, window)
  if (unit === undefined) return true
  if (!filter.matchesTag(unit.tagsLow)) return false
  if (unit.bitmap === undefined || filter.matchesBitmap === undefined) return true
  return filter.matchesBitmap(unit.bitmap, unitPhysicalOffset(bytes, at))
}

function isIn(chunk: Chunk | undefined, offset: number, size: number): boolean {
  return chunk !== undefined && offset >= chunk.base && offset + size <= chunk.base + chunk.used
}

function pin(chunk: Chunk, { from, to }: { from: number; to: number }, result: GetResult): void {
  chunk.pins++
  result.pinned.push(chunk)
  result.slices.push(chunk.bytes.subarray(from, to))
}

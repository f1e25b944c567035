import type { Events } from '@skua-mq/runtime'
import type { CommitLog } from '../commit-log/commit-log.ts'
import type { Chunk } from '../commit-log/log-ring.ts'
import type { StoreConfig } from '../config.ts'
import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import { fillSize, unitBytes, unitPhysicalOffset, unitSize } from '../consume-queue/unit.ts'
import type { GetRequest, GetResult } from '../get.ts'
import type { LogReader } from '../reader.ts'
import { ColdRead, scanUnits } from './cold-read.ts'
import { passesUnit } from './passes-unit.ts'

export interface QueueReadParts {
  readonly config: StoreConfig
  readonly log: CommitLog
  readonly queues: QueueTable
  readonly reader: LogReader
  readonly events: Events
}

/**
 * Reads messages from queues (store.md 6, getMessage). What is in memory is answered at once with slices of it; anything
 * else goes through the pool.
 */
export class QueueRead {
  private readonly parts: QueueReadParts
  private readonly cold: ColdRead

  constructor(parts: QueueReadParts) {
    this.parts = parts
    this.cold = new ColdRead(parts)
  }

  /** Never throws: whoever wakes many readers must not be stopped by one. Rejects with a DiskError, or what a filter throws. */
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
    try {
      // Extended units are read from their files.
      if (request.offset >= queue.firstInMemory && this.hot(queue, request, result)) return undefined
      result.release()
      if (this.cold.now(queue, request, result)) return undefined
    } catch (error) {
      result.release()
      return Promise.reject(error)
    }
    // The caller fills its request anew for the next read while this one waits for the disk.
    return this.cold.later(queue, { ...request }, result)
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
    let unasked = filter?.mostRecords ?? scanUnits
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
      if (filter !== undefined && --unasked < 0) break
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
}

function isIn(chunk: Chunk | undefined, offset: number, size: number): boolean {
  return chunk !== undefined && offset >= chunk.base && offset + size <= chunk.base + chunk.used
}

function pin(chunk: Chunk, { from, to }: { from: number; to: number }, result: GetResult): void {
  chunk.pins++
  result.pinned.push(chunk)
  result.slices.push(chunk.bytes.subarray(from, to))
}

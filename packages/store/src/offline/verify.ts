import type { Disk } from '@skua-mq/runtime'
import { fillSize, isUnit, unitBytes, unitPhysicalOffset, unitSize } from '../consume-queue/unit.ts'
import { RecordView } from '../record/record-view.ts'
import { type QueueDirectory, readStoreDirectory, type StoreDirectory } from './directory.ts'
import { logRecords } from './log-records.ts'

/** Something that is not as it should be; one line. */
export type Finding = string

/**
 * Compares a store with itself: the CRC of every body, and every queue entry against the log. Not looked at: whether each
 * record has its queue entry, and the entries of the index. Writes nothing.
 */
export async function* verifyStore(disk: Disk, root: string): AsyncGenerator<Finding, void, void> {
  const store = readStoreDirectory(disk, root)
  let records = 0
  for await (const entry of logRecords(disk, store.log)) {
    if (entry.kind === 'damaged') {
      yield `commitlog ${entry.offset}: ${entry.isLast ? 'a torn or damaged record ends the log' : 'the rest of this file cannot be read'}`
      continue
    }
    records++
    if (!entry.crcMatches) yield `commitlog ${entry.view.physicalOffset}: the body does not match its CRC`
  }
  for (const queue of store.queues) yield* verifyQueue(disk, store, queue)
  if (records > 0 && store.queues.length === 0) yield 'consumequeue: missing'
  if (records > 0 && store.index.length === 0) yield 'index: missing'
}

async function* verifyQueue(
  disk: Disk,
  store: StoreDirectory,
  queue: QueueDirectory,
): AsyncGenerator<Finding, void, void> {
  const first = store.log[0]?.base ?? 0
  for (const file of queue.files) {
    const handle = disk.open(file.path, 'read')
    const block = Buffer.alloc(unitBytes * 4096)
    try {
      for (let from = 0; from < file.size; from += block.length) {
        const length = await handle.read(block, 0, Math.min(block.length, file.size - from), from)
        for (let at = 0; at + unitBytes <= length; at += unitBytes) {
          if (!isUnit(block, at) || unitSize(block, at) === fillSize) continue
          const unit = { physicalOffset: unitPhysicalOffset(block, at), size: unitSize(block, at) }
          // Entries of deleted files stay until their queue file goes too.
          if (unit.physicalOffset < first) continue
          const queueOffset = (file.base + from + at) / unitBytes
          const wrong = await wrongEntry(disk, store, { ...unit, queueOffset, queue })
          if (wrong !== undefined) yield `consumequeue ${queue.topic}/${queue.queueId} ${queueOffset}: ${wrong}`
        }
      }
    } finally {
      handle.closeSync()
    }
  }
}

interface QueueEntryAt {
  readonly physicalOffset: number
  readonly size: number
  readonly queueOffset: number
  readonly queue: QueueDirectory
}

/** What is wrong with an entry, or undefined. */
async function wrongEntry(disk: Disk, store: StoreDirectory, entry: QueueEntryAt): Promise<string | undefined> {
  const file = store.log.find(each => entry.physicalOffset >= each.base && entry.physicalOffset < each.base + each.size)
  const place = `${entry.physicalOffset}`
  if (file === undefined || entry.physicalOffset + entry.size > file.base + file.size)
    return `points to ${place}, which is not in the log`
  const bytes = Buffer.alloc(entry.size)
  const handle = disk.open(file.path, 'read')
  try {
    await handle.read(bytes, 0, entry.size, entry.physicalOffset - file.base)
  } finally {
    handle.closeSync()
  }
  const view = new RecordView()
  if (view.parse(bytes, 0, entry.size) !== 'record' || view.physicalOffset !== entry.physicalOffset)
    return `points to ${place}, where no record begins`
  if (view.size !== entry.size) return `says ${entry.size} bytes, the record at ${place} has ${view.size}`
  const { topic, queueId } = entry.queue
  if (view.topic !== topic || view.queueId !== queueId || view.queueOffset !== entry.queueOffset)
    return `points to ${place}, which is ${view.topic}/${view.queueId} ${view.queueOffset}`
  return undefined
}

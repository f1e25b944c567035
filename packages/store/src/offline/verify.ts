import type { Disk } from '@skua-mq/runtime'
import { layoutOf } from '../file/layout.ts'
import { isCheckpointDamaged, readCheckpoint } from '../recovery/checkpoint.ts'
import type { SpecialQueue } from '../special-queue.ts'
import { readStoreDirectory } from './directory.ts'
import { type Finding, Findings } from './findings.ts'
import { IndexCheck } from './index-check.ts'
import { logRecords, type Progress } from './log-records.ts'
import { QueueCheck } from './queue-check.ts'

export interface VerifyOptions {
  readonly progress?: Progress
  /** Whether a topic without queues was deleted; default: none was, so that missing queues are findings. */
  readonly isDeleted?: (topic: string) => boolean
  /** Topics whose queues carry something else than the hash of the tags. */
  readonly special?: readonly Pick<SpecialQueue, 'topic'>[]
}

/**
 * Compares a store with itself: the CRC of every body, every queue entry against the log and the reverse, every key of
 * every message against the index, and the checkpoint. Of a store that was not closed the queues, the index and the
 * checkpoint may lag behind the log, which the next start mends: there only what is in the queues is compared. Writes
 * nothing.
 */
export async function* verifyStore(
  disk: Disk,
  root: string,
  options: VerifyOptions = {},
): AsyncGenerator<Finding, void, void> {
  const store = readStoreDirectory(disk, root)
  const findings = new Findings()
  const isWhole = !store.abort
  const special = new Set(options.special?.map(({ topic }) => topic))
  const isSpecial = (topic: string) => special.has(topic)
  const queues = store.queues.length > 0 ? new QueueCheck({ disk, store, findings, isWhole, isSpecial }) : undefined
  const index = isWhole && store.index.length > 0 ? new IndexCheck({ disk, root, store, findings }) : undefined
  let records = 0
  let lastStoredAtMs = 0
  for await (const entry of logRecords(disk, store.log, options.progress)) {
    if (entry.kind === 'damaged') {
      const what = entry.isTail ? 'a torn or damaged record ends the log' : `cannot be read up to ${entry.to}`
      findings.add('commitlog ', `${entry.offset}: ${what}`)
    } else {
      const { view } = entry
      records++
      lastStoredAtMs = Math.max(lastStoredAtMs, view.storedAtMs)
      if (!entry.crcMatches) findings.add('commitlog ', `${view.physicalOffset}: the body does not match its CRC`)
      if (view.hasQueueEntry) queues?.record(view)
      index?.record(view)
    }
    yield* findings.take()
  }
  await queues?.finish(options.isDeleted ?? (() => false))
  index?.finish()
  if (records > 0 && queues === undefined) findings.add('', 'consumequeue: missing')
  if (records > 0 && store.index.length === 0) findings.add('', 'index: missing')
  checkCheckpoint(disk, root, { lastStoredAtMs, findings })
  yield* findings.take()
  yield* findings.rest()
}

/** It may lag, but never be ahead of the log: recovery would begin behind messages that it needs. */
function checkCheckpoint(
  disk: Disk,
  root: string,
  { lastStoredAtMs, findings }: { lastStoredAtMs: number; findings: Findings },
): void {
  const { checkpoint } = layoutOf({ storePathRootDir: root, storePathCommitLog: '' })
  if (isCheckpointDamaged(disk, checkpoint)) findings.add('checkpoint ', 'what it holds are no store times')
  for (const [name, atMs] of Object.entries(readCheckpoint(disk, checkpoint))) {
    if (atMs > lastStoredAtMs && lastStoredAtMs > 0)
      findings.add('checkpoint ', `${name}: ${atMs} is later than the last message of the log (${lastStoredAtMs})`)
  }
}

import { RecordMagic } from '@skua-mq/protocol'
import type { Disk, DiskFile } from '@skua-mq/runtime'
import type { Segment, Segments } from '../commit-log/segments.ts'
import { storedAtMsOf } from '../reader.ts'
import { readLong, writeLong } from '../record/record-view.ts'

const checkpointBytes = 4096

/** Java's `checkpoint` (store.md 5.1): store times up to which log, queues and index are on the medium. */
export interface Checkpoint {
  readonly physicMsgAtMs: number
  readonly logicsMsgAtMs: number
  readonly indexMsgAtMs: number
}

const none: Checkpoint = { physicMsgAtMs: 0, logicsMsgAtMs: 0, indexMsgAtMs: 0 }

/** All zero when the file is missing or short. */
export function readCheckpoint(disk: Disk, path: string): Checkpoint {
  if (disk.stat(path) === undefined) return none
  const bytes = disk.readFile(path)
  if (bytes.length < 24) return none
  return { physicMsgAtMs: readLong(bytes, 0), logicsMsgAtMs: readLong(bytes, 8), indexMsgAtMs: readLong(bytes, 16) }
}

/** Writes in place, as Java does, keeps the fields of 5.x, and closes the file. Throws DiskError. */
export async function writeCheckpoint(file: DiskFile, checkpoint: Checkpoint): Promise<void> {
  try {
    if (file.size() < checkpointBytes) file.truncateSync(checkpointBytes)
    const bytes = Buffer.alloc(24)
    writeLong(bytes, checkpoint.physicMsgAtMs, 0)
    writeLong(bytes, checkpoint.logicsMsgAtMs, 8)
    writeLong(bytes, checkpoint.indexMsgAtMs, 16)
    file.writeSync(bytes, 0, bytes.length, 0)
    await file.syncData()
  } finally {
    file.closeSync()
  }
}

/** Java's rule: the last segment whose first message is older than all that was synced, with 3 s to spare; else the first. */
export function firstUnsafeSegment(segments: Segments, { physicMsgAtMs, logicsMsgAtMs }: Checkpoint): number {
  const limit = Math.min(physicMsgAtMs, logicsMsgAtMs) - 3000
  for (const segment of [...segments.all].reverse()) {
    const storedAtMs = firstStoredAtMs(segments, segment)
    if (storedAtMs > 0 && storedAtMs <= limit) return segment.base
  }
  return segments.first?.base ?? 0
}

/** Store time of a segment's first record; 0 when there is none. */
function firstStoredAtMs(segments: Segments, segment: Segment): number {
  const handle = segments.acquire(segment)
  try {
    const bytes = Buffer.alloc(80)
    handle.file.readSync(bytes, 0, bytes.length, 0)
    const magic = bytes.readInt32BE(4)
    return magic === RecordMagic.v1 || magic === RecordMagic.v2 ? storedAtMsOf(bytes) : 0
  } finally {
    segments.release(handle)
  }
}

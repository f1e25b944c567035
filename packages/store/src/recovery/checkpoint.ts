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

/** The year 2200: a store time behind it was never written, and would be that of all messages to come. */
const latestMs = 7_258_118_400_000

/** All zero when the file is missing, short, or holds what is no store time. */
export function readCheckpoint(disk: Disk, path: string): Checkpoint {
  return parsed(disk, path) ?? none
}

/** Whether there is a file that is not what anybody wrote. */
export function isCheckpointDamaged(disk: Disk, path: string): boolean {
  return (disk.stat(path)?.size ?? 0) > 0 && parsed(disk, path) === undefined
}

function parsed(disk: Disk, path: string): Checkpoint | undefined {
  if (disk.stat(path) === undefined) return undefined
  const bytes = disk.readFile(path)
  if (bytes.length < 24) return undefined
  const times = [0, 8, 16].map(at => readLong(bytes, at))
  if (times.some(ms => ms < 0 || ms > latestMs)) return undefined
  const [physicMsgAtMs = 0, logicsMsgAtMs = 0, indexMsgAtMs = 0] = times
  return { physicMsgAtMs, logicsMsgAtMs, indexMsgAtMs }
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

import type { Disk } from '@skua-mq/runtime'
import { RecordView } from '../record/record-view.ts'
import type { OffsetFile } from './directory.ts'

/** A record of the log, or a stretch in which none can be read. */
export type LogEntry =
  | { readonly kind: 'record'; readonly view: RecordView; readonly crcMatches: boolean }
  /** The rest of this file cannot be read. `isLast`: nothing follows, so that it may be a torn tail. */
  | { readonly kind: 'damaged'; readonly offset: number; readonly isLast: boolean }

const readBytes = 1024 * 1024
/** A size above this is taken for damage. */
const maxRecordBytes = 256 * 1024 * 1024

/** All records of a log in order. The view is reused: take what you need before going on. Memory: one read. */
export async function* logRecords(disk: Disk, files: readonly OffsetFile[]): AsyncGenerator<LogEntry, void, void> {
  // Files are made ahead: the log ends in the last one in which something was written.
  const last = files.findLastIndex(file => beginsWritten(disk, file))
  for (const [at, file] of files.slice(0, last + 1).entries()) yield* fileRecords(disk, file, at === last)
}

function beginsWritten(disk: Disk, file: OffsetFile): boolean {
  const head = Buffer.alloc(8)
  const handle = disk.open(file.path, 'read')
  try {
    handle.readSync(head, 0, head.length, 0)
  } finally {
    handle.closeSync()
  }
  return head.some(byte => byte !== 0)
}

async function* fileRecords(disk: Disk, file: OffsetFile, isLast: boolean): AsyncGenerator<LogEntry, void, void> {
  const view = new RecordView()
  const handle = disk.open(file.path, 'read')
  let buffer = Buffer.alloc(Math.min(readBytes, file.size))
  try {
    let from = 0
    while (from < file.size) {
      const length = await handle.read(buffer, 0, Math.min(buffer.length, file.size - from), from)
      let at = 0
      let found = view.parse(buffer, at, length)
      while (found === 'record' && view.physicalOffset === file.base + from + at) {
        const size = view.size
        yield { kind: 'record', view, crcMatches: view.crcMatches() }
        at += size
        found = view.parse(buffer, at, length)
      }
      if (found === 'blank') return
      const ended = from + length >= file.size
      if (!ended && at > 0 && (length - at < 8 || view.size > length - at)) {
        from += at
        continue
      }
      const wanted = view.size
      if (
        !ended &&
        found === 'damaged' &&
        wanted > buffer.length &&
        wanted <= Math.min(maxRecordBytes, file.size - from)
      ) {
        buffer = Buffer.alloc(wanted)
        continue
      }
      if (found !== 'empty' || (!isLast && file.size - from - at >= 8))
        yield { kind: 'damaged', offset: file.base + from + at, isLast }
      return
    }
  } finally {
    handle.closeSync()
  }
}

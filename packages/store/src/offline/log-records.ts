import type { Disk, DiskFile } from '@skua-mq/runtime'
import { nextRecord } from '../record/record-search.ts'
import { RecordView } from '../record/record-view.ts'
import type { OffsetFile } from './directory.ts'

/** A record of the log, or a stretch in which none can be read. */
export type LogEntry =
  | { readonly kind: 'record'; readonly view: RecordView; readonly crcMatches: boolean }
  /** `[offset, to)` cannot be read. `isTail`: no record follows, so that it may be a torn tail. */
  | { readonly kind: 'damaged'; readonly offset: number; readonly to: number; readonly isTail: boolean }

/** Told how far a long reading of the log has come, in bytes. */
export type Progress = (done: number, total: number) => void

const readBytes = 4 * 1024 * 1024
/** A size above this is taken for damage. */
const maxRecordBytes = 256 * 1024 * 1024

/**
 * All records of a log in order; behind damage it goes on with the next record that stands where it says. The view is
 * reused: take what you need before going on. Memory: one read.
 */
export async function* logRecords(
  disk: Disk,
  files: readonly OffsetFile[],
  progress?: Progress,
): AsyncGenerator<LogEntry, void, void> {
  // Files are made ahead: the log ends in the last one in which something was written.
  const written = files.slice(0, files.findLastIndex(file => beginsWritten(disk, file)) + 1)
  const total = written.reduce((sum, file) => sum + file.size, 0)
  let done = 0
  let damaged: { offset: number; to: number } | undefined
  for (const [at, file] of written.entries()) {
    const reading = new FileRecords(disk.open(file.path, 'read'), file, at === written.length - 1)
    try {
      for await (const entry of reading.entries(bytes => progress?.(done + bytes, total))) {
        if (damaged !== undefined) yield { kind: 'damaged', ...damaged, isTail: false }
        damaged = entry.kind === 'damaged' ? entry : undefined
        if (entry.kind === 'record') yield entry
      }
    } finally {
      reading.close()
    }
    done += file.size
    progress?.(done, total)
  }
  if (damaged !== undefined) yield { kind: 'damaged', ...damaged, isTail: true }
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

type FileEntry =
  | { readonly kind: 'record'; readonly view: RecordView; readonly crcMatches: boolean }
  | { readonly kind: 'damaged'; readonly offset: number; readonly to: number }

/** One file of the log. */
class FileRecords {
  private readonly handle: DiskFile
  private readonly file: OffsetFile
  private readonly isLast: boolean
  private readonly view = new RecordView()
  private buffer: Buffer

  constructor(handle: DiskFile, file: OffsetFile, isLast: boolean) {
    this.handle = handle
    this.file = file
    this.isLast = isLast
    this.buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, file.size))
  }

  close(): void {
    this.handle.closeSync()
  }

  async *entries(progress: (bytes: number) => void): AsyncGenerator<FileEntry, void, void> {
    const { view, file } = this
    let from = 0
    while (from < file.size) {
      const length = await this.handle.read(this.buffer, 0, Math.min(this.buffer.length, file.size - from), from)
      progress(from)
      let at = 0
      let found = view.parse(this.buffer, at, length)
      while (found === 'record' && view.physicalOffset === file.base + from + at) {
        const { size } = view
        yield { kind: 'record', view, crcMatches: view.crcMatches() }
        at += size
        found = view.parse(this.buffer, at, length)
      }
      if (found === 'blank') return
      if (length === 0) return
      const isCut = from + length < file.size && (length - at < 8 || view.size > length - at)
      if (isCut && (at > 0 || this.grow(file.size - from))) {
        from += at
        continue
      }
      const next = await nextRecord({ file: this.handle, base: file.base, size: file.size }, from + at + 1)
      const mayEnd = this.isLast || file.size - from - at < 8
      if (found === 'empty' && mayEnd && next === file.size) return
      yield { kind: 'damaged', offset: file.base + from + at, to: file.base + next }
      from = next
    }
  }

  /** Makes the buffer as large as the record that does not fit; false when that cannot be a record. */
  private grow(room: number): boolean {
    const { size } = this.view
    if (size <= this.buffer.length || size > room || size > maxRecordBytes) return false
    this.buffer = Buffer.allocUnsafeSlow(size)
    return true
  }
}

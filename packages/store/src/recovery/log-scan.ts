import type { Segments } from '../commit-log/segments.ts'
import { type LogFile, nextRecord } from '../record/record-search.ts'
import { maxRecordBytes, RecordView } from '../record/record-view.ts'

export interface ScanEnd {
  /** Behind the last good record. */
  readonly end: number
  readonly records: number
  /** Store time of the last good record; 0 when there was none. */
  readonly storedAtMs: number
  /** What stands at `end`. */
  readonly reason: 'empty' | 'damaged' | 'end of files'
}

export interface ScanOptions {
  readonly checkCrc: boolean
  /** Below this the log was whole once: damage there is skipped, not taken for the end. */
  readonly trustedTo: number
  /** The machine stopped: sectors of a record may be missing. */
  readonly mayHaveHoles: boolean
  /** Told of each damaged stretch that was skipped; a record of which only the body is damaged is visited. */
  readonly skipped: (offset: number, to: number) => void
  /** Called between reads, with the offset reached. */
  readonly progress?: (offset: number) => void
}

/** Large reads, so that a rebuild runs at the speed of the disk; larger than any record. */
const readBytes = 8 * 1024 * 1024

/** Reads the log in order from `from`, which begins a record, and visits each good record until the first bad one. */
export async function scanLog(segments: Segments, from: number, options: ScanRun): Promise<ScanEnd> {
  const scan = new LogScan(segments, options)
  return scan.run(from)
}

export interface ScanRun extends ScanOptions {
  /** The view is reused. Answering false ends the scan before this record. */
  readonly visit: (view: RecordView) => boolean
}

class LogScan {
  private readonly view = new RecordView()
  private buffer: Buffer
  private readonly segments: Segments
  private readonly options: ScanRun
  private cancelled = false
  private records = 0
  private storedAtMs = 0

  constructor(segments: Segments, options: ScanRun) {
    this.segments = segments
    this.options = options
    this.buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, segments.size))
  }

  async run(from: number): Promise<ScanEnd> {
    let at = from
    for (;;) {
      const segment = this.segments.find(at)
      if (segment === undefined) return this.ended(at, 'end of files')
      const step = await this.scanSegment(segment.base, at)
      at = step.at
      if (step.stop !== undefined) return this.ended(at, step.stop)
    }
  }

  private ended(end: number, reason: ScanEnd['reason']): ScanEnd {
    return { end, reason, records: this.records, storedAtMs: this.storedAtMs }
  }

  /** Scans to the end of a segment: `at` is then the next one's base; or up to where it stops. */
  private async scanSegment(base: number, from: number): Promise<{ at: number; stop?: ScanEnd['reason'] }> {
    const { size } = this.segments
    const handle = this.segments.acquire(this.segments.find(base)!)
    try {
      let at = from - base
      while (at < size) {
        const length = await handle.file.read(this.buffer, 0, Math.min(this.buffer.length, size - at), at)
        const used = this.scanBuffer(base + at, length)
        at += used.bytes
        this.options.progress?.(base + at)
        if (used.found === 'blank') return { at: base + size }
        if (used.found === 'cut' && (used.bytes > 0 || this.grow(size - at))) continue
        if (used.found !== undefined)
          return await this.stopped({ file: handle.file, base, size }, at, used.found === 'empty' ? 'empty' : 'damaged')
      }
      return { at: base + size }
    } finally {
      this.segments.release(handle)
    }
  }

  /** Damage below `trustedTo`: goes on with the next record that can be read, in this file or the next. */
  private async stopped(
    file: LogFile,
    place: number,
    stop: 'empty' | 'damaged',
  ): Promise<{ at: number; stop?: ScanEnd['reason'] }> {
    const at = file.base + place
    if (at >= this.options.trustedTo || this.cancelled) return { at, stop }
    const { trustedTo } = this.options
    const fileEnd = file.base + file.size
    const found = file.base + (await nextRecord(file, place + 1))
    // What was trusted ends with a whole record: there the log goes on, or ends.
    const next = trustedTo <= fileEnd ? Math.min(found, trustedTo) : found
    if (next === fileEnd && this.segments.find(next) === undefined) return { at, stop }
    this.options.skipped(at, next)
    return { at: next }
  }

  private isTorn(offset: number): boolean {
    const { view, options } = this
    if (view.lacksEnd()) return true
    return options.mayHaveHoles && view.lacksSector(offset % this.segments.size)
  }

  /** Makes the buffer as large as the record that does not fit; false when that cannot be a record. */
  private grow(room: number): boolean {
    const { size } = this.view
    if (size <= this.buffer.length || size > room || size > maxRecordBytes) return false
    this.buffer = Buffer.allocUnsafeSlow(size)
    return true
  }

  /** Visits the records in the first `length` bytes of the buffer; `found` says what stopped it there. */
  private scanBuffer(offset: number, length: number): { bytes: number; found?: 'blank' | 'empty' | 'damaged' | 'cut' } {
    const { view, buffer, options } = this
    let at = 0
    while (at < length) {
      if (length - at < 8) return { bytes: at, found: at > 0 ? 'cut' : 'empty' }
      const found = view.parse(buffer, at, length)
      if (found === 'damaged' && view.size > length - at) return { bytes: at, found: 'cut' }
      if (found !== 'record') return { bytes: at, found }
      if (view.physicalOffset !== offset + at) return { bytes: at, found: 'damaged' }
      const isTrusted = offset + at < options.trustedTo
      if (!isTrusted && this.isTorn(offset + at)) return { bytes: at, found: 'damaged' }
      if (options.checkCrc && !view.crcMatches()) {
        if (!isTrusted) return { bytes: at, found: 'damaged' }
        options.skipped(offset + at, offset + at + view.size)
      }
      if (options.visit(view) === false) {
        this.cancelled = true
        return { bytes: at, found: 'damaged' }
      }
      this.records++
      this.storedAtMs = view.storedAtMs
      at += view.size
    }
    return { bytes: at }
  }
}

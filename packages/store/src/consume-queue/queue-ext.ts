import type { ExtFiles } from './ext-files.ts'
import {
  type ExtUnit,
  extEndBytes,
  extHeadBytes,
  extUnitBytes,
  extUnitSize,
  maxExtUnitBytes,
  putExtEnd,
  putExtUnit,
  readExtUnit,
} from './ext-unit.ts'

const firstPending = 1024
/** Read for one unit: enough for bitmaps of the default size; a larger one is read again. */
const probeBytes = 256
/** Read at once before many units are looked up. */
const windowBytes = 256 * 1024

const probe = Buffer.alloc(probeBytes)

/** Units of a queue that were read together. */
export interface ExtWindow {
  readonly from: number
  readonly bytes: Buffer
}

/**
 * The extended units of one queue (store.md 3.7): written a moment before the queue's own, so that no unit of the queue
 * names an address which is not there. `[written, end)` is in memory only.
 */
export class QueueExt {
  private readonly files: ExtFiles
  private readonly directory: string
  private end = 0
  private written = 0
  private pending: Buffer = Buffer.allocUnsafe(firstPending)

  constructor(files: ExtFiles, directory: string) {
    this.files = files
    this.directory = directory
  }

  /** Adds a unit; returns its address, or -1 for a bitmap that is too long. */
  put(unit: ExtUnit): number {
    const size = extUnitBytes(unit.bitmap)
    if (size > maxExtUnitBytes || size + extEndBytes > this.files.fileBytes) return -1
    const left = this.files.fileBytes - (this.end % this.files.fileBytes)
    if (size > left - extEndBytes) {
      const at = this.grow(left)
      this.pending.fill(0, at, at + left)
      putExtEnd(this.pending, at)
    }
    const address = this.end
    const at = this.grow(size)
    putExtUnit(this.pending, at, unit)
    return address
  }

  /** Brings all units to the files. Throws DiskError. */
  flush(): void {
    const length = this.end - this.written
    if (length === 0) return
    this.files.writeAt(this.directory, this.written, { bytes: this.pending, from: 0, to: length })
    this.written = this.end
    if (this.pending.length > windowBytes) this.pending = Buffer.allocUnsafe(firstPending)
  }

  /** The unit at an address; undefined when there is none. `window`: where it may have been read already. */
  find(address: number, window?: ExtWindow): ExtUnit | undefined {
    if (address >= this.end) return undefined
    if (address >= this.written)
      return readExtUnit(this.pending.subarray(0, this.end - this.written), address - this.written)
    if (window !== undefined && address >= window.from) {
      const unit = readExtUnit(window.bytes, address - window.from)
      if (unit !== undefined) return unit
    }
    const got = this.filled(probe, address)
    const size = extUnitSize(got, 0)
    if (size <= got.length) return readExtUnit(got, 0)
    const whole = Buffer.alloc(size)
    return readExtUnit(this.filled(whole, address), 0)
  }

  /** Reads the units from an address on through the pool, as many as are looked up in one scan. */
  async window(from: number, to: number): Promise<ExtWindow | undefined> {
    if (from >= this.written) return undefined
    const bytes = Buffer.allocUnsafe(Math.min(to - from + probeBytes, windowBytes, this.written - from))
    const got = await this.files.readAt(this.directory, from, { into: bytes, length: bytes.length })
    return { from, bytes: bytes.subarray(0, got) }
  }

  /**
   * Goes on behind the unit at `last`, or in a new file when the queue ends with a unit that has none. False when there
   * is no unit at `last`.
   */
  resume(last: number | undefined, { isUnsafe }: { isUnsafe: boolean }): boolean {
    const files = this.files.addresses(this.directory)
    const unit = last === undefined ? undefined : this.sizeAt(last)
    if (last !== undefined && unit === undefined) return false
    if (unit === undefined) this.begin(files.length === 0 ? 0 : files.at(-1)! + this.files.fileBytes)
    else {
      this.begin(last! + unit)
      for (const file of files.filter(first => first > last!)) this.files.removeFile(this.directory, file)
      if (isUnsafe && this.end % this.files.fileBytes !== 0) this.files.clearFromAddress(this.directory, this.end)
    }
    if (isUnsafe)
      for (const file of this.files.addresses(this.directory)) this.files.markFileUnsynced(this.directory, file)
    return true
  }

  /** Deletes files that end before an address. */
  deleteBefore(address: number): void {
    for (const first of this.files.addresses(this.directory))
      if (first + this.files.fileBytes < address) this.files.removeFile(this.directory, first)
  }

  /** Forgets all units, written or not. */
  restart(): void {
    this.begin(0)
  }

  private begin(address: number): void {
    this.end = address
    this.written = address
  }

  /** As much of a buffer as the files have at an address. */
  private filled(into: Buffer, address: number): Buffer {
    return into.subarray(0, this.files.readAtSync(this.directory, address, { into, length: into.length }))
  }

  private sizeAt(address: number): number | undefined {
    const got = this.filled(probe, address)
    return extUnitSize(got, 0) || undefined
  }

  /** Room for so many bytes more; returns where they go. */
  private grow(bytes: number): number {
    const at = this.end - this.written
    if (at + bytes > this.pending.length) {
      const bigger = Buffer.allocUnsafe(Math.max(at + bytes, 2 * this.pending.length, extHeadBytes))
      this.pending.copy(bigger, 0, 0, at)
      this.pending = bigger
    }
    this.end += bytes
    return at
  }
}

import type { Disk } from '@skua-mq/runtime'
import type { DirtyFiles } from '../file/dirty-files.ts'
import { fileName, fileOffset } from '../file/layout.ts'
import type { OpenFile, OpenFiles } from '../file/open-files.ts'
import { isUnit, unitBytes, unitPhysicalOffset } from './unit.ts'

/** The files of all queues: `root/TOPIC/QUEUEID/N{20}`, each `fileUnits` units long (store.md 3.1). */
export class QueueFiles {
  readonly disk: Disk
  readonly root: string
  readonly fileUnits: number
  private readonly files: OpenFiles
  private readonly dirty: DirtyFiles
  private readonly probe = Buffer.alloc(unitBytes)

  constructor(parts: { disk: Disk; files: OpenFiles; dirty: DirtyFiles }, place: { root: string; fileBytes: number }) {
    this.disk = parts.disk
    this.files = parts.files
    this.dirty = parts.dirty
    this.root = place.root
    this.fileUnits = Math.ceil(place.fileBytes / unitBytes)
  }

  get fileBytes(): number {
    return this.fileUnits * unitBytes
  }

  /** First units of the files in a queue's directory, ascending. */
  list(directory: string): number[] {
    const units: number[] = []
    for (const name of this.names(directory)) {
      const offset = fileOffset(name)
      if (offset !== undefined && offset % this.fileBytes === 0) units.push(offset / unitBytes)
    }
    return units
  }

  /** Whether files of another size lie in a directory: `mappedFileSizeConsumeQueue` was another one. */
  hasOtherSize(directory: string): boolean {
    const offsets = this.allOffsets(directory)
    return offsets.some(
      offset =>
        offset % this.fileBytes !== 0 ||
        (this.disk.stat(`${directory}/${fileName(offset)}`)?.size ?? 0) > this.fileBytes,
    )
  }

  /** Where the units of messages before a physical offset end, by whatever can be read of files of any size; 0 when none can. */
  lastBefore(directory: string, physicalOffset: number): number {
    const offsets = this.allOffsets(directory).filter(offset => offset % unitBytes === 0)
    for (const offset of offsets.reverse()) {
      const count = this.countBefore(`${directory}/${fileName(offset)}`, physicalOffset)
      if (count > 0) return offset / unitBytes + count
    }
    return 0
  }

  /** Removes all files of a directory but one, which ends with the unit before `end`, and is on the medium before. Throws DiskError. */
  keepOnly(directory: string, firstUnit: number, end: number): void {
    const handle = this.forWriting(directory, firstUnit)
    try {
      handle.file.truncateSync((end - firstUnit) * unitBytes)
      handle.file.truncateSync(this.fileBytes)
      handle.file.syncDataSync()
    } finally {
      this.files.release(handle)
    }
    this.files.syncDirectory(directory)
    for (const offset of this.allOffsets(directory))
      if (offset !== firstUnit * unitBytes) this.remove(directory, offset / unitBytes)
  }

  private allOffsets(directory: string): number[] {
    return this.disk
      .list(directory)
      .map(fileOffset)
      .filter(offset => offset !== undefined)
  }

  /** How far units of messages before `physicalOffset` go in a file. */
  private countBefore(path: string, physicalOffset: number): number {
    const span = Buffer.alloc(1024 * unitBytes)
    const handle = this.files.acquire(path)
    let count = 0
    try {
      for (let at = 0; ; ) {
        const got = Math.floor(handle.file.readSync(span, 0, span.length, at * unitBytes) / unitBytes)
        if (got === 0) return count
        for (let i = 0; i < got; i++, at++) {
          if (isUnit(span, i * unitBytes) && unitPhysicalOffset(span, i * unitBytes) < physicalOffset) count = at + 1
        }
      }
    } finally {
      this.files.release(handle)
    }
  }

  /** What stands in a directory. */
  names(directory: string): readonly string[] {
    return this.files.opened(() => this.disk.list(directory))
  }

  /** Writes units, split where files end. Throws DiskError. */
  write(directory: string, unit: number, { bytes, from, to }: { bytes: Buffer; from: number; to: number }): void {
    let at = from
    let next = unit
    while (at < to) {
      const place = next % this.fileUnits
      const length = Math.min(to - at, (this.fileUnits - place) * unitBytes)
      const handle = this.forWriting(directory, next - place)
      try {
        handle.file.writeSync(bytes, at, at + length, place * unitBytes)
      } finally {
        this.files.release(handle)
      }
      this.dirty.wrote(handle.path)
      if (place === 0) this.named(directory)
      at += length
      next += length / unitBytes
    }
  }

  /** Reads up to `count` units into `into`, not past the end of the file that holds `unit`; answers how many. */
  readSync(directory: string, unit: number, { into, count }: { into: Buffer; count: number }): number {
    const place = unit % this.fileUnits
    const handle = this.files.acquire(this.pathOf(directory, unit - place))
    try {
      const length = Math.min(count, this.fileUnits - place) * unitBytes
      return Math.floor(handle.file.readSync(into, 0, length, place * unitBytes) / unitBytes)
    } finally {
      this.files.release(handle)
    }
  }

  /** As `readSync`, through the pool. */
  async read(directory: string, unit: number, { into, count }: { into: Buffer; count: number }): Promise<number> {
    const place = unit % this.fileUnits
    const handle = this.files.acquire(this.pathOf(directory, unit - place))
    try {
      const length = Math.min(count, this.fileUnits - place) * unitBytes
      return Math.floor((await handle.file.read(into, 0, length, place * unitBytes)) / unitBytes)
    } finally {
      this.files.release(handle)
    }
  }

  /** How many units at the start of a file were written: they are a prefix, so halving finds it. */
  writtenUnits(directory: string, firstUnit: number): number {
    const handle = this.files.acquireSized(this.pathOf(directory, firstUnit), this.fileBytes)
    try {
      let low = 0
      let high = this.fileUnits
      while (low < high) {
        const middle = (low + high) >> 1
        const length = handle.file.readSync(this.probe, 0, unitBytes, middle * unitBytes)
        if (length === unitBytes && isUnit(this.probe, 0)) low = middle + 1
        else high = middle
      }
      return low
    } finally {
      this.files.release(handle)
    }
  }

  /** Makes every unit of a file from `unit` on zero. */
  clearFrom(directory: string, unit: number): void {
    const place = unit % this.fileUnits
    const handle = this.forWriting(directory, unit - place)
    try {
      handle.file.truncateSync(place * unitBytes)
      handle.file.truncateSync(this.fileBytes)
    } finally {
      this.files.release(handle)
    }
    this.dirty.wrote(handle.path)
  }

  remove(directory: string, firstUnit: number): void {
    const path = this.pathOf(directory, firstUnit)
    this.files.forget(path)
    this.dirty.gone(path)
    this.disk.remove(path)
    this.named(directory)
  }

  removeDirectory(directory: string): void {
    for (const unit of this.list(directory)) this.remove(directory, unit)
    this.disk.remove(directory)
  }

  /** A file, and its name, which another process wrote and may not have synced. */
  markUnsynced(directory: string, firstUnit: number): void {
    this.dirty.wrote(this.pathOf(directory, firstUnit))
    this.named(directory)
  }

  private named(directory: string): void {
    this.dirty.named(directory, this.root)
  }

  private forWriting(directory: string, firstUnit: number): OpenFile {
    const path = this.pathOf(directory, firstUnit)
    try {
      return this.files.acquireSized(path, this.fileBytes)
    } catch (error) {
      if (this.disk.stat(directory) !== undefined) throw error
      this.disk.makeDirectory(directory)
      return this.files.acquireSized(path, this.fileBytes)
    }
  }

  private pathOf(directory: string, firstUnit: number): string {
    return `${directory}/${fileName(firstUnit * unitBytes)}`
  }
}

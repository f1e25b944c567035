import type { Disk } from '@skua-mq/runtime'
import type { DirtyFiles } from '../file/dirty-files.ts'
import { fileName, fileOffset } from '../file/layout.ts'
import type { OpenFile, OpenFiles } from '../file/open-files.ts'
import { isUnit, unitBytes } from './unit.ts'

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
    for (const name of this.disk.list(directory)) {
      const offset = fileOffset(name)
      if (offset !== undefined && offset % this.fileBytes === 0) units.push(offset / unitBytes)
    }
    return units
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

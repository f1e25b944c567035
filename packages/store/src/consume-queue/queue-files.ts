import { SizedFiles, type SizedFilesParts, type Stretch } from './sized-files.ts'
import { isUnit, unitBytes, unitPhysicalOffset } from './unit.ts'

/** The files in a queue's directory. */
export interface QueueNames {
  /** Their first units, ascending. */
  readonly units: readonly number[]
  /** How many were made for another size of files. */
  readonly strays: number
}

/** The files of all queues: `root/TOPIC/QUEUEID/N{20}`, each `fileUnits` units long (store.md 3.1). */
export class QueueFiles extends SizedFiles {
  readonly fileUnits: number
  private readonly probe = Buffer.alloc(unitBytes)

  constructor(parts: SizedFilesParts, place: { readonly root: string; readonly fileBytes: number }) {
    const fileUnits = Math.ceil(place.fileBytes / unitBytes)
    super(parts, { root: place.root, fileBytes: fileUnits * unitBytes })
    this.fileUnits = fileUnits
  }

  /** First units of the files in a queue's directory, ascending. */
  list(directory: string): readonly number[] {
    return this.look(directory).units
  }

  /** What stands in a queue's directory. */
  look(directory: string): QueueNames {
    const found = this.addresses(directory, { anySize: true })
    const units = found.filter(address => address % this.fileBytes === 0).map(address => address / unitBytes)
    return { units, strays: found.length - units.length }
  }

  /** Whether one of the files is longer than files are: `mappedFileSizeConsumeQueue` was another one. Throws DiskError where one is missing. */
  hasTooLarge(directory: string, units: readonly number[]): boolean {
    return units.some(unit => {
      const handle = this.files.acquire(this.pathOf(directory, unit * unitBytes))
      try {
        return handle.file.size() > this.fileBytes
      } finally {
        this.files.release(handle)
      }
    })
  }

  /** Where the units of messages before a physical offset end, by whatever can be read of files of any size; 0 when none can. */
  lastBefore(directory: string, physicalOffset: number): number {
    const addresses = this.addresses(directory, { anySize: true }).filter(address => address % unitBytes === 0)
    for (const address of addresses.reverse()) {
      const count = this.countBefore(this.pathOf(directory, address), physicalOffset)
      if (count > 0) return address / unitBytes + count
    }
    return 0
  }

  /** Removes all files of a directory but one, which ends with the unit before `end`, and is on the medium before. Throws DiskError. */
  keepOnly(directory: string, firstUnit: number, end: number): void {
    const handle = this.forWriting(directory, firstUnit * unitBytes)
    try {
      handle.file.truncateSync((end - firstUnit) * unitBytes)
      handle.file.truncateSync(this.fileBytes)
      handle.file.syncDataSync()
    } finally {
      this.files.release(handle)
    }
    this.files.syncDirectory(directory)
    for (const address of this.addresses(directory, { anySize: true }))
      if (address !== firstUnit * unitBytes) this.removeFile(directory, address)
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

  /** Writes units, split where files end. Throws DiskError. */
  write(directory: string, unit: number, units: Stretch): void {
    this.writeAt(directory, unit * unitBytes, units)
  }

  /** Reads up to `count` units into `into`, not past the end of the file that holds `unit`; returns how many. */
  readSync(directory: string, unit: number, { into, count }: { into: Buffer; count: number }): number {
    return Math.floor(this.readAtSync(directory, unit * unitBytes, { into, length: count * unitBytes }) / unitBytes)
  }

  /** As `readSync`, through the pool. */
  async read(directory: string, unit: number, { into, count }: { into: Buffer; count: number }): Promise<number> {
    return Math.floor((await this.readAt(directory, unit * unitBytes, { into, length: count * unitBytes })) / unitBytes)
  }

  /** How many units at the start of a file were written: they are a prefix, so halving finds it. */
  writtenUnits(directory: string, firstUnit: number): number {
    const handle = this.files.acquireSized(this.pathOf(directory, firstUnit * unitBytes), this.fileBytes)
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
    this.clearFromAddress(directory, unit * unitBytes)
  }

  remove(directory: string, firstUnit: number): void {
    this.removeFile(directory, firstUnit * unitBytes)
  }

  markUnsynced(directory: string, firstUnit: number): void {
    this.markFileUnsynced(directory, firstUnit * unitBytes)
  }
}

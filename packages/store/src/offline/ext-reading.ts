import type { Disk, DiskFile } from '@skua-mq/runtime'
import { type ExtUnit, extAddress, isExtAddress, maxExtUnitBytes, readExtUnit } from '../consume-queue/ext-unit.ts'
import { unitTagsHash, unitTagsHigh } from '../consume-queue/unit.ts'
import type { OffsetFile, QueueDirectory } from './directory.ts'

/** Looks up extended units of a store directory; holds the file of the last one open. */
export class ExtReading {
  private readonly disk: Disk
  private readonly bytes = Buffer.allocUnsafe(maxExtUnitBytes)
  private open: { file: OffsetFile; handle: DiskFile } | undefined

  constructor(disk: Disk) {
    this.disk = disk
  }

  /** What the queue unit at `at` names: its address, and the unit where there is one. Undefined: it names none. */
  find(queue: QueueDirectory, bytes: Buffer, at: number): { address: number; unit: ExtUnit | undefined } | undefined {
    const high = unitTagsHigh(bytes, at)
    const low = unitTagsHash(bytes, at)
    if (!isExtAddress(high, low)) return undefined
    const address = extAddress(high, low)
    const file = queue.ext.find(({ base, size }) => address >= base && address < base + size)
    if (file === undefined) return { address, unit: undefined }
    const length = this.handleOf(file).readSync(this.bytes, 0, this.bytes.length, address - file.base)
    return { address, unit: readExtUnit(this.bytes.subarray(0, length), 0) }
  }

  close(): void {
    this.open?.handle.closeSync()
    this.open = undefined
  }

  private handleOf(file: OffsetFile): DiskFile {
    if (this.open?.file === file) return this.open.handle
    this.close()
    this.open = { file, handle: this.disk.open(file.path, 'read') }
    return this.open.handle
  }
}

import type { Disk, DiskFile } from '@skua-mq/runtime'
import { entryBytes, headerBytes, type IndexHeader, readHeader, slotBytes } from '../index-file/format.ts'
import { readLong } from '../record/record-view.ts'
import type { Findings } from './findings.ts'

/** RocketMQ's defaults, then the same slots with other numbers of entries for each. */
const defaultSlots = 5_000_000
const entriesPerSlot = [4, 2, 1, 8]
const entriesAtOnce = 32_768

export interface IndexEntry {
  hash: number
  physicalOffset: number
}

/** One index file, whose geometry is found from the file itself. */
export class IndexReading {
  readonly name: string
  readonly header: IndexHeader
  private readonly file: DiskFile
  private readonly size: number

  constructor(disk: Disk, directory: string, name: string) {
    this.name = name
    this.file = disk.open(`${directory}/${name}`, 'read')
    this.size = this.file.size()
    const head = Buffer.alloc(headerBytes)
    this.file.readSync(head, 0, headerBytes, 0)
    this.header = readHeader(head)
  }

  close(): void {
    this.file.closeSync()
  }

  /** Number of slots; undefined when the first entry is not where any usual geometry has it. */
  slots(): number | undefined {
    const room = this.size - headerBytes
    const candidates = [defaultSlots, ...entriesPerSlot.map(per => Math.floor(room / (slotBytes + per * entryBytes)))]
    return candidates.find(slots => slots > 0 && slots * slotBytes < room && this.beginsAt(slots))
  }

  /** Entries that fit behind so many slots. */
  capacity(slots: number): number {
    return Math.floor((this.size - headerBytes - slots * slotBytes) / entryBytes)
  }

  private beginsAt(slots: number): boolean {
    if (this.header.count <= 1) return true
    const entry = Buffer.alloc(entryBytes)
    this.file.readSync(entry, 0, entryBytes, headerBytes + slots * slotBytes + entryBytes)
    return readLong(entry, 4) === this.header.beginOffset && entry.readInt32BE(0) > 0 && entry.readInt32BE(16) === 0
  }

  /** All entries in their order; compares the chains that they form with the slots, which end in them. */
  *entries(slots: number, findings: Findings): Generator<IndexEntry, void, void> {
    const { header } = this
    const heads = new Int32Array(slots)
    const bytes = Buffer.allocUnsafeSlow(entriesAtOnce * entryBytes)
    const entry: IndexEntry = { hash: 0, physicalOffset: 0 }
    for (let number = 1; number < header.count; number += entriesAtOnce) {
      const count = Math.min(entriesAtOnce, header.count - number)
      const place = headerBytes + slots * slotBytes + number * entryBytes
      const length = this.file.readSync(bytes, 0, count * entryBytes, place)
      for (let at = 0, i = number; at + entryBytes <= length; at += entryBytes, i++) {
        entry.hash = bytes.readInt32BE(at)
        entry.physicalOffset = readLong(bytes, at + 4)
        const slot = Math.abs(entry.hash) % slots
        const previous = bytes.readInt32BE(at + 16)
        if (previous !== heads[slot])
          findings.add(`index ${this.name} `, `entry ${i}: leads to entry ${previous} and not to ${heads[slot]}`)
        heads[slot] = i
        yield entry
      }
    }
    this.compareSlots(heads, findings)
  }

  private compareSlots(heads: Int32Array, findings: Findings): void {
    const bytes = Buffer.allocUnsafeSlow(entriesAtOnce * slotBytes)
    for (let first = 0; first < heads.length; first += entriesAtOnce) {
      const count = Math.min(entriesAtOnce, heads.length - first)
      bytes.fill(0)
      this.file.readSync(bytes, 0, count * slotBytes, headerBytes + first * slotBytes)
      for (let i = 0; i < count; i++) {
        const head = bytes.readInt32BE(i * slotBytes)
        if (head !== heads[first + i])
          findings.add(
            `index ${this.name} `,
            `slot ${first + i}: leads to entry ${head} and not to ${heads[first + i]}`,
          )
      }
    }
  }
}

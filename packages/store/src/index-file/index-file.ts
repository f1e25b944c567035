import type { OpenFile, OpenFiles } from '../file/open-files.ts'
import { rewrite } from '../file/rewrite.ts'
import {
  entryBytes,
  headerBytes,
  type IndexHeader,
  indexHash,
  offsetAt,
  readHeader,
  slotBytes,
  writeHeader,
} from './format.ts'
import { bytesOf, hasEnds, isWhole } from './whole-index.ts'

export interface IndexGeometry {
  readonly maxHashSlotNum: number
  readonly maxIndexNum: number
}

/** Entries in memory before they are written: 1 MiB. */
const pendingEntries = 52_428
const word = 0x1_0000_0000
const slotsPerPage = 1024

/**
 * One index file. Entries are appended to a buffer and written in order; slots and header are kept in memory while the
 * file grows and written by `snapshot`. After a crash slots are found again from the entries, which never change.
 */
export class IndexFile {
  readonly path: string
  readonly name: string
  readonly header: IndexHeader = { beginAtMs: 0, endAtMs: 0, beginOffset: 0, endOffset: 0, slotsUsed: 0, count: 1 }
  readonly geometry: IndexGeometry
  private readonly files: OpenFiles
  /** The newest entry of each slot; only while the file grows. */
  private slots: Int32Array | undefined
  private dirtyPages: Uint8Array | undefined
  private pending: Buffer = Buffer.alloc(0)
  private written = 1
  /** The last sync did not succeed. */
  private isSuspect = false

  constructor(files: OpenFiles, place: { directory: string; name: string; geometry: IndexGeometry }) {
    this.files = files
    this.name = place.name
    this.path = `${place.directory}/${place.name}`
    this.geometry = place.geometry
  }

  get isFull(): boolean {
    return this.header.count >= this.geometry.maxIndexNum
  }

  /** Whether slots are in memory, so that entries can be put. */
  get isGrowing(): boolean {
    return this.slots !== undefined
  }

  get sizeBytes(): number {
    return this.entriesAt + entryBytes * this.geometry.maxIndexNum
  }

  private get entriesAt(): number {
    return headerBytes + slotBytes * this.geometry.maxHashSlotNum
  }

  /** Begins to fill it, in memory; the file is made by the first write. */
  begin(previous: IndexHeader | undefined): void {
    if (previous !== undefined) {
      this.header.beginAtMs = this.header.endAtMs = previous.endAtMs
      this.header.beginOffset = this.header.endOffset = previous.endOffset
    }
    this.slots = new Int32Array(this.geometry.maxHashSlotNum)
    this.dirtyPages = new Uint8Array(Math.ceil(this.geometry.maxHashSlotNum / slotsPerPage))
    this.pending = Buffer.allocUnsafeSlow(Math.min(pendingEntries, this.geometry.maxIndexNum) * entryBytes)
  }

  readHeader(): void {
    this.withFile(file => {
      const bytes = Buffer.alloc(headerBytes)
      file.readSync(bytes, 0, headerBytes, 0)
      Object.assign(this.header, readHeader(bytes))
    })
    this.written = this.header.count
  }

  /** Goes on filling a file whose slots are trusted. Throws DiskError. */
  resume(): void {
    const { maxHashSlotNum } = this.geometry
    this.begin(undefined)
    if (this.header.count === 1) return
    const bytes = Buffer.allocUnsafe(maxHashSlotNum * slotBytes)
    bytes.fill(
      0,
      this.withFile(file => file.readSync(bytes, 0, bytes.length, headerBytes)),
    )
    for (let slot = 0; slot < maxHashSlotNum; slot++) this.slots![slot] = bytes.readInt32BE(slot * slotBytes)
  }

  /** Goes on behind the first `count - 1` entries, which are known to be whole; finds slots and header from them. */
  resumeAt({ count, beginAtMs }: { count: number; beginAtMs: number }): void {
    this.begin(undefined)
    const { header } = this
    header.beginAtMs = beginAtMs
    header.count = 1
    header.slotsUsed = 0
    this.written = count
    const bytes = Buffer.allocUnsafe(65_536 * entryBytes)
    while (header.count < count) {
      const wanted = Math.min(65_536, count - header.count)
      const at = this.entriesAt + header.count * entryBytes
      this.withFile(file => file.readSync(bytes, 0, wanted * entryBytes, at))
      for (let i = 0; i < wanted; i++) {
        if (!this.follows(bytes, i * entryBytes)) {
          this.endAt(header.count)
          return
        }
        this.relink(bytes, i * entryBytes)
      }
    }
    this.endAt(count)
  }

  /** Entries are in the order of the log, and each names the one before it in its slot: one that is not so was never written, or is damaged. */
  private follows(bytes: Buffer, at: number): boolean {
    const { count, endOffset } = this.header
    const slot = indexHash(bytes.readInt32BE(at)) % this.geometry.maxHashSlotNum
    return (count <= 1 || offsetAt(bytes, at) >= endOffset) && bytes.readInt32BE(at + 16) === this.headOf(slot)
  }

  private endAt(count: number): void {
    this.written = count
    this.dirtyPages!.fill(1)
    if (count > 1) this.header.beginOffset = this.offsetOf(1)
  }

  /** Whether the newest of the first `count - 1` entries on disk is of that message. */
  endsWith({ count, endOffset }: { count: number; endOffset: number }): boolean {
    return count <= 1 || this.offsetOf(count - 1) === endOffset
  }

  /**
   * Whether what lies on the disk is the work of whoever wrote the header. With no more than `budget` bytes to read only the ends
   * are looked at. Throws DiskError.
   */
  check(budget: number): { isWhole: boolean; bytes: number } {
    return this.withFile(file => {
      const { header } = this
      const { maxHashSlotNum, maxIndexNum } = this.geometry
      const read = (into: Buffer, length: number, at: number) => file.readSync(into, 0, length, at)
      const found = { header, maxHashSlotNum, maxIndexNum, read }
      const bytes = bytesOf(found)
      return bytes > budget ? { isWhole: hasEnds(found), bytes: 0 } : { isWhole: isWhole(found), bytes }
    })
  }

  /** Whether the next entry needs the buffer written first. */
  get isBufferFull(): boolean {
    return (this.header.count - this.written) * entryBytes === this.pending.length
  }

  /** Makes room in memory where entries cannot be written at the moment. */
  growBuffer(): void {
    const bigger = Buffer.allocUnsafeSlow(this.pending.length * 2)
    this.pending.copy(bigger)
    this.pending = bigger
  }

  /** Adds an entry; the buffer has room. */
  put(hash: number, physicalOffset: number, storedAtMs: number): void {
    const { header } = this
    if (header.count <= 1) {
      header.beginAtMs = storedAtMs
      header.beginOffset = physicalOffset
    }
    const seconds = Math.floor((storedAtMs - header.beginAtMs) / 1000)
    const slot = hash % this.geometry.maxHashSlotNum
    const previous = this.headOf(slot)
    const at = (header.count - this.written) * entryBytes
    this.pending.writeInt32BE(hash, at)
    this.pending.writeInt32BE(Math.floor(physicalOffset / word), at + 4)
    this.pending.writeInt32BE(physicalOffset | 0, at + 8)
    this.pending.writeInt32BE(Math.max(0, Math.min(seconds, 0x7fff_ffff)), at + 12)
    this.pending.writeInt32BE(previous, at + 16)
    this.setHead(slot, previous)
    header.endAtMs = storedAtMs
    header.endOffset = physicalOffset
  }

  /** Writes the entries that are in memory only. Throws DiskError. */
  writeEntries(): void {
    const length = (this.header.count - this.written) * entryBytes
    if (length === 0) return
    const at = this.entriesAt + this.written * entryBytes
    this.withFile(file => file.writeSync(this.pending, 0, length, at))
    this.written = this.header.count
  }

  /** Writes everything, so that the file alone is enough. Throws DiskError. */
  snapshot(): void {
    if (this.slots === undefined) return
    this.writeEntries()
    const page = Buffer.allocUnsafe(slotsPerPage * slotBytes)
    this.withFile(file => {
      for (let at = 0; at < this.dirtyPages!.length; at++) {
        if (this.dirtyPages![at] === 0) continue
        const first = at * slotsPerPage
        const count = Math.min(slotsPerPage, this.geometry.maxHashSlotNum - first)
        for (let i = 0; i < count; i++) page.writeInt32BE(this.slots![first + i]!, i * slotBytes)
        file.writeSync(page, 0, count * slotBytes, headerBytes + first * slotBytes)
        this.dirtyPages![at] = 0
      }
      const header = Buffer.alloc(headerBytes)
      writeHeader(header, this.header)
      file.writeSync(header, 0, headerBytes, 0)
    })
  }

  async sync(): Promise<void> {
    const handle = this.files.acquire(this.path)
    try {
      if (this.isSuspect) await rewrite(handle.file)
      this.isSuspect = true
      await handle.file.syncData()
      this.isSuspect = false
    } finally {
      this.files.release(handle)
    }
  }

  /** Stops filling: only reads from now on. After `snapshot`. */
  seal(): void {
    this.slots = undefined
    this.dirtyPages = undefined
    this.pending = Buffer.alloc(0)
  }

  /** Collects physical offsets of entries with this hash, newest first, until `into` has `limit`. */
  async collect(hash: number, range: { beginMs: number; endMs: number }, into: { offsets: number[]; limit: number }) {
    // One of which nothing is written may have no file yet, where the disk refused to make it.
    let handle = this.slots !== undefined && this.written <= 1 ? undefined : this.acquire()
    const open = () => {
      handle ??= this.acquire()
      return handle
    }
    try {
      const entry = Buffer.alloc(entryBytes)
      let next = await this.headFor(hash % this.geometry.maxHashSlotNum, open)
      while (next > 0 && next < this.header.count && into.offsets.length < into.limit) {
        await this.readEntry(next, entry, open)
        const atMs = this.header.beginAtMs + entry.readInt32BE(12) * 1000
        // The entry keeps whole seconds, so the message may be up to a second younger than `atMs`.
        if (atMs + 999 < range.beginMs) return
        if (entry.readInt32BE(0) === hash && atMs <= range.endMs) {
          into.offsets.push(offsetAt(entry, 0))
        }
        const previous = entry.readInt32BE(16)
        if (previous >= next) return
        next = previous
      }
    } finally {
      if (handle !== undefined) this.files.release(handle)
    }
  }

  private headOf(slot: number): number {
    const head = this.slots![slot]!
    return head <= 0 || head > this.header.count ? 0 : head
  }

  private setHead(slot: number, previous: number): void {
    const { header } = this
    this.slots![slot] = header.count
    this.dirtyPages![(slot / slotsPerPage) | 0] = 1
    if (previous === 0) header.slotsUsed++
    header.count++
  }

  private relink(bytes: Buffer, at: number): void {
    const slot = indexHash(bytes.readInt32BE(at)) % this.geometry.maxHashSlotNum
    this.setHead(slot, this.headOf(slot))
    this.header.endOffset = offsetAt(bytes, at)
    this.header.endAtMs = this.header.beginAtMs + bytes.readInt32BE(at + 12) * 1000 + 999
  }

  /** Physical offset in entry `number`, counted from 1, as it is on disk. */
  private offsetOf(number: number): number {
    const entry = Buffer.alloc(entryBytes)
    this.withFile(file => file.readSync(entry, 0, entryBytes, this.entriesAt + number * entryBytes))
    return offsetAt(entry, 0)
  }

  private async headFor(slot: number, open: () => OpenFile): Promise<number> {
    if (this.slots !== undefined) return this.headOf(slot)
    const bytes = Buffer.alloc(slotBytes)
    await open().file.read(bytes, 0, slotBytes, headerBytes + slot * slotBytes)
    return bytes.readInt32BE(0)
  }

  private async readEntry(number: number, into: Buffer, open: () => OpenFile): Promise<void> {
    if (number >= this.written) {
      const at = (number - this.written) * entryBytes
      this.pending.copy(into, 0, at, at + entryBytes)
      return
    }
    await open().file.read(into, 0, entryBytes, this.entriesAt + number * entryBytes)
  }

  private acquire(): OpenFile {
    return this.files.acquireSized(this.path, this.sizeBytes)
  }

  private withFile<T>(use: (file: OpenFile['file']) => T): T {
    const handle = this.acquire()
    try {
      return use(handle.file)
    } finally {
      this.files.release(handle)
    }
  }
}

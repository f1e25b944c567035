import { type Clock, type Disk, defineEvent, type Events } from '@skua-mq/runtime'
import type { OpenFiles } from '../file/open-files.ts'
import type { KeyQuery, KeyQueryResult } from '../message-store.ts'
import { indexFileName, indexHash } from './format.ts'
import { IndexFile, type IndexGeometry } from './index-file.ts'
import { JavaHasher } from './java-hasher.ts'

export const indexFileDiscarded = defineEvent<{ name: string; reason: string }>('index file discarded', 'warn')

/** How far the index is written: what recovery needs to go on after a crash. */
export interface IndexPoint {
  /** Name of the newest file; empty when there is none. */
  readonly name: string
  readonly count: number
  readonly beginAtMs: number
  /** Physical offset of its newest entry, and the name of the file before it (empty: none): both tell of another broker. */
  readonly endOffset: number
  readonly previous: string
  /** How many there are; stores of before did not say. */
  readonly files?: number
}

export interface IndexParts {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly clock: Clock
  readonly events: Events
  readonly onTrouble: (error: unknown) => void
}

/** So much of the index is read at a start to see whether it is whole, newest first; of older files only the ends. */
const checkedBytes = 64 * 1024 * 1024

/** The index of a store: files of hashed keys, oldest first (store.md 4). Only the newest one grows. */
export class IndexFiles {
  readonly directory: string
  private readonly parts: IndexParts
  private readonly geometry: IndexGeometry
  private list: IndexFile[] = []
  /** Files that became full and are not yet written as a whole; then those which are not yet synced. */
  private sealing: IndexFile[] = []
  private unsynced: IndexFile[] = []
  private hasNewNames = false

  constructor(parts: IndexParts, place: { directory: string; geometry: IndexGeometry }) {
    this.parts = parts
    this.directory = place.directory
    this.geometry = place.geometry
  }

  get point(): IndexPoint {
    const last = this.list.at(-1)
    return {
      name: last?.name ?? '',
      count: last?.header.count ?? 1,
      beginAtMs: last?.header.beginAtMs ?? 0,
      endOffset: last?.header.endOffset ?? 0,
      previous: this.list.at(-2)?.name ?? '',
      files: this.list.length,
    }
  }

  /** Store time and offset of the last message with a key; 0 when there is none. */
  get last(): { atMs: number; offset: number } {
    const header = this.list.at(-1)?.header
    return header === undefined ? { atMs: 0, offset: 0 } : { atMs: header.endAtMs, offset: header.endOffset }
  }

  get isEmpty(): boolean {
    return this.list.length === 0
  }

  /** Where each file begins and ends in the log, oldest first. */
  get ranges(): readonly { readonly beginOffset: number; readonly endOffset: number }[] {
    return this.list.map(file => file.header)
  }

  /** Whether there are as many files as the point says: where not, some of the first are gone, or retention was there. */
  hasAll(point: IndexPoint): boolean {
    return point.files === this.list.length
  }

  /** Whether it ends with the very entry of the point. */
  endsAs({ name, count, endOffset }: IndexPoint): boolean {
    const { point } = this
    return point.name === name && point.count === count && point.endOffset === endOffset
  }

  /** Reads the directory after a clean stop. `resume` follows. */
  load(): void {
    this.readDirectory()
    this.dropDamaged(this.list.length)
  }

  /** Of the first `count` files, the first one that is damaged goes with all behind it. True when none is. */
  private dropDamaged(count: number): boolean {
    let left = checkedBytes
    let bad = count
    for (let at = count - 1; at >= 0; at--) {
      const { isWhole, bytes } = this.list[at]!.check(left)
      left -= bytes
      // One is made for an entry, so that none is empty.
      if (!isWhole || this.list[at]!.header.count <= 1) bad = at
    }
    if (bad === count) return true
    const { name } = this.list[bad]!
    for (const file of this.list.splice(bad)) this.discard(file, `${name} is damaged`)
    return false
  }

  /**
   * Makes the newest file ready to grow. After a crash its slots may be newer than its header, or older: they are found again
   * from the entries. Throws DiskError.
   */
  resume({ crashed }: { crashed: boolean }): void {
    const last = this.list.at(-1)
    if (last === undefined || last.isGrowing || last.isFull) return
    if (crashed) last.resumeAt(last.header)
    else last.resume()
  }

  /** Removes the files from number `at` on: they are filled again from the log. */
  discardFrom(at: number): void {
    for (const file of this.list.splice(at)) this.discard(file, 'it is filled again from the log')
  }

  /**
   * Reads the directory after a crash. `point`: up to where our own files are whole; without one, or where another broker
   * changed them, what Java's checkpoint covers. True when it is all as the point says.
   */
  loadAfterCrash(point: IndexPoint | undefined, indexMsgAtMs: number): boolean {
    this.readDirectory()
    // Whoever was killed may not have synced what it wrote.
    this.hasNewNames = true
    this.unsynced = this.list.slice(0, -1)
    if (point !== undefined && this.loadAtPoint(point)) return true
    while (this.list.length > 0 && this.list.at(-1)!.header.endAtMs > indexMsgAtMs) {
      this.discard(this.list.pop()!, 'a crash came before it was complete')
    }
    this.dropDamaged(this.list.length)
    // Where it ends is known by its entries only.
    this.resume({ crashed: true })
    return false
  }

  deleteAll(): void {
    for (const file of this.list.splice(0)) this.remove(file)
    this.parts.disk.remove(this.directory)
  }

  put(javaHash: number, physicalOffset: number, storedAtMs: number): void {
    let file = this.list[this.list.length - 1]
    if (file === undefined || file.isFull) file = this.roll(file)
    if (file.isBufferFull) {
      try {
        file.writeEntries()
      } catch (error) {
        file.growBuffer()
        this.parts.onTrouble(error)
      }
    }
    file.put(indexHash(javaHash), physicalOffset, storedAtMs)
  }

  /** Writes entries that are in memory only, and all of files that are full. Throws DiskError. */
  write(): void {
    if (this.hasNewNames) this.parts.disk.makeDirectory(this.directory)
    for (let file = this.sealing[0]; file !== undefined; file = this.sealing[0]) {
      file.snapshot()
      file.seal()
      this.unsynced.push(file)
      this.sealing.shift()
    }
    this.list.at(-1)?.writeEntries()
  }

  /** Writes all, slots and header too, so that Java could open it. Returns what `sync` brings to the medium. Throws DiskError. */
  snapshot(): readonly IndexFile[] {
    this.write()
    const last = this.list.at(-1)
    last?.snapshot()
    return last === undefined ? [...this.unsynced] : [...this.unsynced, last]
  }

  /** Brings the files of a snapshot to the medium. Others may be begun, and some removed, meanwhile. Throws DiskError. */
  async sync(snapshot: readonly IndexFile[]): Promise<void> {
    if (this.hasNewNames) {
      this.parts.files.syncDirectory(this.directory)
      this.parts.files.syncDirectory(this.directory.slice(0, this.directory.lastIndexOf('/')))
      this.hasNewNames = false
    }
    for (const file of snapshot) {
      if (!this.list.includes(file)) continue
      // One that becomes full meanwhile is written as a whole then, and not covered by this sync.
      const isWhole = this.unsynced.includes(file)
      await file.sync()
      if (isWhole) this.unsynced = this.unsynced.filter(other => other !== file)
    }
  }

  /** Removes files, never the newest, whose messages are all below `physicalOffset`. */
  deleteBefore(physicalOffset: number): void {
    while (this.list.length > 1 && this.list[0]!.header.endOffset < physicalOffset) this.remove(this.list.shift()!)
  }

  async query(query: KeyQuery): Promise<KeyQueryResult> {
    const hash = indexHash(new JavaHasher().ofText(`${query.topic}#${query.key}`))
    const range = { beginMs: query.beginMs, endMs: query.endMs }
    const into = { offsets: [] as number[], limit: query.maxCount }
    for (const file of [...this.list].reverse()) {
      const { header } = file
      // Opening one that retention has removed meanwhile would make it again.
      if (header.count <= 1 || !this.list.includes(file)) continue
      if (range.beginMs <= header.endAtMs && range.endMs >= header.beginAtMs) await file.collect(hash, range, into)
      if (into.offsets.length >= into.limit || header.beginAtMs < range.beginMs) break
    }
    const { atMs, offset } = this.last
    const physicalOffsets = [...new Set(into.offsets)].sort((a, b) => a - b)
    return { physicalOffsets, indexUpdatedAtMs: atMs, indexUpdatedOffset: offset }
  }

  private fileNamed(name: string): IndexFile {
    return new IndexFile(this.parts.files, { directory: this.directory, name, geometry: this.geometry })
  }

  private readDirectory(): void {
    const { disk, files } = this.parts
    const names = files.opened(() => disk.list(this.directory)).filter(name => /^\d{17}$/.test(name))
    this.list = names.map(name => this.fileNamed(name))
    for (const [at, file] of this.list.entries()) {
      const length = this.parts.disk.stat(file.path)?.size ?? 0
      if (length === file.sizeBytes) file.readHeader()
      // Files are made at full size. One that is cut, and those behind it, are filled again from the log.
      if (length !== file.sizeBytes || (file.header.count <= 1 && at < names.length - 1)) {
        for (const bad of this.list.splice(at))
          this.discard(bad, `${file.name} has lost entries: it has ${length} bytes of ${file.sizeBytes}`)
        return
      }
    }
  }

  /**
   * False where the files are not those of the point: a broker of Java's that recovered and crashed in between deletes
   * files and fills the newest from its beginning (store.md 4.5).
   */
  private loadAtPoint(point: IndexPoint): boolean {
    const at = this.list.findIndex(file => file.name === point.name)
    if (at === -1 && point.name !== '') return false
    const file = this.list[at]
    if (file !== undefined && !file.endsWith(point)) return false
    // Retention may have taken the one before it since.
    if (at > 0 && this.list[at - 1]!.name !== point.previous) return false
    this.discardFrom(at + 1)
    if (at > 0 && !this.dropDamaged(at)) return false
    file?.resumeAt(point)
    if (file !== undefined && file.header.count < point.count) {
      this.discardFrom(at)
      return false
    }
    this.unsynced = this.list.slice(0, -1)
    return true
  }

  private discard(file: IndexFile, reason: string): void {
    this.remove(file)
    this.parts.events.emit(indexFileDiscarded({ name: file.name, reason }))
  }

  private remove(file: IndexFile): void {
    this.parts.files.forget(file.path)
    this.parts.disk.remove(file.path)
    this.hasNewNames = true
    this.sealing = this.sealing.filter(other => other !== file)
    this.unsynced = this.unsynced.filter(other => other !== file)
  }

  private roll(full: IndexFile | undefined): IndexFile {
    let atMs = this.parts.clock.now()
    // Names sort by time, also when the clock went back; they are local, and an hour of it may come twice.
    for (let more = 1; full !== undefined && indexFileName(atMs) <= full.name; more *= 2)
      atMs = nameToMs(full.name) + more
    const file = this.fileNamed(indexFileName(atMs))
    if (full !== undefined) this.sealing.push(full)
    file.begin(full?.header)
    this.hasNewNames = true
    this.list.push(file)
    try {
      // The full one is written now, so that its slots do not stay in memory beside those of the new one.
      this.write()
    } catch (error) {
      this.parts.onTrouble(error)
    }
    return file
  }
}

function nameToMs(name: string): number {
  const part = (from: number, to: number) => Number(name.slice(from, to))
  return new Date(
    part(0, 4),
    part(4, 6) - 1,
    part(6, 8),
    part(8, 10),
    part(10, 12),
    part(12, 14),
    part(14, 17),
  ).getTime()
}

import { type Disk, type DiskFile, parentOf } from '@skua-mq/runtime'
import { readLongAt, writeLongAt } from './timer-unit.ts'

/** Slots ahead of the present, whatever the precision; the wheel has twice as many, those that are past still lie in it. */
export const timerSlotsAhead = 7 * 86_400
const slots = timerSlotsAhead * 2
const slotBytes = 32
const pageSlots = 128
const pageBytes = pageSlots * slotBytes
/** Bytes of the file. */
export const timerWheelBytes = slots * slotBytes
/** Pages that are kept in memory, but for changed ones: 8 MiB. */
const maxPages = 2048
/** Changed pages above which timers wait until they are written: 8 MiB. */
export const maxChangedPages = 2048
/** Pages that are written together. */
const maxRunPages = 64
/** Above what a page can hold twice: a slot of the last round that was never cleared counts still. */
const notKnown = 0xffff
const scanBytes = 256 * pageBytes

/** The timers of one slot: a chain in the timer log, newest first. */
export interface TimerSlot {
  readonly slotMs: number
  readonly firstPosition: number
  readonly lastPosition: number
  readonly count: number
}

interface Page {
  readonly index: number
  readonly bytes: Buffer
  isChanged: boolean
  /** Being written: it must not be read from the file before that is done. */
  pins: number
}

/** Changed pages as they were at one moment. */
export interface WheelSnapshot {
  readonly pages: readonly Page[]
  /** Pages that follow each other are written together. */
  readonly runs: readonly { readonly index: number; readonly bytes: Buffer }[]
}

/**
 * RocketMQ's timerwheel: a slot of 32 bytes for each step of the precision over 14 days: time / precision i64, position of
 * the first unit i64, of the last one i64, count i32, 0 i32. A page is in memory while it is used. Nothing is written but by
 * `write`, so that the file never knows more than what the timer log and the commit log have on the medium.
 */
export class TimerWheel {
  private readonly disk: Disk
  private readonly path: string
  private readonly precisionMs: number
  private readonly pages = new Map<number, Page>()
  private newest: Page | undefined
  /** How many slots of each page were put and not cleared; of a file that was there before it is not known. */
  private readonly filled = new Uint16Array(slots / pageSlots)
  private file: DiskFile | undefined
  private changed = 0
  private isNamed = true

  constructor({ disk, path, precisionMs }: { disk: Disk; path: string; precisionMs: number }) {
    this.disk = disk
    this.path = path
    this.precisionMs = precisionMs
  }

  /** Whether there is a file of the right size. */
  get exists(): boolean {
    return this.disk.stat(this.path)?.size === timerWheelBytes
  }

  /** Opens the file, or makes an empty one in its place. Throws DiskError. */
  open({ isNew }: { isNew: boolean }): void {
    const file = this.disk.open(this.path, 'create')
    try {
      // Who made it may have been killed before that was on the medium.
      this.isNamed = false
      if (isNew) {
        file.truncateSync(0)
        file.truncateSync(timerWheelBytes)
      }
    } catch (error) {
      // It is tried again and again.
      file.closeSync()
      throw error
    }
    this.filled.fill(isNew ? 0 : notKnown)
    this.file = file
  }

  close(): void {
    this.file?.closeSync()
    this.file = undefined
    this.pages.clear()
    this.newest = undefined
    this.changed = 0
  }

  get changedPages(): number {
    return this.changed
  }

  /** The slot of a time, which is a multiple of the precision; undefined where it holds nothing. */
  slot(slotMs: number): TimerSlot | undefined {
    const { bytes, at } = this.placeOf(slotMs)
    return slotAt(bytes, at, slotMs, this.precisionMs)
  }

  /** The first slot from `fromMs` on that holds something; `toMs` where none before it does. Both are multiples of the precision. */
  firstFilled(fromMs: number, toMs: number): number {
    const { precisionMs } = this
    let slotMs = fromMs
    while (slotMs < toMs) {
      const slot = (slotMs / precisionMs) % slots
      if (this.filled[Math.floor(slot / pageSlots)] === 0) {
        slotMs += (pageSlots - (slot % pageSlots)) * precisionMs
        continue
      }
      const { bytes, at } = this.placeOf(slotMs)
      // A plain loop over what is mostly empty: the lower half of a slot's number tells nearly always.
      for (let place = at; place < pageBytes && slotMs < toMs; place += slotBytes, slotMs += precisionMs) {
        if (bytes.readInt32BE(place + 4) !== ((slotMs / precisionMs) | 0)) continue
        if (slotAt(bytes, place, slotMs, precisionMs) !== undefined) return slotMs
      }
    }
    return Math.max(fromMs, toMs)
  }

  /** Whether the file has room for a slot: the slots before `readMs` are done. */
  hasRoomFor(slotMs: number, readMs: number): boolean {
    return slotMs < readMs + slots * this.precisionMs
  }

  put({ slotMs, firstPosition, lastPosition, count }: TimerSlot): void {
    const { page, bytes, at } = this.placeOf(slotMs)
    if (this.filled[page.index] !== notKnown && slotAt(bytes, at, slotMs, this.precisionMs) === undefined)
      this.filled[page.index]!++
    writeLongAt(bytes, slotMs / this.precisionMs, at)
    writeLongAt(bytes, firstPosition, at + 8)
    writeLongAt(bytes, lastPosition, at + 16)
    bytes.writeInt32BE(count, at + 24)
    bytes.writeInt32BE(0, at + 28)
    this.change(page)
  }

  /** Its timers are delivered. */
  clear(slotMs: number): void {
    const { page, bytes, at } = this.placeOf(slotMs)
    if (this.filled[page.index] !== notKnown && slotAt(bytes, at, slotMs, this.precisionMs) !== undefined)
      this.filled[page.index]!--
    bytes.fill(0, at, at + slotBytes)
    this.change(page)
  }

  /** Every slot that holds something, in no order. Only before anything was changed. Throws DiskError. */
  async *all(): AsyncGenerator<TimerSlot> {
    const bytes = Buffer.allocUnsafe(scanBytes)
    for (let from = 0; from < timerWheelBytes; from += scanBytes) {
      const length = await this.file!.read(bytes, 0, Math.min(scanBytes, timerWheelBytes - from), from)
      for (let at = 0; at + slotBytes <= length; at += slotBytes) {
        const number = readLongAt(bytes, at)
        // One that lies elsewhere is none: its time leads to the place of another.
        if (number <= 0 || number % slots !== (from + at) / slotBytes) continue
        const slotMs = number * this.precisionMs
        const slot = slotAt(bytes, at, slotMs, this.precisionMs)
        if (slot !== undefined) yield slot
      }
    }
  }

  /** What `write` will write: later changes are not in it. */
  snapshot(): WheelSnapshot {
    const pages = [...this.pages.values()].filter(({ isChanged }) => isChanged).sort((a, b) => a.index - b.index)
    for (const page of pages) {
      page.isChanged = false
      page.pins++
    }
    this.changed = 0
    return { pages, runs: runsOf(pages) }
  }

  /** On the medium when it resolves. Throws DiskError; the pages then count as changed again. */
  async write(snapshot: WheelSnapshot): Promise<void> {
    const file = this.file!
    for (const { index, bytes } of snapshot.runs) await file.write(bytes, 0, bytes.length, index * pageBytes)
    await file.syncData()
    if (!this.isNamed) await this.disk.syncDirectoryLater(parentOf(this.path))
    this.isNamed = true
    for (const page of snapshot.pages) page.pins--
  }

  /** It was not written. */
  giveBack(snapshot: WheelSnapshot): void {
    for (const page of snapshot.pages) {
      page.pins--
      this.change(page)
    }
  }

  private change(page: Page): void {
    if (page.isChanged) return
    page.isChanged = true
    this.changed++
  }

  private placeOf(slotMs: number): { page: Page; bytes: Buffer; at: number } {
    const slot = (slotMs / this.precisionMs) % slots
    const index = Math.floor(slot / pageSlots)
    const page = this.newest?.index === index ? this.newest : this.page(index)
    return { page, bytes: page.bytes, at: (slot % pageSlots) * slotBytes }
  }

  private page(index: number): Page {
    let page = this.pages.get(index)
    if (page === undefined) {
      page = { index, bytes: Buffer.alloc(pageBytes), isChanged: false, pins: 0 }
      this.file!.readSync(page.bytes, 0, pageBytes, index * pageBytes)
      this.evict()
    } else this.pages.delete(index)
    this.pages.set(index, page)
    this.newest = page
    return page
  }

  private evict(): void {
    if (this.pages.size < maxPages) return
    for (const [index, { isChanged, pins }] of this.pages)
      if (!isChanged && pins === 0) {
        this.pages.delete(index)
        if (this.pages.size < maxPages) return
      }
  }
}

/** Copies of pages, ascending, those together that follow each other. */
function runsOf(pages: readonly Page[]): { index: number; bytes: Buffer }[] {
  const runs: { index: number; bytes: Buffer }[] = []
  for (let first = 0; first < pages.length; ) {
    const { index } = pages[first]!
    let next = first + 1
    while (next < pages.length && next - first < maxRunPages && pages[next]!.index === index + next - first) next++
    runs.push({ index, bytes: Buffer.concat(pages.slice(first, next).map(({ bytes }) => bytes)) })
    first = next
  }
  return runs
}

function slotAt(bytes: Buffer, at: number, slotMs: number, precisionMs: number): TimerSlot | undefined {
  if (readLongAt(bytes, at) !== slotMs / precisionMs) return undefined
  const lastPosition = readLongAt(bytes, at + 16)
  if (lastPosition < 0) return undefined
  return { slotMs, firstPosition: readLongAt(bytes, at + 8), lastPosition, count: bytes.readInt32BE(at + 24) }
}

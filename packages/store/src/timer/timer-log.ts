import { assert, type Disk, type DiskFile, makeDirectorySynced } from '@skua-mq/runtime'
import { fileName, fileOffset } from '../file/layout.ts'
import { OpenFiles } from '../file/open-files.ts'
import { rewrite } from '../file/rewrite.ts'
import {
  isTimerBlank,
  readTimerUnit,
  type TimerUnit,
  timerBlankBytes,
  timerUnitBytes,
  writeTimerBlank,
  writeTimerUnit,
} from './timer-unit.ts'

/** Descriptors that are held at once. */
const maxOpen = 8
/** Units that are written in one go. */
const tailUnits = 1024
/** A piece of the log that is read at once: neighbours in a slot mostly lie near each other. */
const blockBytes = timerUnitBytes * 1024

interface LogFile {
  readonly base: number
  readonly path: string
  /** The last time of a slot that its units have; undefined for files of before this start. */
  lastSlotMs: number | undefined
  /** What its units reach, once somebody has read them all; of full files only. */
  reach?: { readonly slotMs: number; readonly physicalOffset: number }
}

/** A file of the timer log has something else in the place of a unit. */
export class DamagedTimerLog extends Error {}

/** A piece of the log in memory. */
interface Block {
  readonly base: number
  readonly bytes: Buffer
}

/**
 * RocketMQ's timerlog: files of one size, named after the position of their first byte, with units of 52 bytes back to back;
 * a unit never crosses files. Appended units are in memory until `write`.
 */
export class TimerLog {
  private readonly disk: Disk
  private readonly directory: string
  private readonly fileBytes: number
  private files: LogFile[] = []
  private readonly open: OpenFiles
  private readonly tail: Buffer
  /** Where the bytes of the tail go. */
  private tailAt = 0
  private tailLength = 0
  private readonly unsynced = new Set<string>()
  private isSuspect = false
  private isNamed = true
  private keepsAll = false

  constructor({ disk, directory, fileBytes }: { disk: Disk; directory: string; fileBytes: number }) {
    this.disk = disk
    this.directory = directory
    this.fileBytes = Math.max(fileBytes, timerUnitBytes + timerBlankBytes)
    this.open = new OpenFiles(disk, maxOpen)
    this.tail = Buffer.allocUnsafe(tailUnits * timerUnitBytes + timerBlankBytes)
  }

  /** Where the next unit goes. */
  get end(): number {
    return this.tailAt + this.tailLength
  }

  /** What lies before is in the files. */
  get written(): number {
    return this.tailAt
  }

  /** Where the oldest file begins. */
  get begin(): number {
    return this.files[0]?.base ?? 0
  }

  /** Looks what files there are: those behind a gap, or of another size, do not count. The end is where `truncate` says. */
  load(): void {
    this.files = []
    // Who wrote them may have been killed before their names were on the medium.
    this.isNamed = false
    for (const name of this.disk.list(this.directory)) {
      const base = fileOffset(name)
      if (base === undefined) continue
      const last = this.files.at(-1)
      const path = `${this.directory}/${name}`
      const isNext = last === undefined ? base % this.fileBytes === 0 : base === last.base + this.fileBytes
      if (!isNext || this.disk.stat(path)?.size !== this.fileBytes) break
      this.files.push({ base, path, lastSlotMs: undefined })
    }
    const last = this.files.at(-1)
    this.tailAt = last === undefined ? 0 : last.base + this.fileBytes
  }

  /** Position of the newest unit; undefined where there is none. */
  get lastPosition(): number | undefined {
    const inFile = this.end % this.fileBytes
    const position = inFile === 0 ? this.end - this.fileBytes + this.lastInFile : this.end - timerUnitBytes
    return this.files.length > 0 && position >= this.begin ? position : undefined
  }

  /**
   * Everything from `end` on is zero, or gone, on disk; the next unit goes there. `syncedTo`: what lies behind may not be on the medium
   * yet, since who wrote it was killed. Throws DiskError.
   */
  truncate(end: number, syncedTo = end): void {
    for (const name of this.disk.list(this.directory)) {
      const base = fileOffset(name)
      if (base !== undefined && base < end) continue
      const path = `${this.directory}/${name}`
      this.open.forget(path)
      this.unsynced.delete(path)
      this.disk.remove(path)
      this.isNamed = false
    }
    this.files = this.files.filter(({ base }) => base < end)
    const last = this.files.at(-1)
    if (last !== undefined && end < last.base + this.fileBytes) {
      this.using(last.path, file => {
        file.truncateSync(end - last.base)
        file.truncateSync(this.fileBytes)
      })
      this.unsynced.add(last.path)
    }
    for (const { base, path } of this.files) if (base + this.fileBytes > syncedTo) this.unsynced.add(path)
    this.tailAt = end
    this.tailLength = 0
  }

  /** Returns its position. Throws DiskError where a file cannot be written; the unit is not there then. */
  append(unit: TimerUnit): number {
    if (this.tailLength >= tailUnits * timerUnitBytes) this.write()
    const left = this.fileBytes - (this.end % this.fileBytes)
    if (this.files.length > 0 && left < timerUnitBytes + timerBlankBytes) this.endFile(left)
    if (this.end % this.fileBytes === 0) this.addFile()
    const position = this.end
    writeTimerUnit(unit, this.tail, this.tailLength)
    this.tailLength += timerUnitBytes
    const file = this.files.at(-1)!
    // Of a file of before this start nothing is known but that it holds this.
    if (file.lastSlotMs !== undefined || position === file.base)
      file.lastSlotMs = Math.max(file.lastSlotMs ?? 0, unit.slotMs)
    return position
  }

  /** The mark that nothing follows, in bytes of its own: where it cannot be written there is none. */
  private endFile(left: number): void {
    this.write()
    writeTimerBlank(this.tail, 0, left)
    this.tailLength = timerBlankBytes
    try {
      this.write()
    } catch (error) {
      this.tailLength = 0
      throw error
    }
    this.tailAt += left - timerBlankBytes
  }

  /** What was appended is in the files when it returns. Throws DiskError; it then stays in memory. */
  write(): void {
    if (this.tailLength === 0) return
    const file = this.files.at(-1)!
    this.using(file.path, open => open.writeSync(this.tail, 0, this.tailLength, this.tailAt - file.base))
    this.unsynced.add(file.path)
    this.tailAt += this.tailLength
    this.tailLength = 0
  }

  /** What is written is on the medium when it resolves. Throws DiskError. */
  async sync(): Promise<void> {
    const paths = [...this.unsynced]
    for (const path of paths) {
      // Somebody may have removed it while another one was synced.
      if (!this.unsynced.delete(path)) continue
      try {
        await this.usingLater(path, async file => {
          if (this.isSuspect) await rewrite(file)
          await file.syncData()
        })
      } catch (error) {
        for (const each of this.files) if (paths.includes(each.path)) this.unsynced.add(each.path)
        this.isSuspect = true
        throw error
      }
    }
    this.isSuspect = false
    if (this.isNamed || this.disk.stat(this.directory) === undefined) return
    // A file that comes while this waits is not on the medium by it.
    this.isNamed = true
    try {
      await this.disk.syncDirectoryLater(this.directory)
    } catch (error) {
      this.isNamed = false
      throw error
    }
  }

  /** Reads units one after another; neighbours are read together. What was appended must be written. */
  reader(): TimerLogReader {
    return new TimerLogReader(position => this.block(position))
  }

  /**
   * Removes files whose timers are all over: their messages are gone from the commit log, or their slots are before `readMs`.
   * `reachMs`: how far a slot may lie behind the writing of its unit. `announce` is told where the log is going to begin, and says whether
   * that is known now. Throws DiskError, or DamagedTimerLog.
   */
  async removeBefore(
    { minOffset, readMs, reachMs }: RemovedTimers,
    announce: (begin: number) => Promise<boolean> = async () => true,
  ): Promise<void> {
    const reader = this.reader()
    while (this.files.length > 1) {
      const [file] = this.files as [LogFile, ...LogFile[]]
      const last = await reader.unit(file.base + this.lastInFile)
      if (last === undefined) return
      const isPast = Math.min(file.lastSlotMs ?? Number.POSITIVE_INFINITY, last.writtenAtMs + reachMs) < readMs
      if (!isPast && last.physicalOffset >= minOffset) return
      // The last one may be older than those before it: a stop puts what is left of a slot behind all others.
      file.reach ??= await this.reachOf(file)
      if (file.reach.slotMs >= readMs && file.reach.physicalOffset >= minOffset) return
      if (this.keepsAll || !(await announce(file.base + this.fileBytes))) return
      // Somebody else may have done it while this waited, or the broker stops.
      if (this.files[0] !== file || this.keepsAll) return
      this.files.shift()
      this.unsynced.delete(file.path)
      this.open.forget(file.path)
      this.disk.remove(file.path)
      this.isNamed = false
    }
  }

  /** Nothing is removed any more. */
  keepAll(): void {
    this.keepsAll = true
  }

  close(): void {
    this.open.closeAll()
  }

  /** Throws DamagedTimerLog where not all of its units can be read: the others may wait still. */
  private async reachOf({ base, path }: LogFile): Promise<{ slotMs: number; physicalOffset: number }> {
    let [lastMs, lastOffset] = [0, 0]
    const broken = (position: number) => {
      throw new DamagedTimerLog(`${path} has no unit at ${position - base}`)
    }
    for await (const { unit } of this.reader().units(base, base + this.fileBytes, this.fileBytes, broken)) {
      if (this.keepsAll) break
      lastMs = Math.max(lastMs, unit.slotMs)
      lastOffset = Math.max(lastOffset, unit.physicalOffset)
    }
    return { slotMs: lastMs, physicalOffset: lastOffset }
  }

  /** Where the last unit of a full file begins. */
  private get lastInFile(): number {
    return Math.floor((this.fileBytes - timerBlankBytes) / timerUnitBytes - 1) * timerUnitBytes
  }

  private addFile(): void {
    const base = this.end
    assert(base % this.fileBytes === 0, 'a file of the timer log begins where the last one ends')
    if (this.disk.stat(this.directory) === undefined) makeDirectorySynced(this.disk, this.directory)
    const path = `${this.directory}/${fileName(base)}`
    const handle = this.open.acquireSized(path, this.fileBytes)
    this.open.release(handle)
    this.isNamed = false
    this.unsynced.add(path)
    this.files.push({ base, path, lastSlotMs: undefined })
  }

  private async block(position: number): Promise<Block | undefined> {
    const file = this.files.find(({ base }) => position >= base && position < base + this.fileBytes)
    if (file === undefined || position >= this.tailAt) return undefined
    const inFile = position - file.base
    const from = inFile - (inFile % blockBytes)
    const bytes = Buffer.allocUnsafe(Math.min(blockBytes, this.fileBytes - from))
    const length = await this.usingLater(file.path, open => open.read(bytes, 0, bytes.length, from))
    return { base: file.base + from, bytes: bytes.subarray(0, length) }
  }

  private using(path: string, work: (file: DiskFile) => void): void {
    const handle = this.open.acquire(path)
    try {
      work(handle.file)
    } finally {
      this.open.release(handle)
    }
  }

  private async usingLater<T>(path: string, work: (file: DiskFile) => Promise<T>): Promise<T> {
    const handle = this.open.acquire(path)
    try {
      return await work(handle.file)
    } finally {
      this.open.release(handle)
    }
  }
}

/** What need not be kept. */
export interface RemovedTimers {
  /** Oldest byte of the commit log. */
  readonly minOffset: number
  readonly readMs: number
  readonly reachMs: number
}

/** Reads units by their positions, for one walk: it keeps the block that was read last. */
export class TimerLogReader {
  private readonly load: (position: number) => Promise<Block | undefined>
  private kept: Block | undefined

  constructor(load: (position: number) => Promise<Block | undefined>) {
    this.load = load
  }

  /** Undefined where no unit begins. Throws DiskError. */
  async unit(position: number): Promise<TimerUnit | undefined> {
    if (!this.holds(position)) this.kept = await this.load(position)
    return this.unitNow(position)
  }

  /** As `unit`, for what is in the kept block; else undefined. */
  unitNow(position: number): TimerUnit | undefined {
    return this.holds(position) ? readTimerUnit(this.kept!.bytes, position - this.kept!.base) : undefined
  }

  /** Whether `unitNow` would find what is there. */
  holds(position: number): boolean {
    const { kept } = this
    return kept !== undefined && position >= kept.base && position + timerUnitBytes <= kept.base + kept.bytes.length
  }

  /**
   * Every unit of [from, to) with its position, oldest first; it ends where none is any more, which `broken` is told where that comes
   * before `to`. Throws DiskError.
   */
  async *units(
    from: number,
    to: number,
    fileBytes: number,
    broken: (position: number) => void = () => {},
  ): AsyncGenerator<{ unit: TimerUnit; position: number }> {
    for (let position = from; position < to; ) {
      const unit = await this.unit(position)
      if (unit !== undefined) {
        yield { unit, position }
        position += timerUnitBytes
        continue
      }
      const { kept } = this
      const isBlank = kept !== undefined && isTimerBlank(kept.bytes, position - kept.base)
      const next = position - (position % fileBytes) + fileBytes
      if (!isBlank && next - position >= timerUnitBytes + timerBlankBytes) {
        broken(position)
        return
      }
      position = next
    }
  }
}

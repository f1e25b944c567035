import type { ConsumeQueue } from '../consume-queue/consume-queue.ts'
import { extAddress } from '../consume-queue/ext-unit.ts'
import type { QueueFiles, QueueNames } from '../consume-queue/queue-files.ts'
import type { QueueTable } from '../consume-queue/queue-table.ts'
import {
  isMessageUnit,
  isUnit,
  unitBytes,
  unitPhysicalOffset,
  unitSize,
  unitTagsHash,
  unitTagsHigh,
} from '../consume-queue/unit.ts'

export interface QueueCut {
  /** Units of messages at or behind this physical offset are dropped. */
  readonly physicalOffset: number
  /** Units of messages at or behind this physical offset may not be on the medium: their files are synced again. */
  readonly syncedOffset: number
  /** The machine stopped: behind the first unwritten unit anything may stand. */
  readonly mayHaveHoles: boolean
  /** Where the log begins: nobody asks for the extended units of messages before it. */
  readonly begin: number
  /** Gets the queues whose `minOffset` was seen to be right, so that nobody opens their files again for it. */
  readonly settled: Set<ConsumeQueue>
}

/** Reads the directories of all queues, and where each ends (store.md 3.4, 3.5). False when files are missing. Throws DiskError. */
export function loadQueues(table: QueueTable, cut: QueueCut): boolean {
  const { files } = table
  let isWhole = true
  const hasExt = files.disk.stat(table.extFiles.root) !== undefined
  for (const { topic, queueId, directory } of queueDirectories(files)) {
    const { units, strays } = files.look(directory)
    if (units.length === 0) continue
    isWhole &&= isReadable(files, directory, { units, strays })
    if (isWhole) isWhole = new QueueLoad(files, table.findOrCreate(topic, queueId)).run(units, { ...cut, hasExt })
  }
  return isWhole
}

/** Whether a queue had a message; changes nothing. Throws DiskError. */
export function hasUnits({ files }: QueueTable): boolean {
  const unit = Buffer.alloc(unitBytes)
  for (const { directory } of queueDirectories(files)) {
    const first = files.list(directory)[0]
    if (first === undefined) continue
    if (first > 0 || (files.readSync(directory, first, { into: unit, count: 1 }) === 1 && isUnit(unit, 0))) return true
  }
  return false
}

/** The directories of queues: `root/TOPIC/QUEUEID`. */
function* queueDirectories({ disk, root }: QueueFiles) {
  for (const topic of disk.list(root)) {
    for (const name of disk.list(`${root}/${topic}`)) {
      if (/^\d{1,9}$/.test(name)) yield { topic, queueId: Number(name), directory: `${root}/${topic}/${name}` }
    }
  }
}

/** No file is missing between others, and all have the size that is configured. */
const isReadable = (files: QueueFiles, directory: string, { units, strays }: QueueNames): boolean =>
  strays === 0 && follow(units, files.fileUnits) && !files.hasTooLarge(directory, units)

/**
 * For a rebuild: of each queue stays what lies before the log, so that one whose messages are all deleted goes on with its
 * offsets. Of a queue that cannot be read, or lies in files of another size, stays the end. Throws DiskError.
 */
export function loadBefore(table: QueueTable, physicalOffset: number): void {
  const { files } = table
  const settled = new Set<ConsumeQueue>()
  const hasExt = files.disk.stat(table.extFiles.root) !== undefined
  const cut = { physicalOffset, begin: physicalOffset, syncedOffset: 0, mayHaveHoles: true, hasExt, settled }
  for (const { topic, queueId, directory } of queueDirectories(files)) {
    const queue = table.findOrCreate(topic, queueId)
    const names = files.look(directory)
    const { units } = names
    const load = new QueueLoad(files, queue)
    const isRead = units.length > 0 && isReadable(files, directory, names) && load.run(load.cutToFull(units), cut)
    if (!isRead) keepEnd(table, queue, cut)
    if (queue.maxOffset === 0) table.restart(queue)
  }
}

/** The new file is there before the old ones go: a start that ends amid it finds the end again. */
function keepEnd(
  { files }: QueueTable,
  queue: ConsumeQueue,
  { physicalOffset, hasExt }: { physicalOffset: number; hasExt: boolean },
): void {
  const end = files.lastBefore(queue.directory, physicalOffset)
  if (end === 0) {
    queue.startAt(0)
    return
  }
  queue.emptyAt(end)
  if (hasExt) queue.ext.resume(undefined, { isUnsafe: true })
  queue.flush()
  files.keepOnly(queue.directory, queue.firstFileUnit, end)
}

/** Units of a page. */
const headUnits = 204
const head = Buffer.alloc(headUnits * unitBytes)

/** Finds the end of one queue in its files. */
class QueueLoad {
  private readonly files: QueueFiles
  private readonly queue: ConsumeQueue
  private readonly unit = Buffer.alloc(unitBytes)
  /** The first units of the last file are in `head`: so many, from this one on. */
  private headUnit = 0
  private headCount = 0

  constructor(files: QueueFiles, queue: ConsumeQueue) {
    this.files = files
    this.queue = queue
  }

  /** False when the queue lacks units, or its last one names an extended one that is not there. */
  run(units: readonly number[], cut: QueueCut & { hasExt: boolean }): boolean {
    const first = units[0]!
    let last = units.at(-1)!
    if (!this.areFull(units)) return false
    while (last > first && !this.isKept(last, cut.physicalOffset)) {
      this.files.remove(this.queue.directory, last)
      last -= this.files.fileUnits
    }
    const kept = cut.mayHaveHoles
      ? this.keptInOrder(last, cut.physicalOffset)
      : this.keptByHalving(last, cut.physicalOffset)
    const end = last + kept
    if (cut.mayHaveHoles || (kept < this.files.fileUnits && this.isWritten(end))) this.clear(end, last)
    this.markUnsynced(last, first, cut.syncedOffset)
    this.queue.startAt(end)
    this.queue.firstFileUnit = first
    this.queue.minOffset = first
    this.queue.maxPhysicalOffset = this.lastPhysicalEnd(end, first)
    if (!cut.hasExt && this.beginsInLog(first, end, cut.begin)) cut.settled.add(this.queue)
    return this.resumeExt(end, cut)
  }

  private beginsInLog(first: number, end: number, begin: number): boolean {
    if (first === end || !this.isWritten(first)) return false
    return isMessageUnit(this.unit, 0) && unitPhysicalOffset(this.unit, 0) >= begin
  }

  /** Files before the last one are full: zeros at either end say that something is lost. */
  private areFull(units: readonly number[]): boolean {
    const { fileUnits } = this.files
    return units.every(
      (unit, at) => at === units.length - 1 || (this.isWritten(unit) && this.isWritten(unit + fileUnits - 1)),
    )
  }

  /** The files up to the first one that is not full; those behind it are removed. What is not on the medium may be of any file. */
  cutToFull(units: readonly number[]): readonly number[] {
    const { fileUnits } = this.files
    const end = units.findIndex(unit => !this.isWritten(unit) || !this.isWritten(unit + fileUnits - 1)) + 1
    if (end === 0 || end === units.length) return units
    for (const unit of units.slice(end)) this.files.remove(this.queue.directory, unit)
    return units.slice(0, end)
  }

  private resumeExt(end: number, cut: QueueCut & { hasExt: boolean }): boolean {
    const { queue, unit } = this
    const isInLog = end > queue.firstFileUnit && this.isWritten(end - 1) && unitPhysicalOffset(unit, 0) >= cut.begin
    const isExtended = isInLog && queue.isExtended(unit, 0)
    if (!cut.hasExt) return !isExtended
    const last = isExtended ? extAddress(unitTagsHigh(unit, 0), unitTagsHash(unit, 0)) : undefined
    return queue.ext.resume(last, { isUnsafe: cut.syncedOffset < Number.MAX_SAFE_INTEGER })
  }

  private markUnsynced(last: number, first: number, syncedOffset: number): void {
    for (let file = last; file >= first && syncedOffset < Number.MAX_SAFE_INTEGER; file -= this.files.fileUnits) {
      this.files.markUnsynced(this.queue.directory, file)
      if (this.isKept(file, syncedOffset)) return
    }
  }

  private clear(end: number, last: number): void {
    if (end - last < this.files.fileUnits) this.files.clearFrom(this.queue.directory, end)
  }

  private keptByHalving(fileUnit: number, physicalOffset: number): number {
    const first = this.keptOfFirst(fileUnit, physicalOffset)
    let low = first
    // Most of many queues are short: a look at one page spares them a walk through the holes of their files.
    let high = first < headUnits ? first : this.files.fileUnits
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.isKept(fileUnit + middle, physicalOffset)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** How many of the first units are kept; all of them when there may be more. */
  private keptOfFirst(fileUnit: number, physicalOffset: number): number {
    const got = this.files.readSync(this.queue.directory, fileUnit, { into: head, count: headUnits })
    this.headUnit = fileUnit
    this.headCount = got
    let low = 0
    let high = got
    while (low < high) {
      const middle = (low + high) >> 1
      const at = middle * unitBytes
      if (isUnit(head, at) && unitPhysicalOffset(head, at) < physicalOffset) low = middle + 1
      else high = middle
    }
    return low
  }

  private keptInOrder(fileUnit: number, physicalOffset: number): number {
    const span = Buffer.alloc(1024 * unitBytes)
    for (let kept = 0; kept < this.files.fileUnits; ) {
      const got = this.files.readSync(this.queue.directory, fileUnit + kept, { into: span, count: 1024 })
      for (let i = 0; i < got; i++, kept++) {
        const at = i * unitBytes
        if (!isUnit(span, at) || unitPhysicalOffset(span, at) >= physicalOffset) return kept
      }
      if (got === 0) return kept
    }
    return this.files.fileUnits
  }

  private isKept(unit: number, physicalOffset: number): boolean {
    return this.isWritten(unit) && unitPhysicalOffset(this.unit, 0) < physicalOffset
  }

  /** Leaves the unit in `unit`. */
  private isWritten(unit: number): boolean {
    const inHead = unit - this.headUnit
    if (inHead >= 0 && inHead < this.headCount) {
      head.copy(this.unit, 0, inHead * unitBytes, (inHead + 1) * unitBytes)
      return isUnit(this.unit, 0)
    }
    const got = this.files.readSync(this.queue.directory, unit, { into: this.unit, count: 1 })
    return got === 1 && isUnit(this.unit, 0)
  }

  private lastPhysicalEnd(end: number, first: number): number {
    for (let unit = end - 1; unit >= first; unit--) {
      if (!this.isWritten(unit)) return -1
      if (isMessageUnit(this.unit, 0)) return unitPhysicalOffset(this.unit, 0) + unitSize(this.unit, 0)
    }
    return -1
  }
}

function follow(units: readonly number[], fileUnits: number): boolean {
  return units.every((unit, at) => at === 0 || unit === units[at - 1]! + fileUnits)
}

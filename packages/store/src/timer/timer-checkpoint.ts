import { type Disk, makeDirectorySynced, parentOf } from '@skua-mq/runtime'
import { readLongAt, writeLongAt } from './timer-unit.ts'

/** How far the timers of a broker have come (store.md 7.2): config/timercheck, and the body of GET_TIMER_CHECK_POINT. */
export interface TimerCheckpoint {
  /** The slots before this time are delivered. */
  readMs: number
  /** The timer log is on the medium up to here. */
  logFlushed: number
  /** The messages of the timer's topic before this offset are in the timer log. */
  queueOffset: number
  /** The same of the master; at a master, its own. */
  masterQueueOffset: number
  stateVersion: number
  timestamp: number
  counter: number
}

/** Before anything has come. */
export const noTimerCheckpoint: Readonly<TimerCheckpoint> = {
  readMs: 0,
  logFlushed: 0,
  queueOffset: 0,
  masterQueueOffset: 0,
  stateVersion: 0,
  timestamp: 0,
  counter: 0,
}

const fileBytes = 4096
const names = [
  ...(['readMs', 'logFlushed', 'queueOffset', 'masterQueueOffset'] as const),
  ...(['stateVersion', 'timestamp', 'counter'] as const),
]
const bodyBytes = names.length * 8
/** RocketMQ before 5.1 wrote no version. */
const leastBytes = 32

/** Seven longs. */
export function encodeTimerCheckpoint(checkpoint: TimerCheckpoint): Buffer {
  const bytes = Buffer.alloc(bodyBytes)
  names.forEach((name, at) => {
    writeLongAt(bytes, checkpoint[name], at * 8)
  })
  return bytes
}

/** Undefined where bytes are missing, or say what no broker does: whoever believed them would take all timers for delivered. */
export function decodeTimerCheckpoint(bytes: Buffer): TimerCheckpoint | undefined {
  if (bytes.length < leastBytes) return undefined
  const checkpoint = { ...noTimerCheckpoint }
  names.forEach((name, at) => {
    if (at * 8 + 8 <= bytes.length) checkpoint[name] = readLongAt(bytes, at * 8)
  })
  const { readMs, logFlushed, queueOffset, masterQueueOffset } = checkpoint
  const isPossible = readMs < latestMs && [readMs, logFlushed, queueOffset, masterQueueOffset].every(isPlace)
  return isPossible ? checkpoint : undefined
}

/** The year 2248. */
const latestMs = 2 ** 43
const isPlace = (place: number): boolean => place >= -1 && Number.isSafeInteger(place)

/**
 * Behind RocketMQ's longs, which it leaves alone: that Skua wrote the file, and the time up to which it delivered. What RocketMQ has
 * delivered afterwards lies between this time and the file's.
 */
const ownMarkAt = 64
const ownMark = Buffer.from('SKUATIME')

/** The time up to which Skua delivered; 0 where it never wrote the file. */
export function ownReadMsIn(bytes: Buffer): number {
  const isOwn = bytes.length >= ownMarkAt + 16 && bytes.subarray(ownMarkAt, ownMarkAt + 8).equals(ownMark)
  return isOwn ? readLongAt(bytes, ownMarkAt + 8) : 0
}

/** Behind both, how many timers wait, and 1 more than where the timer log begins. */
const waitingAt = ownMarkAt + 16
const logBeginAt = ownMarkAt + 24
const ownBytes = ownMarkAt + 32

/** What Skua says of its files beside the check point. */
export interface TimerFilesNote {
  /** How many timers lie in the wheel. */
  readonly waiting: number
  /** Files of the timer log before this place may be gone. */
  readonly logBegin: number
}

/** The file. Its 96 bytes lie in one sector, so that a power cut leaves the former ones or the new ones. */
export class TimerCheckFile {
  private readonly disk: Disk
  private readonly path: string
  /** Its name is on the medium: who made it may have been killed before that. */
  private isNamed = false
  /** Skua was the last that wrote what `load` has found. */
  isOwn = false
  /** How many timers the wheel had then; undefined where that is not known. */
  waiting: number | undefined
  /** Where the timer log began then; undefined where that is not known. */
  logBegin: number | undefined

  constructor(disk: Disk, path: string) {
    this.disk = disk
    this.path = path
  }

  load(): TimerCheckpoint | undefined {
    if (this.disk.stat(this.path) === undefined) return undefined
    const bytes = this.disk.readFile(this.path)
    const checkpoint = decodeTimerCheckpoint(bytes)
    // All zero: RocketMQ makes the file before it has anything to say.
    if (checkpoint === undefined || checkpoint.readMs <= 0) return undefined
    this.isOwn = ownReadMsIn(bytes) === checkpoint.readMs
    const begin = this.isOwn && bytes.length >= ownBytes ? readLongAt(bytes, logBeginAt) : 0
    this.logBegin = begin > 0 ? begin - 1 : undefined
    // Whoever wrote no beginning wrote 0 timers also where that was not known.
    const waiting = this.isOwn && bytes.length >= waitingAt + 8 ? readLongAt(bytes, waitingAt) : 0
    this.waiting = waiting > 0 || begin > 0 ? waiting : undefined
    return checkpoint
  }

  /** `note`: of files that belong to it. On the medium when it resolves. Throws DiskError. */
  async save(checkpoint: TimerCheckpoint, note?: TimerFilesNote): Promise<void> {
    const { disk, path } = this
    if (disk.stat(path) === undefined) {
      this.isNamed = false
      makeDirectorySynced(disk, parentOf(path))
    }
    const file = disk.open(path, 'create')
    try {
      if (file.size() < fileBytes) file.truncateSync(fileBytes)
      const bytes = Buffer.alloc(ownBytes)
      encodeTimerCheckpoint(checkpoint).copy(bytes)
      ownMark.copy(bytes, ownMarkAt)
      writeLongAt(bytes, checkpoint.readMs, ownMarkAt + 8)
      writeLongAt(bytes, note?.waiting ?? 0, waitingAt)
      writeLongAt(bytes, note === undefined ? 0 : note.logBegin + 1, logBeginAt)
      await file.write(bytes, 0, bytes.length, 0)
      await file.syncData()
    } finally {
      file.closeSync()
    }
    if (this.isNamed) return
    await disk.syncDirectoryLater(parentOf(path))
    this.isNamed = true
  }
}

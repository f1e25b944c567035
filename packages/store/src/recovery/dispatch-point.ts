import { crc32 } from '@skua-mq/protocol'
import type { Disk, DiskFile } from '@skua-mq/runtime'
import type { IndexPoint } from '../index-file/index-files.ts'

/** What there is of queues: equal sums say that nothing of their files is lost. */
export interface QueueTotals {
  /** Queues that ever had a unit. */
  readonly queues: number
  /** The sum of their ends. */
  readonly units: number
  /** The sum of the first units of their first files. */
  readonly firsts: number
}

/** Everything of the log below `physicalOffset` is in the files of queues and index. */
export interface DispatchPoint {
  readonly physicalOffset: number
  readonly index: IndexPoint
  /** Of the units of messages below `physicalOffset`; stores of before did not keep them. */
  readonly totals?: QueueTotals
  /** Where the log began; stores of before did not keep it. */
  readonly begin?: number
}

/**
 * Our own addition to Java's checkpoint, in a file that Java does not know. `written` holds as long as the machine has
 * not stopped (`bootId`): after a kill, the page cache is still there. `synced` holds always.
 */
export interface DispatchPoints {
  /** Grows with each write: the greater of the two halves of the file counts. */
  readonly sequence: number
  readonly bootId: string
  readonly written: DispatchPoint
  readonly synced: DispatchPoint
  /** Where the log ended, all of it on the medium, when the store was stopped with queues that were written and not all synced. */
  readonly stoppedAt?: number
}

/** Two halves, written in turns, so that a torn write leaves the one before. */
const halfBytes = 2048

/** Undefined when the file is missing or damaged. */
export function readDispatchPoints(disk: Disk, path: string): DispatchPoints | undefined {
  if (disk.stat(path) === undefined) return undefined
  const bytes = disk.readFile(path)
  const first = parseHalf(bytes.subarray(0, halfBytes))
  const second = parseHalf(bytes.subarray(halfBytes))
  return (first?.sequence ?? -1) > (second?.sequence ?? -1) ? first : second
}

/**
 * Whether there is a file of which neither half reads; after a clean stop, with `isStill`, also one of which a half is not what anybody
 * wrote: a torn write is none then.
 */
export function areDispatchPointsDamaged(disk: Disk, path: string, { isStill }: { isStill: boolean }): boolean {
  if ((disk.stat(path)?.size ?? 0) === 0) return false
  const bytes = disk.readFile(path)
  const halves = [bytes.subarray(0, halfBytes), bytes.subarray(halfBytes)]
  const read = halves.filter(half => parseHalf(half) !== undefined).length
  return read === 0 || (isStill && read < halves.filter(half => half.some(byte => byte !== 0)).length)
}

/** Writes the half whose turn it is. Throws DiskError. */
export function writeDispatchPoints(file: DiskFile, points: DispatchPoints): void {
  const body = Buffer.from(JSON.stringify(points))
  const bytes = Buffer.alloc(halfBytes)
  bytes.write(`${checksum(body)} `, 0)
  body.copy(bytes, 9)
  bytes[9 + body.length] = newline
  file.writeSync(bytes, 0, halfBytes, (points.sequence % 2) * halfBytes)
}

const newline = 0x0a

/** One line: a checksum, a space, JSON. */
function parseHalf(half: Buffer): DispatchPoints | undefined {
  const end = half.indexOf(newline)
  if (end < 9) return undefined
  const body = half.subarray(9, end)
  if (half.toString('latin1', 0, 8) !== checksum(body)) return undefined
  return JSON.parse(body.toString('utf8')) as DispatchPoints
}

function checksum(bytes: Buffer): string {
  return crc32(bytes, 0, bytes.length).toString(16).padStart(8, '0')
}

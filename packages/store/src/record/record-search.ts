import { RecordMagic } from '@skua-mq/protocol'
import type { DiskFile } from '@skua-mq/runtime'
import { RecordView, readLong } from './record-view.ts'

const searchBytes = 1024 * 1024
/** The magic stands so far behind a record's beginning, and its physical offset is told within so many bytes. */
const magicAt = 4
const offsetAt = 28
const headBytes = 36
const magics = [RecordMagic.v1, RecordMagic.v2].map(magic => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(magic)
  return bytes
})

/** A file of the log, or what is read of one. */
export interface LogFile {
  readonly file: Pick<DiskFile, 'read'>
  /** Physical offset of its first byte. */
  readonly base: number
  readonly size: number
}

/**
 * Place in the file of the next record at or behind `from` that says of itself that it stands there; the file's size when
 * there is none. Behind damage this is where reading goes on.
 */
export async function nextRecord({ file, base, size }: LogFile, from: number): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(searchBytes, size))
  const view = new RecordView()
  for (let start = from; start < size; start += buffer.length - headBytes) {
    const length = await file.read(buffer, 0, Math.min(buffer.length, size - start), start)
    const bytes = buffer.subarray(0, length)
    for (let at = nextMagic(bytes, magicAt); at >= 0; at = nextMagic(bytes, at + 1)) {
      const place = start + at - magicAt
      if (length - at < headBytes || readLong(bytes, at - magicAt + offsetAt) !== base + place) continue
      if (await isRecord({ file, base, size }, place, view)) return place
    }
    if (length < buffer.length) break
  }
  return size
}

/** Whether the whole record is there, which may be longer than what was read. */
async function isRecord({ file, size }: LogFile, place: number, view: RecordView): Promise<boolean> {
  const head = Buffer.alloc(4)
  await file.read(head, 0, 4, place)
  const recordSize = head.readInt32BE(0)
  if (recordSize < headBytes || recordSize > size - place) return false
  const bytes = Buffer.allocUnsafe(recordSize)
  const length = await file.read(bytes, 0, recordSize, place)
  return view.parse(bytes, 0, length) === 'record'
}

function nextMagic(bytes: Buffer, from: number): number {
  const places = magics.map(magic => bytes.indexOf(magic, from)).filter(at => at >= 0)
  return places.length === 0 ? -1 : Math.min(...places)
}

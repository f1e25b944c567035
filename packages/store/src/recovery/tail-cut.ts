import { type Disk, DiskError, type DiskFile, defineEvent, type Events, makeDirectorySynced } from '@skua-mq/runtime'
import type { Segment, Segments } from '../commit-log/segments.ts'
import type { Layout } from '../file/layout.ts'

export const tailSetAside = defineEvent<{ at: number; end: number; kept: string }>(
  'the end of the log, which its master has not, was cut; it is kept beside',
  'warn',
)

/** The log of a slave parts from that of its master: what is to be cut, and the name of the directory that keeps it. */
export interface TailCut {
  /** The log goes on here; records from here on are cut. */
  readonly at: number
  /** Below the root of the store; has a commitlog/ that the tools for stores read. */
  readonly kept: string
}

/** The wish to cut, for the next start: it is done there, and done again where that start ends amid it. Throws DiskError. */
export function orderTailCut(disk: Disk, layout: Pick<Layout, 'root' | 'tailCut'>, cut: TailCut): void {
  const bytes = Buffer.from(JSON.stringify(cut))
  const half = `${layout.tailCut}.new`
  disk.writeFile(half, bytes)
  const file = disk.open(half, 'write')
  try {
    file.syncDataSync()
  } finally {
    file.closeSync()
  }
  disk.rename(half, layout.tailCut)
  disk.syncDirectory(layout.root)
}

/** Undefined where nothing is to be cut, or was being cut when a former start ended. */
export function readTailCut(disk: Disk, layout: Pick<Layout, 'tailCut'>): TailCut | undefined {
  if (disk.stat(layout.tailCut) === undefined) return undefined
  return JSON.parse(disk.readFile(layout.tailCut).toString('utf8')) as TailCut
}

/** All that followed from the cut is on the medium. */
export function forgetTailCut(disk: Disk, layout: Pick<Layout, 'root' | 'tailCut'>): void {
  disk.remove(layout.tailCut)
  disk.syncDirectory(layout.root)
}

/**
 * Takes the files of the log behind the cut into the directory that keeps them, the last one first, and a copy of the one in
 * which the cut is; then makes zeros of what is behind it there. Can be done again after an end amid it. Throws DiskError.
 */
export async function setTailAside(
  { disk, events, layout }: { disk: Disk; events: Events; layout: Layout },
  segments: Segments,
  { at, kept }: TailCut,
): Promise<void> {
  const { end } = segments
  if (end <= at) return
  const directory = `${layout.root}/${kept}/commitlog`
  makeDirectorySynced(disk, directory)
  const within = segments.find(at)
  if (within !== undefined && within.base < at) await copy(disk, within, { directory, size: segments.size })
  segments.moveFrom(at, directory)
  disk.syncDirectory(directory)
  if (within !== undefined && within.base < at) await segments.clearFrom(at)
  events.emit(tailSetAside({ at, end, kept: `${layout.root}/${kept}` }))
}

const pieceBytes = 1024 * 1024

/** One that is there was copied before anything was cut. */
async function copy(
  disk: Disk,
  segment: Segment,
  { directory, size }: { directory: string; size: number },
): Promise<void> {
  const to = `${directory}/${segment.path.slice(segment.path.lastIndexOf('/') + 1)}`
  if (disk.stat(to) !== undefined) return
  const [from, into] = [disk.open(segment.path, 'read'), disk.open(`${to}.half`, 'create')]
  try {
    await copyBytes(from, into, size)
    await into.syncData()
  } finally {
    from.closeSync()
    into.closeSync()
  }
  disk.rename(`${to}.half`, to)
  disk.syncDirectory(directory)
}

/**
 * Zeros are left out: files of the log are sparse. They are looked for by comparison with zeros, as a look at each byte of a GiB takes 20 s,
 * in which the broker answers nobody.
 */
async function copyBytes(from: DiskFile, into: DiskFile, size: number): Promise<void> {
  into.truncateSync(0)
  into.truncateSync(size)
  const bytes = Buffer.allocUnsafe(Math.min(pieceBytes, size))
  const zeros = Buffer.alloc(bytes.length)
  for (let at = 0; at < size; ) {
    const got = await from.read(bytes, 0, Math.min(bytes.length, size - at), at)
    if (got === 0) throw new DiskError('ESHORTREAD', from.path)
    if (bytes.compare(zeros, 0, got, 0, got) !== 0) await into.write(bytes, 0, got, at)
    at += got
  }
}

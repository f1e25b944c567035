import type { MessageStore } from '@skua-mq/store'
import type { DueTimer } from './slot-schedule.ts'

/** Bytes of messages of one slot that are in memory before they are due. */
export const maxFetchedBytes = 8 * 1024 * 1024
/** Messages that lie so near each other in the log are read together ... */
const nearBytes = 16 * 1024
/** ... in pieces of this size. */
const pieceBytes = 256 * 1024
/** Reads under way. */
const readsAtOnce = 4

interface Piece {
  readonly from: number
  end: number
  readonly timers: DueTimer[]
}

/**
 * Reads the messages of a slot ahead, in the order of the log: what is due in one second was mostly sent within a short time,
 * so that one read brings many. What does not come is read when it is due.
 */
export async function fetchRecords(store: Pick<MessageStore, 'readLog'>, timers: readonly DueTimer[]): Promise<void> {
  const pieces = piecesOf(timers)
  const work = async () => {
    for (let piece = pieces.pop(); piece !== undefined; piece = pieces.pop()) await fetchPiece(store, piece)
  }
  await Promise.all(Array.from({ length: readsAtOnce }, work))
}

async function fetchPiece(store: Pick<MessageStore, 'readLog'>, { from, end, timers }: Piece): Promise<void> {
  const bytes = await store.readLog(from, end - from)
  for (const timer of timers) {
    const at = timer.unit.physicalOffset - from
    if (at + timer.unit.size > bytes.length) continue
    // Alone it keeps its own bytes; a copy lets the others go.
    timer.record = timers.length === 1 ? bytes : Buffer.from(bytes.subarray(at, at + timer.unit.size))
  }
}

function piecesOf(timers: readonly DueTimer[]): Piece[] {
  let left = maxFetchedBytes
  const wanted = timers.filter(({ record, unit: { size } }) => {
    if (record !== undefined || size > left) return false
    left -= size
    return true
  })
  wanted.sort((a, b) => a.unit.physicalOffset - b.unit.physicalOffset)
  const pieces: Piece[] = []
  for (const timer of wanted) {
    const { physicalOffset: from, size } = timer.unit
    const last = pieces.at(-1)
    if (last !== undefined && from - last.end <= nearBytes && from + size - last.from <= pieceBytes) {
      last.end = Math.max(last.end, from + size)
      last.timers.push(timer)
    } else pieces.push({ from, end: from + size, timers: [timer] })
  }
  return pieces.reverse()
}

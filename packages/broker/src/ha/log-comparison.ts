import type { MessageStore } from '@skua-mq/store'

/** Of the log that is compared, at most: a record, and what has come of the next one. */
const pieceBytes = 1024 * 1024

/**
 * The end of the log here, from its last whole record on, and how much of it the master has sent alike. Equal offsets do not
 * tell of equal logs: two brokers that were masters one after the other may have written as much. A record carries its
 * place, its time and who stored it, so that one which is the same was written by the same broker at once, and so was all before it.
 */
export class LogComparison {
  /** What the master is asked for. No master takes 0 for the beginning of a log. */
  readonly from: number
  private readonly own: Buffer
  private compared = 0

  constructor(from: number, own: Buffer) {
    this.from = from
    this.own = own
  }

  /** Where the master has to go on. */
  get next(): number {
    return this.from + this.compared
  }

  get isOver(): boolean {
    return this.compared === this.own.length
  }

  /** Takes what the master has at `next`; answers what lies behind the log here, or undefined where the two differ. */
  take(bytes: Buffer): Buffer | undefined {
    const length = Math.min(bytes.length, this.own.length - this.compared)
    const { own, compared } = this
    if (!own.subarray(compared, compared + length).equals(bytes.subarray(0, length))) return undefined
    this.compared += length
    return bytes.subarray(length)
  }
}

type Log = Pick<MessageStore, 'readLog' | 'landmarks' | 'maxPhysicalOffset' | 'minPhysicalOffset'>

/** Whoever asks for 0 gets the last file of the log. The first byte of a record is zero, so that it need not be sent. */
export const askedFor = (offset: number): number => Math.max(1, offset)

/** The end of a log that is not empty. Nothing may be appended meanwhile. */
export async function comparisonOf(store: Log): Promise<LogComparison> {
  const last = await store.landmarks.last()
  const from = askedFor(last?.begin ?? store.minPhysicalOffset)
  return new LogComparison(from, await readAll(store, from, store.maxPhysicalOffset))
}

/** A stretch of the log, over files. */
export async function readAll(store: Pick<Log, 'readLog'>, from: number, to: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for (let at = from; at < to; ) {
    const bytes = await store.readLog(at, Math.min(pieceBytes, to - at))
    if (bytes.length === 0) throw new Error(`the log here cannot be read at ${at}`)
    parts.push(bytes)
    at += bytes.length
  }
  return Buffer.concat(parts)
}

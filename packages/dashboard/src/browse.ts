import { each, type FoundMessage, masterNamed, offsetAt, PullPace, type QueueStats, topicStats } from '@skua-mq/admin'
import type { Cluster } from './cluster.ts'
import { pullEach } from './pull.ts'

/** Where a list of messages begins. */
export type From =
  | { readonly at: 'newest' }
  | { readonly at: 'oldest' }
  | { readonly at: 'offset'; readonly offset: number }
  | { readonly at: 'time'; readonly timeMs: number }

/** What is listed: a topic, or one of its queues. */
export interface Browse {
  readonly topic: string
  readonly brokerName?: string | undefined
  readonly queueId?: number | undefined
  readonly from: From
  readonly limit: number
  /** Where the page before ended, by queue. */
  readonly cursor?: Cursor | undefined
}

/** `broker/queueId` to an offset: the next one, or of the newest first the one behind the next. */
export type Cursor = Readonly<Record<string, number>>

/** Bytes of messages that are read for one page; a page of large messages has fewer of them, and goes on behind them. */
export const maxPageBytes = 64 * 1024 * 1024

/** What is kept of a message: where it lies is needed to put them in order. */
interface Placed {
  readonly queueOffset: number
  readonly storedAtMs: number
}

/** What was made of messages, and where to go on; an empty cursor is the end. */
export interface Browsed<T> {
  readonly rows: readonly T[]
  readonly cursor: Cursor
}

/** A page that grows. */
interface PageOf<T> {
  readonly rows: T[]
  readonly limit: number
}

/** What an answer says of its end. */
export const endOf = ({
  cursor,
}: Pick<Browsed<unknown>, 'cursor'>): { readonly cursor: Cursor; readonly isEnd: boolean } => ({
  cursor,
  isEnd: Object.keys(cursor).length === 0,
})

const keyOf = ({ brokerName, queueId }: { brokerName: string; queueId: number }): string => `${brokerName}/${queueId}`

/** Messages of a queue, one after another; asked for in small pieces, and only when they are next. */
class Line<T extends Placed> {
  readonly key: string
  /** The next one to be given; of the newest first, behind it. */
  at: number
  private readonly cluster: Cluster
  private readonly queue: QueueStats
  private readonly address: string
  private readonly isBack: boolean
  private readonly piece: number
  private readonly rowOf: (message: FoundMessage) => T
  private readonly pace = new PullPace()
  private buffer: T[] = []
  /** Of messages that were read so far. */
  bytes = 0

  constructor(
    cluster: Cluster,
    {
      queue,
      address,
      at,
      isBack,
      piece,
      rowOf,
    }: {
      queue: QueueStats
      address: string
      at: number
      isBack: boolean
      piece: number
      rowOf: (message: FoundMessage) => T
    },
  ) {
    this.cluster = cluster
    this.queue = queue
    this.address = address
    this.key = keyOf(queue)
    this.at = at
    this.isBack = isBack
    this.piece = piece
    this.rowOf = rowOf
  }

  get isOver(): boolean {
    return this.buffer.length === 0 && (this.isBack ? this.at <= this.queue.minOffset : this.at >= this.queue.maxOffset)
  }

  /** The time of the next message; before anything is read, what it cannot be later than. */
  get nextMs(): number {
    return this.buffer[0]?.storedAtMs ?? this.queue.lastUpdateMs
  }

  get isRead(): boolean {
    return this.buffer.length > 0
  }

  take(): T | undefined {
    const message = this.buffer.shift()
    if (message !== undefined) this.at = this.isBack ? message.queueOffset : message.queueOffset + 1
    return message
  }

  async read(): Promise<void> {
    const { minOffset, maxOffset } = this.queue
    if (this.isRead || this.isOver) return
    const piece = Math.min(this.piece, this.pace.count)
    const from = this.isBack ? Math.max(minOffset, this.at - piece) : Math.max(minOffset, this.at)
    const end = this.isBack ? this.at : Math.min(maxOffset, from + piece)
    const found: T[] = []
    let offset = from
    while (offset < end) {
      const { address, queue, pace } = this
      const pulled = await pullEach(this.cluster, { address, queue, offset, pace, most: end - offset }, message =>
        message.queueOffset >= from && message.queueOffset < end ? this.rowOf(message) : undefined,
      )
      found.push(...pulled.items)
      this.bytes += pulled.bytes
      if (pulled.nextBeginOffset <= offset) break
      offset = pulled.nextBeginOffset
    }
    this.buffer = this.isBack ? found.reverse() : found
    // What cannot be read, or is no message (a gap), is passed by.
    if (found.length === 0) this.at = this.isBack ? from : Math.max(end, offset)
  }
}

/**
 * A page of messages of all queues together, by their time; nothing is committed. Of each message only what `rowOf` makes of it is kept. A
 * page ends early where 64 MiB were read for it: then its cursor goes on.
 */
export async function browse<T extends Placed>(
  cluster: Cluster,
  given: Browse,
  rowOf: (message: FoundMessage) => T,
): Promise<Browsed<T>> {
  const { from, limit, cursor } = given
  const isBack = from.at === 'newest'
  const stats = (await topicStats(cluster.session, given.topic)).filter(
    ({ brokerName, queueId, minOffset, maxOffset }) =>
      maxOffset > minOffset &&
      (given.brokerName === undefined || given.brokerName === brokerName) &&
      (given.queueId === undefined || given.queueId === queueId),
  )
  const addresses = new Map<string, string>()
  for (const { brokerName } of stats)
    if (!addresses.has(brokerName)) addresses.set(brokerName, (await masterNamed(cluster.session, brokerName)).address)
  const piece = Math.max(1, Math.min(32, Math.ceil((2 * limit) / Math.max(1, stats.length))))
  const lines = await each(stats, async queue => {
    const address = addresses.get(queue.brokerName)!
    const at = cursor?.[keyOf(queue)] ?? (await beginOf(cluster, { queue, address, from }))
    return new Line(cluster, { queue, address, at, isBack, piece, rowOf })
  })
  // Brokers may begin at the message before a time.
  const firstMs = from.at === 'time' ? from.timeMs : 0
  const page: PageOf<T> = { rows: [], limit }
  await (isBack ? newestFirst(lines, page) : oldestFirst(lines, page, firstMs))
  return {
    rows: page.rows,
    cursor: Object.fromEntries(lines.filter(line => !line.isOver).map(line => [line.key, line.at])),
  }
}

/** Whether nothing more is read for this page; one message is there in any case, so that whoever turns pages comes to the end. */
const isFull = <T extends Placed>({ rows, limit }: PageOf<T>, lines: readonly Line<T>[]): boolean =>
  rows.length >= limit || (rows.length > 0 && lines.reduce((sum, { bytes }) => sum + bytes, 0) >= maxPageBytes)

async function beginOf(
  { session }: Cluster,
  { queue, address, from }: { queue: QueueStats; address: string; from: From },
): Promise<number> {
  if (from.at === 'newest') return queue.maxOffset
  if (from.at === 'oldest') return queue.minOffset
  if (from.at === 'offset') return Math.max(queue.minOffset, from.offset)
  return offsetAt(session, { address, topic: queue.topic, queueId: queue.queueId }, from.timeMs)
}

/** A queue is read when its newest message could be the next one. */
async function newestFirst<T extends Placed>(lines: readonly Line<T>[], page: PageOf<T>): Promise<void> {
  while (!isFull(page, lines)) {
    const open = lines.filter(line => !line.isOver)
    if (open.length === 0) return
    const next = open.reduce((a, b) => (b.nextMs > a.nextMs ? b : a))
    if (next.isRead) page.rows.push(next.take()!)
    else await next.read()
  }
}

async function oldestFirst<T extends Placed>(
  lines: readonly Line<T>[],
  page: PageOf<T>,
  firstMs: number,
): Promise<void> {
  while (!isFull(page, lines)) {
    await each(
      lines.filter(line => !line.isOver && !line.isRead),
      line => line.read(),
    )
    const open = lines.filter(line => line.isRead)
    if (open.length === 0) {
      if (lines.every(line => line.isOver)) return
      continue
    }
    const next = open.reduce((a, b) => (b.nextMs < a.nextMs ? b : a)).take()!
    if (next.storedAtMs >= firstMs) page.rows.push(next)
  }
}

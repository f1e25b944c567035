import {
  each,
  type FoundMessage,
  masterNamed,
  offsetAt,
  pullMessages,
  type QueueStats,
  topicStats,
} from '@skua-mq/admin'
import type { Cluster } from './cluster.ts'

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

/** Messages, and where to go on; an empty cursor is the end. */
export interface Browsed {
  readonly messages: readonly FoundMessage[]
  readonly cursor: Cursor
}

/** What an answer says of its end. */
export const endOf = ({ cursor }: Browsed): { readonly cursor: Cursor; readonly isEnd: boolean } => ({
  cursor,
  isEnd: Object.keys(cursor).length === 0,
})

const keyOf = ({ brokerName, queueId }: { brokerName: string; queueId: number }): string => `${brokerName}/${queueId}`

/** Messages of a queue, one after another; asked for in small pieces, and only when they are next. */
class Line {
  readonly key: string
  /** The next one to be given; of the newest first, behind it. */
  at: number
  private readonly cluster: Cluster
  private readonly queue: QueueStats
  private readonly address: string
  private readonly isBack: boolean
  private readonly piece: number
  private buffer: FoundMessage[] = []

  constructor(
    cluster: Cluster,
    {
      queue,
      address,
      at,
      isBack,
      piece,
    }: { queue: QueueStats; address: string; at: number; isBack: boolean; piece: number },
  ) {
    this.cluster = cluster
    this.queue = queue
    this.address = address
    this.key = keyOf(queue)
    this.at = at
    this.isBack = isBack
    this.piece = piece
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

  take(): FoundMessage | undefined {
    const message = this.buffer.shift()
    if (message !== undefined) this.at = this.isBack ? message.queueOffset : message.queueOffset + 1
    return message
  }

  async read(): Promise<void> {
    const { minOffset, maxOffset } = this.queue
    if (this.isRead || this.isOver) return
    const from = this.isBack ? Math.max(minOffset, this.at - this.piece) : Math.max(minOffset, this.at)
    const end = this.isBack ? this.at : Math.min(maxOffset, from + this.piece)
    const found: FoundMessage[] = []
    let offset = from
    while (offset < end) {
      const count = end - offset
      const pulled = await pullMessages(this.cluster.session, {
        address: this.address,
        queue: this.queue,
        offset,
        count,
      })
      found.push(...pulled.messages.filter(({ queueOffset }) => queueOffset >= from && queueOffset < end))
      if (pulled.nextBeginOffset <= offset) break
      offset = pulled.nextBeginOffset
    }
    this.buffer = this.isBack ? found.reverse() : found
    // What cannot be read, or is no message (a gap), is passed by.
    if (found.length === 0) this.at = this.isBack ? from : Math.max(end, offset)
  }
}

/** A page of messages of all queues together, by their time; nothing is committed. */
export async function browse(cluster: Cluster, given: Browse): Promise<Browsed> {
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
    return new Line(cluster, { queue, address, at, isBack, piece })
  })
  // Brokers may begin at the message before a time.
  const firstMs = from.at === 'time' ? from.timeMs : 0
  const messages = isBack ? await newestFirst(lines, limit) : await oldestFirst(lines, limit, firstMs)
  return { messages, cursor: Object.fromEntries(lines.filter(line => !line.isOver).map(line => [line.key, line.at])) }
}

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
async function newestFirst(lines: readonly Line[], limit: number): Promise<FoundMessage[]> {
  const messages: FoundMessage[] = []
  while (messages.length < limit) {
    const open = lines.filter(line => !line.isOver)
    if (open.length === 0) break
    const next = open.reduce((a, b) => (b.nextMs > a.nextMs ? b : a))
    if (!next.isRead) {
      await next.read()
      continue
    }
    messages.push(next.take()!)
  }
  return messages
}

async function oldestFirst(lines: readonly Line[], limit: number, firstMs: number): Promise<FoundMessage[]> {
  const messages: FoundMessage[] = []
  while (messages.length < limit) {
    await each(
      lines.filter(line => !line.isOver && !line.isRead),
      line => line.read(),
    )
    const open = lines.filter(line => line.isRead)
    if (open.length === 0) {
      if (lines.every(line => line.isOver)) break
      continue
    }
    const next = open.reduce((a, b) => (b.nextMs < a.nextMs ? b : a)).take()!
    if (next.storedAtMs >= firstMs) messages.push(next)
  }
  return messages
}

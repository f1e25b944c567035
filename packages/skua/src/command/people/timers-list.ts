import {
  AdminError,
  type AdminSession,
  type FoundMessage,
  messageById,
  type WaitingMessage,
  type WaitingMessages,
  waitingMessage,
  waitingMessages,
} from '@skua-mq/admin'
import { encodeHost, offsetMessageId } from '@skua-mq/protocol'
import { emptyLine, lines, record, table } from '../mqadmin/frame/table.ts'
import { timeText, timeTextMs } from '../mqadmin/frame/time-text.ts'
import { type Given, personCommand } from './frame.ts'
import { messageView } from './message-view.ts'
import { waitText } from './wait-text.ts'
import { whenOf } from './when.ts'

interface ListOptions {
  readonly topic?: string
  readonly key?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
}

/** `skua timers list`. */
export const timersList = personCommand({
  run: ({ session, options }: Given<ListOptions>): Promise<WaitingMessages & { readonly nowMs: number }> => {
    const nowMs = session.runtime.clock.now()
    const { topic, key, from, to, limit } = options
    const fromMs = from === undefined ? undefined : whenOf(from, nowMs)
    const toMs = to === undefined ? undefined : whenOf(to, nowMs)
    return waitingMessages(session, { topic, key, fromMs, toMs, limit }).then(found => ({ ...found, nowMs }))
  },
  show: ({ messages, hasMore, waiting, without, unreadable, nowMs }, { options }) => [
    messages.length === 0
      ? lines(waiting === 0 ? 'nothing waits for its time' : `none of the ${waiting} that wait is asked for`)
      : waitingTable(messages, nowMs),
    lines(...(hasMore ? [`there are more: --limit ${10 * options.limit}, or --to an earlier time`] : [])),
    lines(...without.map(address => `${address} does not say what waits there: only Skua's masters do`)),
    lines(
      ...unreadable.map(
        ({ address, physicalOffset }) =>
          `${address}: the message at ${physicalOffset} of the commit log cannot be read`,
      ),
    ),
  ],
})

const waitingTable = (messages: readonly WaitingMessage[], nowMs: number) =>
  table(
    [
      { title: 'COMES AT', cell: row => timeText(row.deliverAtMs) },
      { title: 'IN', cell: row => waitText(row.deliverAtMs - nowMs), right: true },
      { title: 'TOPIC', cell: row => row.topic },
      { title: 'ID', cell: row => row.msgId || undefined },
      { title: 'TAG', cell: row => row.tags },
      { title: 'KEYS', cell: row => row.keys || undefined },
      { title: 'BROKER', cell: row => row.address },
    ],
    messages,
  )

/** A message that waits, and what is in it. */
export interface WaitingFound {
  readonly waiting: WaitingMessage
  readonly message: FoundMessage
}

/** `skua timers show ID`. */
export const timersShow = personCommand({
  run: async ({ session, words: [id = ''], options }: Given<{ readonly topic?: string }>): Promise<WaitingFound> => {
    const waiting = await waitingMessage(session, id, options)
    return { waiting, message: await contentOf(session, waiting) }
  },
  show: ({ waiting, message }) => [
    record([
      ['comes at', timeTextMs(waiting.deliverAtMs)],
      ['waits at', waiting.address],
    ]),
    emptyLine,
    ...messageView({ ...message, topic: waiting.topic }),
  ],
})

async function contentOf(session: AdminSession, { address, physicalOffset }: WaitingMessage): Promise<FoundMessage> {
  const colon = address.lastIndexOf(':')
  const host = encodeHost(address.slice(0, colon), Number(address.slice(colon + 1)))
  const message = host && (await messageById(session, offsetMessageId(host, physicalOffset)))
  if (message !== undefined) return message
  throw new AdminError('NOT_FOUND', `${address} does not give the message at ${physicalOffset} of its commit log`)
}

import type { FoundMessage, MessageTrack } from '@skua-mq/admin'
import { bodyText } from '../mqadmin/frame/json.ts'
import { type Block, emptyLine, lines, record, table } from '../mqadmin/frame/table.ts'
import { timeText, timeTextMs } from '../mqadmin/frame/time-text.ts'

/** All of a message that a person asks for; the body at the end. */
export function messageView(message: FoundMessage): Block[] {
  const { body, tags, keys, reconsumeTimes } = message
  const own = Object.entries(message.properties).sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    record([
      ['topic', message.topic],
      ['id', message.msgId],
      ['offset id', message.offsetMsgId],
      ['queue', `${message.brokerName}/${message.queueId} @${message.queueOffset}`],
      ['born', `${timeTextMs(message.bornAtMs)} at ${message.bornHost}`],
      ['stored', `${timeTextMs(message.storedAtMs)} at ${message.storeHost}`],
      ['tag', tags],
      ['keys', keys.length === 0 ? undefined : keys.join(' ')],
      ['tries', reconsumeTimes === 0 ? undefined : reconsumeTimes],
    ]),
    ...(own.length === 0 ? [] : [lines('properties'), record(own.map(([name, value]) => [`  ${name}`, value]))]),
    emptyLine,
    lines(...bodyText(body).split('\n')),
  ]
}

const stateText: Readonly<Record<string, string>> = {
  CONSUMED: 'consumed',
  CONSUMED_BUT_FILTERED: 'left out by its filter',
  NOT_CONSUME_YET: 'waits',
  NOT_ONLINE: 'offline: not known',
  PULL: 'pulls: only its members know',
  CONSUME_BROADCASTING: 'broadcasting: only its members know',
}

/** What groups made of a message. */
export const trackTable = (tracks: readonly MessageTrack[]): Block =>
  tracks.length === 0
    ? lines('no group consumes this topic')
    : table(
        [
          { title: 'GROUP', cell: row => row.group },
          { title: 'STATE', cell: row => stateText[row.state] ?? `not known${row.problem ? `: ${row.problem}` : ''}` },
        ],
        tracks,
      )

/** Messages a line each. */
export const messageTable = (messages: readonly FoundMessage[]): Block =>
  table(
    [
      { title: 'ID', cell: row => row.msgId },
      { title: 'STORED', cell: row => timeText(row.storedAtMs) },
      { title: 'QUEUE', cell: row => `${row.brokerName}/${row.queueId} @${row.queueOffset}` },
      { title: 'TAG', cell: row => row.tags },
      { title: 'KEYS', cell: row => row.keys.join(' ') || undefined },
      { title: 'BODY', cell: row => preview(row.body) },
    ],
    messages,
  )

const previewLength = 40

/** The beginning of a body. */
export function preview(body: Buffer): string {
  const text = bodyText(body)
  const characters = [...text.slice(0, 2 * previewLength)]
  return characters.length <= previewLength ? characters.join('') : `${characters.slice(0, previewLength).join('')}…`
}

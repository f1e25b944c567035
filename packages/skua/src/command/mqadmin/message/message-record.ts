import type { FoundMessage, MessageTrack } from '@skua-mq/admin'
import { bodyText, jsonText } from '../frame/json.ts'
import { type Block, emptyLine, lines, record, table } from '../frame/table.ts'
import { timeTextMs } from '../frame/time-text.ts'

/** A message and what groups made of it. */
export interface TrackedMessage extends FoundMessage {
  readonly tracks: readonly MessageTrack[]
}

/** All of a message, name by name; its body at the end (Apache's tool writes it to a file). */
export function messageRecord(message: TrackedMessage): Block[] {
  const { body, tracks } = message
  return [
    record([
      ['OffsetID:', message.offsetMsgId],
      ['MsgId:', message.msgId],
      ['Topic:', message.topic],
      ['Tags:', `[${message.tags ?? ''}]`],
      ['Keys:', `[${message.keys.join(' ')}]`],
      ['Broker Name:', message.brokerName],
      ['Queue ID:', message.queueId],
      ['Queue Offset:', message.queueOffset],
      ['CommitLog Offset:', message.physicalOffset],
      ['Reconsume Times:', message.reconsumeTimes],
      ['Born Timestamp:', timeTextMs(message.bornAtMs)],
      ['Store Timestamp:', timeTextMs(message.storedAtMs)],
      ['Born Host:', message.bornHost],
      ['Store Host:', message.storeHost],
      ['System Flag:', message.sysFlag],
      ['Properties:', jsonText(message.properties, 0)],
      [`Message Body:`, bodyText(body)],
    ]),
    emptyLine,
    tracks.length === 0
      ? lines('WARN: No Consumer')
      : table(
          [
            { title: '#Consumer Group', cell: row => row.group },
            { title: '#Track', cell: row => row.state },
            { title: '#Problem', cell: row => row.problem ?? '' },
          ],
          tracks,
        ),
  ]
}

/** A message on one line. */
export function messageLine(message: FoundMessage, withBody: boolean): Block {
  const { msgId, brokerName, queueId, queueOffset, storedAtMs, tags, keys, body, properties } = message
  const place = `${brokerName}/${queueId} @${queueOffset} ${timeTextMs(storedAtMs)}`
  const told = `tags=[${tags ?? ''}] keys=[${keys.join(' ')}] properties=${jsonText(properties, 0)}`
  return lines(`MSGID: ${msgId} ${place} ${told}${withBody ? ` BODY: ${bodyText(body)}` : ''}`)
}

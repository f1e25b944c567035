import { type DeadLetter, deadLetters, findLetter } from '@skua-mq/admin'
import { emptyLine, lines, table } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'
import { messageView, preview } from './message-view.ts'

/** `skua dlq list GROUP`. */
export const dlqList = personCommand({
  run: async ({ session, words: [group = ''], options: { limit } }: Given<{ readonly limit: number }>) => {
    await mustKnow(session, group)
    const messages: DeadLetter[] = []
    let more = 0
    for await (const message of deadLetters(session, group)) {
      if (messages.length < limit) messages.push(message)
      else more++
    }
    return { messages, more }
  },
  show: ({ messages, more }, { words: [group] }) =>
    messages.length === 0
      ? [lines(`group ${group} has no dead letters`)]
      : [
          table(
            [
              { title: 'ID', cell: row => row.msgId },
              { title: 'DIED', cell: row => timeText(row.storedAtMs) },
              { title: 'TOPIC', cell: row => row.originTopic ?? undefined },
              { title: 'TRIES', cell: row => row.reconsumeTimes, right: true },
              { title: 'KEYS', cell: row => row.keys.join(' ') || undefined },
              { title: 'BODY', cell: row => preview(row.body) },
            ],
            messages,
          ),
          ...(more === 0 ? [] : [emptyLine, lines(`${more} more: --limit ${messages.length + more}`)]),
        ],
})

/** `skua dlq show GROUP ID`. */
export const dlqShow = personCommand({
  run: async ({ session, words: [group = '', id = ''] }): Promise<DeadLetter> => {
    await mustKnow(session, group)
    return findLetter(session, group, id)
  },
  show: message => [
    lines(`sent to ${message.originTopic ?? 'a topic that it does not tell'}`),
    ...messageView(message),
  ],
})

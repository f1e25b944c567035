import { AdminError, type FoundMessage, type MessageTrack, messageCopies, messageTracks } from '@skua-mq/admin'
import { emptyLine, lines } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { messageView, trackTable } from './message-view.ts'

/** A message, what groups made of it, and where else messages with its id lie: retries and dead letters. */
export interface MessageFound {
  readonly message: FoundMessage
  readonly tracks: readonly MessageTrack[]
  readonly copies: readonly { readonly topic: string; readonly offsetMsgId: string }[]
}

/** `skua message ID`. */
export const message = personCommand({
  run: async ({ session, words: [id = ''], options }: Given<{ readonly topic?: string }>): Promise<MessageFound> => {
    const [first, ...others] = await messageCopies(session, id, options.topic)
    if (first === undefined) {
      const where = options.topic === undefined ? 'in no topic' : `not in topic ${options.topic}`
      const hint = 'it may be deleted by now, or never arrived; skua find TOPIC --key K looks by key'
      throw new AdminError('NOT_FOUND', `message ${id} is ${where}: ${hint}`)
    }
    const copies = others.map(({ topic, offsetMsgId }) => ({ topic, offsetMsgId }))
    return { message: first, tracks: await messageTracks(session, first), copies }
  },
  show: ({ message: shown, tracks, copies }) => [
    ...messageView(shown),
    emptyLine,
    trackTable(tracks),
    ...(copies.length === 0 ? [] : [emptyLine]),
    lines(...copies.map(({ topic, offsetMsgId }) => `also in ${topic}: ${offsetMsgId}`)),
  ],
})

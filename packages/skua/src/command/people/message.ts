import {
  AdminError,
  type AdminSession,
  each,
  type FoundMessage,
  type MessageTrack,
  messageById,
  messagesByKey,
  messageTracks,
} from '@skua-mq/admin'
import { emptyLine, lines } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { messageView, trackTable } from './message-view.ts'
import { topicNames } from './topics.ts'

/** A message, what groups made of it, and where else messages with its id lie: retries and dead letters. */
export interface MessageFound {
  readonly message: FoundMessage
  readonly tracks: readonly MessageTrack[]
  readonly copies: readonly { readonly topic: string; readonly offsetMsgId: string }[]
}

/** `skua message ID`. */
export const message = personCommand({
  run: async ({ session, words: [id = ''], options }: Given<{ readonly topic?: string }>): Promise<MessageFound> => {
    const [first, ...others] = await found(session, id, options.topic)
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

/** By offset id, which names one place, or else by unique id: the original first, then its copies. */
async function found(session: AdminSession, id: string, topic: string | undefined): Promise<FoundMessage[]> {
  const placed = await atPlace(session, id)
  if (placed !== undefined) return [placed]
  const topics = topic === undefined ? await topicNames(session, true) : [topic]
  const lists = await each(topics, name =>
    unlessGone(messagesByKey(session, { topic: name, key: id, uniqueKey: true }), topic !== undefined),
  )
  const isCopy = (one: FoundMessage): number => (one.topic.startsWith('%') ? 1 : 0)
  return lists.flat().sort((a, b) => isCopy(a) - isCopy(b) || a.storedAtMs - b.storedAtMs)
}

async function atPlace(session: AdminSession, id: string): Promise<FoundMessage | undefined> {
  try {
    return await messageById(session, id)
  } catch (error) {
    // Not of this form, or of no broker that is there: a unique id, then.
    if (error instanceof AdminError && (error.code === 'ARGUMENT' || error.code === 'NOT_FOUND')) return undefined
    throw error
  }
}

/** A topic of the list that is gone by now, or has no broker, has none. */
async function unlessGone(messages: Promise<FoundMessage[]>, isWanted: boolean): Promise<FoundMessage[]> {
  try {
    return await messages
  } catch (error) {
    if (!isWanted && error instanceof AdminError && error.code === 'NOT_FOUND') return []
    throw error
  }
}

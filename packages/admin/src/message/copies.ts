import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import { topicNames } from '../names.ts'
import type { AdminSession } from '../session.ts'
import { messageById, messagesByKey } from './find.ts'
import type { FoundMessage } from './message.ts'

/** By offset id, which names one place, or else by unique id: the original first, then its copies. */
export async function messageCopies(
  session: AdminSession,
  id: string,
  topic: string | undefined,
): Promise<FoundMessage[]> {
  const placed = await atPlace(session, id)
  if (placed !== undefined) return [placed]
  if (topic !== undefined) return originalFirst(await messagesByKey(session, { topic, key: id, uniqueKey: true }))
  return copiesIn(session, id, await topicNames(session, true))
}

/** Messages with this unique id in some topics; one that is gone, or has no broker, has none. */
export async function copiesIn(session: AdminSession, id: string, topics: readonly string[]): Promise<FoundMessage[]> {
  const lists = await each(topics, topic => unlessGone(messagesByKey(session, { topic, key: id, uniqueKey: true })))
  return originalFirst(lists.flat())
}

function originalFirst(messages: FoundMessage[]): FoundMessage[] {
  const isCopy = (one: FoundMessage): number => (one.topic.startsWith('%') ? 1 : 0)
  return messages.sort((a, b) => isCopy(a) - isCopy(b) || a.storedAtMs - b.storedAtMs)
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

async function unlessGone(messages: Promise<FoundMessage[]>): Promise<FoundMessage[]> {
  try {
    return await messages
  } catch (error) {
    if (error instanceof AdminError && error.code === 'NOT_FOUND') return []
    throw error
  }
}

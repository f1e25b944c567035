import {
  AdminError,
  type AdminSession,
  each,
  findConsumers,
  groupNames,
  groupProgress,
  heldBy,
  ownerKey,
  topicNames,
  topicStats,
} from '@skua-mq/admin'

/** Topics and groups that are looked at in a tick; more are named as left out. */
export const maxTopics = 500
export const maxGroups = 500

/** A queue's name → how far it, or a group in it, has come. */
export type Places = ReadonlyMap<string, number>

/** How far everything had come at a moment. */
export interface Reading {
  /** Monotonic, ms. */
  readonly atMs: number
  readonly topics: ReadonlyMap<string, { readonly ends: Places; readonly messages: number }>
  readonly groups: ReadonlyMap<string, { readonly places: Places; readonly lag: number; readonly members: number }>
  readonly leftOut: number
}

/** Asks every broker; what refuses is left out. Errors: NAME_SERVER and NETWORK. */
export async function readAll(session: AdminSession): Promise<Reading> {
  const [topics, groups] = await Promise.all([topicNames(session, false), groupNames(session, false)])
  const atMs = session.runtime.clock.monotonic()
  const ofTopics = await each(topics.slice(0, maxTopics), topic => known(topic, () => topicStats(session, topic)))
  const ofGroups = await each(groups.slice(0, maxGroups), group =>
    known(group, () => Promise.all([groupProgress(session, group), findConsumers(session, group)])),
  )
  return {
    atMs,
    topics: new Map(
      ofTopics.flat().map(([topic, queues]) => {
        const ends = new Map(queues.map(queue => [ownerKey(queue), queue.maxOffset]))
        return [topic, { ends, messages: heldBy(queues).messages }]
      }),
    ),
    groups: new Map(
      ofGroups.flat().map(([group, [{ queues, diffTotal }, online]]) => {
        const places = new Map(queues.map(queue => [ownerKey(queue), queue.consumerOffset]))
        return [group, { places, lag: diffTotal, members: online?.clients.length ?? 0 }]
      }),
    ),
    leftOut: Math.max(0, topics.length - maxTopics) + Math.max(0, groups.length - maxGroups),
  }
}

/** What was deleted since it was listed is not there. */
async function known<T>(name: string, ask: () => Promise<T>): Promise<[name: string, T][]> {
  try {
    return [[name, await ask()]]
  } catch (error) {
    if (error instanceof AdminError && (error.code === 'NOT_FOUND' || error.code === 'REFUSED')) return []
    throw error
  }
}

import { cleanExpiredConsumeQueue, cleanUnusedTopic, deleteExpiredCommitLog, isSystemTopic } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import { type Clock, delay } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'

/** Topics are deleted for so long in one turn: each has files of its own. */
const turnMs = 5

/** 306, 316, 329 (admin.md 2 and 4): an administrator does not want to wait for the hour of deletion. */
export function cleanupRoutes(parts: {
  readonly store: Pick<MessageStore, 'queues' | 'deleteTopic' | 'deleteExpired'>
  readonly hasTopic: (topic: string) => boolean
  readonly clock: Clock
}): Route[] {
  const { store, hasTopic, clock } = parts
  return [
    route(deleteExpiredCommitLog, () => {
      store.deleteExpired()
      return ok({})
    }),
    // Queues lose what the log has lost in the same round of retention.
    route(cleanExpiredConsumeQueue, () => {
      store.deleteExpired()
      return ok({})
    }),
    route(cleanUnusedTopic, async () => {
      // A kill may have come between the first timer, or what is kept undelivered, and the file of the topics.
      const isUnused = (topic: string) => !hasTopic(topic) && !isSystemTopic(topic)
      const unknown = new Set([...store.queues()].map(queue => queue.topic).filter(isUnused))
      let begunMs = clock.monotonic()
      for (const topic of unknown) {
        // It may have been made since.
        if (!hasTopic(topic)) store.deleteTopic(topic)
        if (clock.monotonic() - begunMs < turnMs) continue
        await delay(clock, 0)
        begunMs = clock.monotonic()
      }
      return ok({})
    }),
  ]
}

import { cleanExpiredConsumeQueue, cleanUnusedTopic, deleteExpiredCommitLog } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'

/** 306, 316, 329 (admin.md 2 and 4): an administrator does not want to wait for the hour of deletion. */
export function cleanupRoutes(parts: {
  readonly store: Pick<MessageStore, 'queues' | 'deleteTopic' | 'deleteExpired'>
  readonly hasTopic: (topic: string) => boolean
}): Route[] {
  const { store, hasTopic } = parts
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
    route(cleanUnusedTopic, () => {
      const unknown = new Set([...store.queues()].map(queue => queue.topic).filter(topic => !hasTopic(topic)))
      for (const topic of unknown) store.deleteTopic(topic)
      return ok({})
    }),
  ]
}

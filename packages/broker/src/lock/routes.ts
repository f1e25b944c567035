import { lockBatchMq, unlockBatchMq } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { QueueLocks } from './queue-locks.ts'

/** 41, 42. */
export const lockRoutes = (locks: QueueLocks): Route[] => [
  route(lockBatchMq, (_header, { body }) => {
    const request = lockBatchMq.body!.decode(body)
    const lockOKMQSet = locks.lock(request.consumerGroup, request.clientId, request.mqSet)
    return ok({}, lockBatchMq.replyBody!.encode({ lockOKMQSet }))
  }),
  route(unlockBatchMq, (_header, { body }) => {
    const request = unlockBatchMq.body!.decode(body)
    locks.unlock(request.consumerGroup, request.clientId, request.mqSet)
    return ok({})
  }),
]

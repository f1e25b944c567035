import { messageQueueShape } from './message-queue.ts'
import { bean, boolean, clientJson, jsonBody, list, maybe, string, type ValueOfShape } from './shape.ts'

const shape = bean({
  consumerGroup: string,
  clientId: string,
  mqSet: list(messageQueueShape),
  onlyThisBroker: maybe(boolean()),
})
export type LockBatch = ValueOfShape<typeof shape>

/** Body of 41 and of 42. */
export const lockBatchBody = jsonBody(shape, undefined, clientJson)
/** Reply body of 41: the queues that the client holds now. */
export const lockOkBody = jsonBody(bean({ lockOKMQSet: list(messageQueueShape) }))

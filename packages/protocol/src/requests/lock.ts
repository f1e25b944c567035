import { lockBatchBody, lockOkBody } from '../bodies/lock.ts'
import { bounded, defineRequest } from '../request.ts'

/** A lock lives 60 s unless renewed; the reply names the queues that the client holds. Master only. */
export const lockBatchMq = defineRequest({
  name: 'LOCK_BATCH_MQ',
  code: 41,
  body: bounded(lockBatchBody),
  replyBody: lockOkBody,
  direction: 'client to broker',
  section: '11',
})

/** Oneway or not. */
export const unlockBatchMq = defineRequest({
  name: 'UNLOCK_BATCH_MQ',
  code: 42,
  body: bounded(lockBatchBody),
  direction: 'client to broker',
  section: '11',
})

import { timerCountsBody } from '../bodies/timer.ts'
import { optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

/** Reply body: seven longs (store.md 7.2); how far the master's timers have come. */
export const getTimerCheckPoint = defineRequest({
  name: 'GET_TIMER_CHECK_POINT',
  code: 60,
  direction: 'slave to master',
  section: '16',
})

/** How many messages wait for each topic. */
export const getTimerMetrics = defineRequest({
  name: 'GET_TIMER_METRICS',
  code: 61,
  replyBody: timerCountsBody,
  direction: 'slave to master',
  section: '16',
})

/** A sender takes a message back whose time has not come. */
export const recallMessage = defineRequest({
  name: 'RECALL_MESSAGE',
  code: 370,
  header: {
    producerGroup: optional(text),
    topic: text,
    /** As the answer to the send has it. */
    recallHandle: text,
    bname: optional(text),
  },
  reply: { msgId: text },
  direction: 'client to broker',
  section: '15',
})

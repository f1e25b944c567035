import { kvTableBody } from '../bodies/name-list.ts'
import { textBody } from '../bodies/shape.ts'
import { text } from '../field.ts'
import { bounded, defineRequest } from '../request.ts'

const broker = { direction: 'tools to broker', section: 'admin.md 4' } as const
const nameServer = { direction: 'tools to name server', section: 'admin.md 1' } as const

/** Body: lines `key=value`; unknown keys are ignored. */
export const updateBrokerConfig = defineRequest({
  name: 'UPDATE_BROKER_CONFIG',
  code: 25,
  body: bounded(textBody),
  ...broker,
})

export const getBrokerConfig = defineRequest({
  name: 'GET_BROKER_CONFIG',
  code: 26,
  /** A DataVersion as JSON. */
  reply: { version: text },
  replyBody: textBody,
  ...broker,
})

export const getBrokerRuntimeInfo = defineRequest({
  name: 'GET_BROKER_RUNTIME_INFO',
  code: 28,
  replyBody: kvTableBody,
  ...broker,
})

export const cleanExpiredConsumeQueue = defineRequest({ name: 'CLEAN_EXPIRED_CONSUMEQUEUE', code: 306, ...broker })
export const deleteExpiredCommitLog = defineRequest({ name: 'DELETE_EXPIRED_COMMITLOG', code: 329, ...broker })

export const updateNamesrvConfig = defineRequest({
  name: 'UPDATE_NAMESRV_CONFIG',
  code: 318,
  body: bounded(textBody),
  ...nameServer,
})
export const getNamesrvConfig = defineRequest({
  name: 'GET_NAMESRV_CONFIG',
  code: 319,
  replyBody: textBody,
  ...nameServer,
})

import { kvTableBody } from '../bodies/name-list.ts'
import { optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

const admin = { direction: 'tools to name server', section: 'admin.md 1' } as const

export const putKvConfig = defineRequest({
  name: 'PUT_KV_CONFIG',
  code: 100,
  header: { namespace: text, key: text, value: text },
  ...admin,
})

/** Answered with 22 when there is none. */
export const getKvConfig = defineRequest({
  name: 'GET_KV_CONFIG',
  code: 101,
  header: { namespace: text, key: text },
  reply: { value: optional(text) },
  ...admin,
})

export const deleteKvConfig = defineRequest({
  name: 'DELETE_KV_CONFIG',
  code: 102,
  header: { namespace: text, key: text },
  ...admin,
})

export const getKvListByNamespace = defineRequest({
  name: 'GET_KVLIST_BY_NAMESPACE',
  code: 219,
  header: { namespace: text },
  replyBody: kvTableBody,
  ...admin,
})

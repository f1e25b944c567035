import { deleteKvConfig, getKvConfig, getKvListByNamespace, putKvConfig, ResponseCode } from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { KvConfig } from './kv-config.ts'

/** 100, 101, 102, 219 (admin.md 1). */
export function kvRoutes(kv: KvConfig): Route[] {
  return [
    route(putKvConfig, async ({ namespace, key, value }) => {
      await kv.put(namespace, key, value)
      return ok({})
    }),
    route(getKvConfig, ({ namespace, key }) => {
      const value = kv.get(namespace, key)
      if (value === undefined) return refuse(ResponseCode.queryNotFound, `no value for ${key} in ${namespace}`)
      return ok({ value })
    }),
    route(deleteKvConfig, async ({ namespace, key }) => {
      await kv.delete(namespace, key)
      return ok({})
    }),
    route(getKvListByNamespace, ({ namespace }) => {
      const table = kv.namespace(namespace)
      if (table === undefined) return refuse(ResponseCode.queryNotFound, `nothing is stored in ${namespace}`)
      return ok({}, getKvListByNamespace.replyBody!.encode({ table: new Map(table) }))
    }),
  ]
}

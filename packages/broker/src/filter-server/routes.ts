import { ResponseCode, registerFilterServer } from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { FilterServers } from './filter-servers.ts'

/** 301 (remoting.md 10.1). */
export function filterServerRoutes(
  servers: FilterServers,
  own: { readonly brokerName: string; readonly brokerId: number },
): Route[] {
  return [
    route(registerFilterServer, ({ filterServerAddr }, { connection }) => {
      const refusal = servers.register(connection, filterServerAddr)
      return refusal === undefined ? ok(own) : refuse(ResponseCode.systemError, refusal)
    }),
  ]
}

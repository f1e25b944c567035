import { getNamesrvConfig, ResponseCode, updateNamesrvConfig } from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { LiveConfig } from '@skua-mq/runtime'
import type { nameServerOptions } from './options.ts'

/** 318, 319 (admin.md 1). */
export function configRoutes(config: LiveConfig<typeof nameServerOptions>): Route[] {
  return [
    route(updateNamesrvConfig, (_header, { body }) => {
      const refusal = config.update(updateNamesrvConfig.body!.decode(body))
      if (refusal === undefined) return ok({})
      return refuse(refusal.guarded ? ResponseCode.noPermission : ResponseCode.systemError, refusal.reason)
    }),
    route(getNamesrvConfig, () => ok({}, getNamesrvConfig.replyBody!.encode(config.print()))),
  ]
}

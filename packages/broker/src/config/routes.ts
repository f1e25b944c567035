import { getBrokerConfig, ResponseCode, updateBrokerConfig } from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { LiveConfig, OptionTable } from '@skua-mq/runtime'

/** 25, 26 (admin.md 4). */
export function configRoutes<T extends OptionTable>(config: LiveConfig<T>): Route[] {
  return [
    route(updateBrokerConfig, (_header, { body }) => {
      const refusal = config.update(updateBrokerConfig.body!.decode(body))
      if (refusal === undefined) return ok({})
      return refuse(refusal.guarded ? ResponseCode.noPermission : ResponseCode.systemError, refusal.reason)
    }),
    route(getBrokerConfig, () =>
      ok({ version: JSON.stringify(config.version) }, getBrokerConfig.replyBody!.encode(config.print())),
    ),
  ]
}

import { type Dialect, dialectOf, getBrokerConfig, ResponseCode, updateBrokerConfig } from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { LiveConfig, OptionTable } from '@skua-mq/runtime'

/** 25, 26 (admin.md 4). `effective`: what the broker goes by where a key is not set, or says something else. */
export function configRoutes<T extends OptionTable>(
  config: LiveConfig<T>,
  effective: () => Readonly<Record<string, string>>,
  { dataVersionHasStateVersion }: Pick<Dialect, 'dataVersionHasStateVersion'> = dialectOf(),
): Route[] {
  const version = () => ({ ...config.version, ...(dataVersionHasStateVersion ? { stateVersion: 0 } : {}) })
  return [
    route(updateBrokerConfig, (_header, { body }) => {
      const refusal = config.update(updateBrokerConfig.body!.decode(body))
      if (refusal === undefined) return ok({})
      return refuse(refusal.guarded ? ResponseCode.noPermission : ResponseCode.systemError, refusal.reason)
    }),
    route(getBrokerConfig, () =>
      ok({ version: JSON.stringify(version()) }, getBrokerConfig.replyBody!.encode(over(config.print(), effective()))),
    ),
  ]
}

/** The lines of a properties file, some of them with other values. */
function over(text: string, values: Readonly<Record<string, string>>): string {
  return text
    .split('\n')
    .map(line => {
      const key = line.slice(0, line.indexOf('='))
      return Object.hasOwn(values, key) ? `${key}=${values[key]}` : line
    })
    .join('\n')
}

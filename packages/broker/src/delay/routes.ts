import { type DataVersion, getAllDelayOffset } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { DelayedDelivery } from './delayed-delivery.ts'

/** 45: how far each delay level has come. */
export function delayRoutes(delivery: Pick<DelayedDelivery, 'table'>, version?: () => DataVersion): Route[] {
  const versioned = () => (version === undefined ? {} : { dataVersion: version() })
  return [
    route(getAllDelayOffset, () =>
      ok({}, getAllDelayOffset.replyBody!.encode({ ...delivery.table(), ...versioned() })),
    ),
  ]
}

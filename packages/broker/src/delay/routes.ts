import { getAllDelayOffset } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { DelayedDelivery } from './delayed-delivery.ts'

/** 45: how far each delay level has come. */
export const delayRoutes = (delivery: Pick<DelayedDelivery, 'table'>): Route[] => [
  route(getAllDelayOffset, () => ok({}, getAllDelayOffset.replyBody!.encode(delivery.table()))),
]

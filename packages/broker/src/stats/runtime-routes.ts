import { getBrokerRuntimeInfo, ResponseCode, viewBrokerStatsData } from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import { type RuntimeInfoParts, runtimeInfo } from './runtime-info.ts'

/** 28, 315 (admin.md 4): how the broker does. */
export function runtimeRoutes(parts: RuntimeInfoParts): Route[] {
  return [
    route(getBrokerRuntimeInfo, async () =>
      ok({}, getBrokerRuntimeInfo.replyBody!.encode({ table: await runtimeInfo(parts) })),
    ),
    route(viewBrokerStatsData, ({ statsName, statsKey }) => {
      const meter = parts.traffic.find(statsName, statsKey)
      if (meter === undefined)
        return refuse(ResponseCode.systemError, `nothing was counted under ${statsName} ${statsKey}`)
      const body = {
        statsMinute: meter.window('minute'),
        statsHour: meter.window('hour'),
        statsDay: meter.window('day'),
      }
      return ok({}, viewBrokerStatsData.replyBody!.encode(body))
    }),
  ]
}

import {
  deleteSubscriptionGroup,
  getAllSubscriptionGroupConfig,
  ResponseCode,
  updateAndCreateSubscriptionGroup,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import { illegalGroupName } from '../topic/names.ts'
import type { GroupTable } from './group-table.ts'

/** 200, 201, 207. */
export function groupRoutes(parts: {
  readonly groups: GroupTable
  readonly deleted: (group: string, cleanOffsets: boolean) => void
}): Route[] {
  const { groups } = parts
  return [
    route(updateAndCreateSubscriptionGroup, (_header, { body }) => {
      const config = updateAndCreateSubscriptionGroup.body!.decode(body)
      const reason = illegalGroupName(config.groupName)
      if (reason !== undefined) return refuse(ResponseCode.systemError, reason)
      groups.put(config)
      return ok({})
    }),
    route(getAllSubscriptionGroupConfig, () =>
      ok(
        {},
        getAllSubscriptionGroupConfig.replyBody!.encode({
          dataVersion: groups.version.toJSON(),
          subscriptionGroupTable: new Map(groups.all()),
        }),
      ),
    ),
    route(deleteSubscriptionGroup, ({ groupName, removeOffset }) => {
      groups.delete(groupName)
      parts.deleted(groupName, removeOffset ?? false)
      return ok({})
    }),
  ]
}

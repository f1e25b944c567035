import {
  deleteSubscriptionGroup,
  getAllSubscriptionGroupConfig,
  getSubscriptionGroupConfig,
  ResponseCode,
  type SubscriptionGroupConfig,
  subscriptionGroupTableBody,
  updateAndCreateSubscriptionGroup,
  updateAndCreateSubscriptionGroupList,
} from '@skua-mq/protocol'
import { LargeAnswer, largeAnswerBytes, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import { illegalGroupName } from '../topic/names.ts'
import type { GroupTable } from './group-table.ts'

export interface GroupRouteParts {
  readonly groups: GroupTable
  readonly clock: Pick<Clock, 'after'>
  readonly logEnd: () => number
  /** A group is gone, since the log ended there; its offsets follow where the tool asks for it. */
  readonly deleted: (
    group: string,
    how: { readonly cleanOffsets: boolean; readonly logEnd: number; readonly by: string },
  ) => void
  /** Resolves when that is on disk. Default: at once. */
  readonly settled?: () => Promise<void>
}

/** 200, 201, 207, 225, 352 (admin.md 3). */
export function groupRoutes({
  groups,
  clock,
  logEnd,
  deleted,
  settled = () => Promise.resolve(),
}: GroupRouteParts): Route[] {
  const all = new LargeAnswer(clock, () => subscriptionGroupTableBody.slices(groups.table()))
  return [
    route(updateAndCreateSubscriptionGroup, async (_header, { body }) => {
      const config = updateAndCreateSubscriptionGroup.body!.decode(body)
      const reason = illegalGroup(config)
      if (reason !== undefined) return refuse(ResponseCode.systemError, reason)
      await groups.put(config)
      return ok({})
    }),
    route(updateAndCreateSubscriptionGroupList, async (_header, { body }) => {
      const { groupConfigList } = updateAndCreateSubscriptionGroupList.body!.decode(body)
      // One that cannot be has none of them made.
      for (const config of groupConfigList) {
        const reason = illegalGroup(config)
        if (reason !== undefined) return refuse(ResponseCode.systemError, `${config.groupName}: ${reason}`)
      }
      await Promise.all(groupConfigList.map(config => groups.put(config)))
      return ok({})
    }),
    route(getAllSubscriptionGroupConfig, async () => ok({}, await all.bytes()), { readBytes: largeAnswerBytes }),
    route(deleteSubscriptionGroup, async ({ groupName, removeOffset, cleanOffset }, { connection: { remote } }) => {
      // A member may come while the disk takes it, and then is of another group of this name.
      const left = logEnd()
      await groups.delete(groupName)
      const cleanOffsets = removeOffset ?? cleanOffset ?? false
      deleted(groupName, { cleanOffsets, logEnd: left, by: `${remote.host}:${remote.port}` })
      await settled()
      return ok({})
    }),
    route(getSubscriptionGroupConfig, ({ group }) => {
      const config = groups.find(group)
      if (config === undefined)
        return refuse(ResponseCode.subscriptionGroupNotExist, `consumer group ${group} does not exist here`)
      return ok({}, getSubscriptionGroupConfig.replyBody!.encode(config))
    }),
  ]
}

function illegalGroup({ groupName, attributes }: SubscriptionGroupConfig): string | undefined {
  const unmet = [...(attributes?.keys() ?? [])].find(name => !name.startsWith('-'))
  return (
    illegalGroupName(groupName) ??
    (unmet === undefined
      ? undefined
      : `the attribute "${unmet}" asks for something that groups of this broker do not have`)
  )
}

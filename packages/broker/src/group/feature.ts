import {
  subscriptionGroupTableFile,
  updateAndCreateSubscriptionGroup,
  updateAndCreateSubscriptionGroupList,
} from '@skua-mq/protocol'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { ExecutionTimes } from '../metrics/execution-times.ts'
import { rocketmq } from '../metrics/rocketmq-families.ts'
import { figure } from '../metrics/source.ts'
import { type Took, timed } from '../metrics/timed-route.ts'
import { GroupTable } from './group-table.ts'
import { groupRoutes } from './routes.ts'

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'file' | 'furniture' | 'measures'>

/** Consumer groups and their configuration. */
export const groups: Feature<Needs, { groups: GroupTable }> = {
  name: 'groups',
  make: ({ config, dialect, runtime, store, file, furniture, measures }) => {
    const table = new GroupTable({
      ...runtime,
      dialect,
      file: file('subscriptionGroup', subscriptionGroupTableFile),
      autoCreate: () => config.autoCreateSubscriptionGroup,
      maxAutoCreated: () => config.maxAutoCreatedGroups,
    })
    const times = new ExecutionTimes(rocketmq.groupCreateTime)
    const routes = groupRoutes({
      groups: table,
      clock: runtime.clock,
      logEnd: () => store.maxPhysicalOffset,
      deleted: (group, { cleanOffsets, logEnd, by }) => {
        furniture.groupGone(group, logEnd)
        if (cleanOffsets) furniture.groupDeleted(group, by)
      },
      settled: () => furniture.deletionsSettled(),
    })
    const took = (_header: unknown, { ms, isDone }: Took) => times.add(ms, isDone)
    return {
      gives: { groups: table },
      tables: [table],
      routes: measures
        ? [updateAndCreateSubscriptionGroup, updateAndCreateSubscriptionGroupList].reduce(
            (all, request) => timed(all, request, { clock: runtime.clock, took }),
            routes,
          )
        : routes,
      metrics: [figure(rocketmq.groupNumber, () => table.all().size), times],
    }
  },
}

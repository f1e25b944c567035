import { subscriptionGroupTableFile } from '@skua-mq/protocol'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { GroupTable } from './group-table.ts'
import { groupRoutes } from './routes.ts'

/** Consumer groups and their configuration. */
export const groups: Feature<On<'config' | 'runtime' | 'file' | 'furniture'>, { groups: GroupTable }> = {
  name: 'groups',
  make: ({ config, runtime, file, furniture }) => {
    const table = new GroupTable({
      ...runtime,
      file: file('subscriptionGroup', subscriptionGroupTableFile),
      autoCreate: () => config.autoCreateSubscriptionGroup,
      maxAutoCreated: () => config.maxAutoCreatedGroups,
    })
    return {
      gives: { groups: table },
      tables: [table],
      routes: groupRoutes({
        groups: table,
        clock: runtime.clock,
        deleted: (group, cleanOffsets) => {
          if (cleanOffsets) furniture.groupDeleted(group)
        },
        settled: () => furniture.deletionsSettled(),
      }),
    }
  },
}

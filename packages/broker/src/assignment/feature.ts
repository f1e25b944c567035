import { messageRequestModeFile } from '@skua-mq/protocol'
import type { ConsumerGroups } from '../client-table/consumer-groups.ts'
import type { GroupTable } from '../group/group-table.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { addressesOf } from '../registration/feature.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { RequestModes } from './request-modes.ts'
import { assignmentRoutes } from './routes.ts'
import { TopicQueues } from './topic-queues.ts'

type Needs = On<'config' | 'runtime' | 'file' | 'client'> & {
  topics: TopicTable
  groups: GroupTable
  consumers: ConsumerGroups
}

/** The broker says which queues are a member's, and whether it pulls or pops them. */
export const assignments: Feature<Needs, { requestModes: RequestModes }> = {
  name: 'assignments',
  make: ({ config, runtime, file, client, topics, groups, consumers }) => {
    const { clock } = runtime
    const modes = new RequestModes({ clock, file: file('messageRequestMode', messageRequestModeFile) })
    const queues = new TopicQueues({
      ...{ clock, client, namesrvAddrs: addressesOf(config.namesrvAddr), brokerName: config.brokerName },
      topic: topic => topics.find(topic),
    })
    return {
      gives: { requestModes: modes },
      tables: [modes],
      routes: assignmentRoutes({
        ...{ clock, modes, queues, settings: config },
        hasTopic: topic => topics.find(topic) !== undefined,
        hasGroup: group => groups.findOrCreate(group) !== undefined,
        membersOf: group => {
          const members = consumers.find(group)?.members
          return members === undefined ? undefined : [...members.values()].map(({ clientId }) => clientId)
        },
      }),
      topicDeleted: topic => {
        queues.forget(topic)
        modes.topicDeleted(topic)
      },
      groupDeleted: group => modes.groupDeleted(group),
    }
  },
}

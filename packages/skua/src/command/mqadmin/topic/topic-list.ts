import { type AdminSession, each, findTopicRoute, listTopics, topicGroups } from '@skua-mq/admin'
import { toggle } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines, table } from '../frame/table.ts'

interface Row {
  readonly topic: string
  /** Only with -c. */
  readonly clusterNames?: readonly string[]
  readonly groups?: readonly string[]
}

export const topicList = subcommand({
  requests: '206; -c: 105, 300',
  flags: { clusterModel: toggle('c', 'clusterModel', 'with clusters and consumer groups') },
  run: async ({ session, flags }): Promise<Row[]> => {
    const topics = await listTopics(session)
    if (!flags.clusterModel) return topics.map(topic => ({ topic }))
    return each(
      topics.filter(topic => !topic.startsWith('%')),
      topic => withGroups(session, topic),
    )
  },
  show: (rows, { flags }) => {
    if (!flags.clusterModel) return [lines(...rows.map(({ topic }) => topic))]
    const flat = rows.flatMap(({ topic, clusterNames, groups = [] }) =>
      (groups.length === 0 ? [''] : groups).map(group => ({ topic, cluster: clusterNames?.join(','), group })),
    )
    return [
      table(
        [
          { title: '#Cluster Name', cell: row => row.cluster },
          { title: '#Topic', cell: row => row.topic },
          { title: '#Consumer Group', cell: row => row.group },
        ],
        flat,
      ),
    ]
  },
})

/** A topic none of whose brokers runs has no cluster and no groups. */
async function withGroups(session: AdminSession, topic: string): Promise<Row> {
  const route = await findTopicRoute(session, topic)
  if (route === undefined) return { topic, clusterNames: [], groups: [] }
  const clusterNames = [...new Set(route.brokers.map(({ clusterName }) => clusterName))]
  return { topic, clusterNames, groups: await topicGroups(session, topic) }
}

import { type AdminSession, groupConfigs, mastersAt, systemTopics, topicConfigs } from '@skua-mq/admin'
import { deadLetterPrefix, retryPrefix, type SubscriptionGroupConfig, type TopicConfig } from '@skua-mq/protocol'
import { text, toggle, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'
import { defaultExportPath, exportTo } from './file.ts'

export const exportMetadata = subcommand({
  requests: '106, 21, 305, 201',
  notes: 'Of several masters the queues of a topic are added up',
  flags: {
    ...whereFlags(),
    filePath: text('f', 'filePath', `directory of the file (default: ${defaultExportPath})`),
    topic: toggle('t', 'topic', 'only topics'),
    subscriptionGroup: toggle('g', 'subscriptionGroup', 'only groups'),
    specialTopic: toggle('s', 'specialTopic', 'with topics of retries and dead letters'),
  },
  run: async ({ session, flags }): Promise<{ readonly path: string }> => {
    const { filePath: directory = defaultExportPath, topic, subscriptionGroup, specialTopic } = flags
    const masters = await mastersAt(session, whereOf(flags))
    const both = topic === subscriptionGroup
    const name = both ? 'metadata.json' : topic ? 'topic.json' : 'subscriptionGroup.json'
    const value = {
      ...(both || topic ? { topicConfigTable: await topicsOf(session, masters, specialTopic) } : {}),
      ...(both || subscriptionGroup ? { subscriptionGroupTable: await groupsOf(session, masters) } : {}),
      exportTime: session.runtime.clock.now(),
    }
    return { path: exportTo(session.runtime.disk, { directory, name }, value), ...value }
  },
  show: ({ path }) => [lines(`export ${path} success`)],
})

async function topicsOf(session: AdminSession, masters: readonly string[], withSpecial: boolean) {
  const table: Record<string, TopicConfig> = {}
  for (const address of masters) {
    const system = new Set(await systemTopics(session, address))
    for (const config of await topicConfigs(session, address)) {
      const { topicName } = config
      const isSpecial = topicName.startsWith(retryPrefix) || topicName.startsWith(deadLetterPrefix)
      if (system.has(topicName) || (isSpecial && !withSpecial)) continue
      const before = table[topicName]
      table[topicName] = {
        ...config,
        readQueueNums: config.readQueueNums + (before?.readQueueNums ?? 0),
        writeQueueNums: config.writeQueueNums + (before?.writeQueueNums ?? 0),
      }
    }
  }
  return table
}

/** Groups of RocketMQ itself, which every broker makes. */
const systemGroup =
  /^(CID_RMQ_SYS_|CID_ONS|TOOLS_CONSUMER$|SCHEDULE_CONSUMER$|FILTERSRV_CONSUMER$|__MONITOR_CONSUMER$|SELF_TEST_|CLIENT_INNER_PRODUCER$)/

async function groupsOf(session: AdminSession, masters: readonly string[]) {
  const table: Record<string, SubscriptionGroupConfig> = {}
  for (const address of masters)
    for (const config of await groupConfigs(session, address)) {
      if (systemGroup.test(config.groupName)) continue
      const before = table[config.groupName]?.retryQueueNums ?? 0
      table[config.groupName] = { ...config, retryQueueNums: config.retryQueueNums + before }
    }
  return table
}

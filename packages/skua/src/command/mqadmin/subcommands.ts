import type { AnySubcommand } from './frame/subcommand.ts'

/** A line of the list: what runs is loaded when it is asked for. */
export interface Entry {
  /** Apache's. Upper and lower case count as equal. */
  readonly name: string
  readonly alias?: string
  readonly description: string
  load(): Promise<AnySubcommand>
}

/** All subcommands, in Apache's order. A new one is a file, and a line here. */
export const entries: readonly Entry[] = [
  {
    name: 'updateTopic',
    description: 'Create a topic, or change it',
    load: async () => (await import('./topic/update-topic.ts')).updateTopic,
  },
  {
    name: 'updateTopicList',
    description: 'Create many topics, or change them',
    load: async () => (await import('./topic/update-topic-list.ts')).updateTopicList,
  },
  {
    name: 'deleteTopic',
    description: 'Delete a topic from brokers and name servers',
    load: async () => (await import('./topic/delete-topic.ts')).deleteTopic,
  },
  {
    name: 'updateSubGroup',
    description: 'Create a consumer group, or change it',
    load: async () => (await import('./group/update-sub-group.ts')).updateSubGroup,
  },
  {
    name: 'updateSubGroupList',
    description: 'Create many consumer groups, or change them',
    load: async () => (await import('./group/update-sub-group-list.ts')).updateSubGroupList,
  },
  {
    name: 'deleteSubGroup',
    description: 'Delete a consumer group',
    load: async () => (await import('./group/delete-sub-group.ts')).deleteSubGroup,
  },
  {
    name: 'setConsumeMode',
    description: 'Have a group pull or pop a topic',
    load: async () => (await import('./group/set-consume-mode.ts')).setConsumeMode,
  },
  {
    name: 'updateBrokerConfig',
    description: 'Change a setting of brokers',
    load: async () => (await import('./broker/update-broker-config.ts')).updateBrokerConfig,
  },
  {
    name: 'updateTopicPerm',
    description: 'Change the permission of a topic',
    load: async () => (await import('./topic/update-topic-perm.ts')).updateTopicPerm,
  },
  {
    name: 'topicRoute',
    description: 'Where a topic is',
    load: async () => (await import('./topic/topic-route.ts')).topicRoute,
  },
  {
    name: 'topicStatus',
    description: 'What the queues of a topic hold',
    load: async () => (await import('./topic/topic-status.ts')).topicStatus,
  },
  {
    name: 'topicClusterList',
    description: 'Clusters that have a topic',
    load: async () => (await import('./topic/topic-cluster-list.ts')).topicClusterList,
  },
  {
    name: 'brokerStatus',
    description: 'Figures of brokers',
    load: async () => (await import('./broker/broker-status.ts')).brokerStatus,
  },
  {
    name: 'queryMsgById',
    description: 'Messages by their offset ids',
    load: async () => (await import('./message/query-by-id.ts')).queryMsgById,
  },
  {
    name: 'queryMsgByKey',
    description: 'Messages by a key',
    load: async () => (await import('./message/query-by-key.ts')).queryMsgByKey,
  },
  {
    name: 'queryMsgByUniqueKey',
    description: 'A message by its unique id',
    load: async () => (await import('./message/query-by-id.ts')).queryMsgByUniqueKey,
  },
  {
    name: 'queryMsgByOffset',
    description: 'The message at a place of a queue',
    load: async () => (await import('./message/query-by-offset.ts')).queryMsgByOffset,
  },
  {
    name: 'queryMsgTraceById',
    description: 'What became of a message, as clients trace it',
    load: async () => (await import('./message/query-trace.ts')).queryMsgTraceById,
  },
  {
    name: 'printMsg',
    description: 'Print the messages of a topic',
    load: async () => (await import('./message/print-msg.ts')).printMsg,
  },
  {
    name: 'printMsgByQueue',
    description: 'Print or count the messages of a queue',
    load: async () => (await import('./message/print-msg.ts')).printMsgByQueue,
  },
  {
    name: 'sendMsgStatus',
    description: 'Send messages to a broker, and say how each was taken',
    load: async () => (await import('./broker/send-msg-status.ts')).sendMsgStatus,
  },
  {
    name: 'brokerConsumeStats',
    description: 'Where all groups stand at a broker',
    load: async () => (await import('./broker/broker-consume-stats.ts')).brokerConsumeStats,
  },
  {
    name: 'producerConnection',
    description: 'Who produces for a group',
    load: async () => (await import('./group/connection.ts')).producerConnection,
  },
  {
    name: 'consumerConnection',
    description: 'Who consumes for a group, and what',
    load: async () => (await import('./group/connection.ts')).consumerConnection,
  },
  {
    name: 'consumerProgress',
    description: 'Where groups stand, and how many messages wait',
    load: async () => (await import('./group/consumer-progress.ts')).consumerProgress,
  },
  {
    name: 'consumerStatus',
    alias: 'consumer',
    description: 'What the members of a group do, and what of it is wrong',
    load: async () => (await import('./group/consumer-status.ts')).consumerStatus,
  },
  {
    name: 'cloneGroupOffset',
    description: 'Have a group stand where another one does',
    load: async () => (await import('./offset/clone-group-offset.ts')).cloneGroupOffset,
  },
  {
    name: 'producer',
    description: 'All producers of a broker',
    load: async () => (await import('./group/producer.ts')).producer,
  },
  {
    name: 'clusterList',
    description: 'Brokers of all clusters, with their load',
    load: async () => (await import('./cluster/cluster-list.ts')).clusterList,
  },
  { name: 'topicList', description: 'All topics', load: async () => (await import('./topic/topic-list.ts')).topicList },
  {
    name: 'updateKvConfig',
    description: 'Set an entry of the name servers',
    load: async () => (await import('./name-server/kv-config.ts')).updateKvConfig,
  },
  {
    name: 'deleteKvConfig',
    description: 'Delete an entry of the name servers',
    load: async () => (await import('./name-server/kv-config.ts')).deleteKvConfig,
  },
  {
    name: 'wipeWritePerm',
    description: 'Tell producers no queues of a broker any more',
    load: async () => (await import('./name-server/write-perm.ts')).wipeWritePerm,
  },
  {
    name: 'addWritePerm',
    description: 'Tell producers the queues of a broker again',
    load: async () => (await import('./name-server/write-perm.ts')).addWritePerm,
  },
  {
    name: 'resetOffsetByTime',
    description: 'Have a group go on at a time',
    load: async () => (await import('./offset/reset-offset.ts')).resetOffsetByTime,
  },
  {
    name: 'resetOffsetByTimeOld',
    description: 'Commit a group’s offsets by a time, whoever is online',
    load: async () => (await import('./offset/reset-offset.ts')).resetOffsetByTimeOld,
  },
  {
    name: 'getConsumerStatus',
    description: 'Where members say that they stand',
    load: async () => (await import('./offset/get-consumer-status.ts')).getConsumerStatus,
  },
  {
    name: 'skipAccumulatedMessage',
    description: 'Have a group skip what waits',
    load: async () => (await import('./offset/reset-offset.ts')).skipAccumulatedMessage,
  },
  {
    name: 'updateOrderConf',
    description: 'Set, get or delete the order configuration of a topic',
    load: async () => (await import('./topic/update-order-conf.ts')).updateOrderConf,
  },
  {
    name: 'cleanExpiredCQ',
    description: 'Remove queue files whose messages are gone',
    load: async () => (await import('./broker/clean.ts')).cleanExpiredCQ,
  },
  {
    name: 'deleteExpiredCommitLog',
    description: 'Remove files of the log that are old enough',
    load: async () => (await import('./broker/clean.ts')).deleteExpiredCommitLog,
  },
  {
    name: 'cleanUnusedTopic',
    description: 'Remove queues of topics that are gone',
    load: async () => (await import('./broker/clean.ts')).cleanUnusedTopic,
  },
  {
    name: 'startMonitoring',
    description: 'Say again and again what is wrong with groups',
    load: async () => (await import('./group/start-monitoring.ts')).startMonitoring,
  },
  {
    name: 'statsAll',
    description: 'What comes into topics and goes out to groups',
    load: async () => (await import('./broker/stats-all.ts')).statsAll,
  },
  {
    name: 'allocateMQ',
    description: 'How members would share the queues of a topic',
    load: async () => (await import('./topic/allocate-mq.ts')).allocateMQ,
  },
  {
    name: 'checkMsgSendRT',
    description: 'How long sends to a topic take',
    load: async () => (await import('./message/check-send-rt.ts')).checkMsgSendRT,
  },
  {
    name: 'clusterRT',
    description: 'How long sends to each broker take',
    load: async () => (await import('./cluster/cluster-rt.ts')).clusterRT,
  },
  {
    name: 'getNamesrvConfig',
    description: 'Settings of the name servers',
    load: async () => (await import('./name-server/namesrv-config.ts')).getNamesrvConfig,
  },
  {
    name: 'updateNamesrvConfig',
    description: 'Change a setting of the name servers',
    load: async () => (await import('./name-server/namesrv-config.ts')).updateNamesrvConfig,
  },
  {
    name: 'getBrokerConfig',
    description: 'Settings of brokers',
    load: async () => (await import('./broker/get-broker-config.ts')).getBrokerConfig,
  },
  {
    name: 'getConsumerConfig',
    description: 'Settings of a consumer group',
    load: async () => (await import('./group/get-consumer-config.ts')).getConsumerConfig,
  },
  {
    name: 'queryCq',
    description: 'Units of a consume queue',
    load: async () => (await import('./broker/query-cq.ts')).queryCq,
  },
  {
    name: 'sendMessage',
    description: 'Send a message',
    load: async () => (await import('./message/send-message.ts')).sendMessage,
  },
  {
    name: 'consumeMessage',
    description: 'Print some messages of a topic, without committing',
    load: async () => (await import('./message/consume-message.ts')).consumeMessage,
  },
  {
    name: 'updateAclConfig',
    description: 'Create an account, or change it',
    load: async () => (await import('./acl/acl-account.ts')).updateAclConfig,
  },
  {
    name: 'deleteAclConfig',
    alias: 'deleteAccessConfig',
    description: 'Delete an account',
    load: async () => (await import('./acl/acl-account.ts')).deleteAclConfig,
  },
  {
    name: 'clusterAclConfigVersion',
    description: 'How new the account files of brokers are',
    load: async () => (await import('./acl/acl-versions.ts')).clusterAclConfigVersion,
  },
  {
    name: 'updateGlobalWhiteAddr',
    description: 'Set the addresses that need no account',
    load: async () => (await import('./acl/global-white-addr.ts')).updateGlobalWhiteAddr,
  },
  {
    name: 'exportMetadata',
    description: 'Topics and groups into a file',
    load: async () => (await import('./export/export-metadata.ts')).exportMetadata,
  },
  {
    name: 'exportConfigs',
    description: 'Settings of a cluster’s brokers into a file',
    load: async () => (await import('./export/export-configs.ts')).exportConfigs,
  },
  {
    name: 'exportMetrics',
    description: 'Figures of a cluster’s brokers into a file',
    load: async () => (await import('./export/export-metrics.ts')).exportMetrics,
  },
  {
    name: 'haStatus',
    description: 'How far slaves are, as their master sees it, or they themselves',
    load: async () => (await import('./cluster/ha-status.ts')).haStatusOf,
  },
]

/** By name or alias. */
export function findEntry(name: string): Entry | undefined {
  const wanted = name.toLowerCase()
  return entries.find(entry => entry.name.toLowerCase() === wanted || entry.alias?.toLowerCase() === wanted)
}

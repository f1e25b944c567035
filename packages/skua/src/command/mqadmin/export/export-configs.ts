import { brokerConfig, clusterBrokers } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'
import { defaultExportPath, exportTo } from './file.ts'

/** The settings that Apache's tool exports. */
const exported = [
  'brokerClusterName',
  'brokerId',
  'brokerName',
  'brokerRole',
  'fileReservedTime',
  'filterServerNums',
  'flushDiskType',
  'maxMessageSize',
  'messageDelayLevel',
  'msgTraceTopicName',
  'slaveReadEnable',
  'traceOn',
  'traceTopicEnable',
  'useTLS',
  'autoCreateTopicEnable',
  'autoCreateSubscriptionGroup',
]

export const exportConfigs = subcommand({
  requests: '106, 26',
  flags: {
    clusterName: needed(text('c', 'clusterName', 'name of the cluster')),
    filePath: text('f', 'filePath', `directory of the file (default: ${defaultExportPath})`),
  },
  run: async ({ session, flags: { clusterName, filePath: directory = defaultExportPath } }) => {
    const brokers = await clusterBrokers(session, clusterName)
    const masters = brokers.filter(({ brokerId }) => brokerId === 0)
    const brokerConfigs: Record<string, Record<string, string>> = {}
    for (const { brokerName, address } of masters) {
      const all = await brokerConfig(session, address)
      brokerConfigs[brokerName] = Object.fromEntries(exported.flatMap(key => (key in all ? [[key, all[key]!]] : [])))
    }
    const clusterScale = {
      namesrvSize: session.nameServers().length,
      masterBrokerSize: masters.length,
      slaveBrokerSize: brokers.length - masters.length,
    }
    const value = { brokerConfigs, clusterScale }
    return { path: exportTo(session.runtime.disk, { directory, name: 'configs.json' }, value), ...value }
  },
  show: ({ path }) => [lines(`export ${path} success`)],
})

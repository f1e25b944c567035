import { putGroup } from '@skua-mq/admin'
import { needed, text, truth, whereFlags, whole } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateSubGroup = subcommand({
  requests: '106, 200',
  notes: 'What is not given is as in a new group, also where the group is there already',
  changes: true,
  flags: {
    ...whereFlags(),
    groupName: needed(text('g', 'groupName', 'name of the consumer group')),
    consumeEnable: truth('s', 'consumeEnable', 'may consume (default: true)'),
    consumeFromMinEnable: truth('m', 'consumeFromMinEnable', 'may begin with the first message (default: false)'),
    consumeBroadcastEnable: truth('d', 'consumeBroadcastEnable', 'may broadcast (default: false)'),
    retryQueueNums: whole('q', 'retryQueueNums', 'queues of its retry topic (default: 1)'),
    retryMaxTimes: whole('r', 'retryMaxTimes', 'retries before a message is a dead letter (default: 16)'),
    brokerId: whole('i', 'brokerId', 'consume from this broker id (default: 0)'),
    whichBrokerWhenConsumeSlowly: whole('w', 'whichBrokerWhenConsumeSlowly', 'from this one when behind (default: 1)'),
    notifyConsumerIdsChangedEnable: truth(
      'a',
      'notifyConsumerIdsChanged',
      'tell members of others at once (default: true)',
    ),
  },
  run: async ({ session, flags }) => {
    const { brokerAddr: _b, clusterName: _c, ...config } = flags
    const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
    const settings = { ...given, groupName: flags.groupName }
    return { brokers: await putGroup(session, whereOf(flags), settings), ...settings }
  },
  show: ({ brokers }) => [lines(...brokers.map(address => `create subscription group to ${address} success.`))],
})

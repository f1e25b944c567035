import { setBrokerConfig } from '@skua-mq/admin'
import { needed, text, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateBrokerConfig = subcommand({
  requests: '25; -c: 106',
  changes: true,
  flags: {
    ...whereFlags(),
    key: needed(text('k', 'key', 'name of the setting')),
    value: needed(text('v', 'value', 'its new value')),
  },
  run: async ({ session, flags }) => {
    const { key, value } = flags
    return { brokers: await setBrokerConfig(session, whereOf(flags), { [key]: value }), key, value }
  },
  show: ({ brokers }) => [lines(...brokers.map(address => `update broker config success, ${address}`))],
})

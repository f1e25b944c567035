import { setGlobalWhiteAddresses } from '@skua-mq/admin'
import { needed, text, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateGlobalWhiteAddr = subcommand({
  requests: '53; -c: 106',
  changes: true,
  flags: {
    ...whereFlags(),
    globalWhiteRemoteAddresses: needed(
      text('g', 'globalWhiteRemoteAddresses', 'patterns of addresses that need no account: 10.10.103.*,192.168.0.*'),
    ),
    aclFileFullPath: text('p', 'aclFileFullPath', 'which file of the broker (default: conf/plain_acl.yml)'),
  },
  run: async ({ session, flags }) => {
    const addresses = flags.globalWhiteRemoteAddresses.split(',').map(part => part.trim())
    return {
      brokers: await setGlobalWhiteAddresses(session, whereOf(flags), { addresses, file: flags.aclFileFullPath }),
    }
  },
  show: ({ brokers }) => [
    lines(...brokers.map(address => `update global white remote addresses to ${address} success.`)),
  ],
})

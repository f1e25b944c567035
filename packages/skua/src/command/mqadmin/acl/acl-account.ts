import { deleteAclAccount, putAclAccount } from '@skua-mq/admin'
import { needed, text, truth, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

const accessKey = needed(text('a', 'accessKey', 'name of the account, more than 6 characters'))
const listed = (value: string | undefined): string[] | undefined => value?.split(',').map(part => part.trim())

export const updateAclConfig = subcommand({
  requests: '50; -c: 106',
  notes: 'What is not given stays as it is',
  changes: true,
  flags: {
    ...whereFlags(),
    accessKey,
    secretKey: needed(text('s', 'secretKey', 'its secret, more than 6 characters')),
    whiteRemoteAddress: text('w', 'whiteRemoteAddress', 'addresses that need no signature, as a pattern'),
    defaultTopicPerm: text('i', 'defaultTopicPerm', 'DENY, PUB, SUB or PUB|SUB for topics that are not listed'),
    defaultGroupPerm: text('u', 'defaultGroupPerm', 'the same for groups'),
    topicPerms: text('t', 'topicPerms', 'permissions of topics: topicA=DENY,topicB=PUB|SUB'),
    groupPerms: text('g', 'groupPerms', 'permissions of groups: groupA=SUB,groupB=DENY'),
    admin: truth('m', 'admin', 'may do everything'),
  },
  run: async ({ session, flags }) => {
    const { brokerAddr: _b, clusterName: _c, topicPerms, groupPerms, ...account } = flags
    const lists = { topicPerms: listed(topicPerms), groupPerms: listed(groupPerms) }
    return {
      brokers: await putAclAccount(session, whereOf(flags), { ...account, ...lists }),
      accessKey: flags.accessKey,
    }
  },
  show: ({ brokers }) => [
    lines(...brokers.map(address => `create or update plain access config to ${address} success.`)),
  ],
})

export const deleteAclConfig = subcommand({
  requests: '51; -c: 106',
  changes: true,
  flags: { ...whereFlags(), accessKey },
  run: async ({ session, flags }) => ({
    brokers: await deleteAclAccount(session, whereOf(flags), flags.accessKey),
    accessKey: flags.accessKey,
  }),
  show: ({ brokers, accessKey: gone }) => [
    lines(
      ...brokers.map(address => `delete plain access config account from ${address} success.`),
      `account's accesskey is:${gone}`,
    ),
  ],
})

import { nameServerConfigs, setNameServerConfig } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines, settings } from '../frame/table.ts'

export const getNamesrvConfig = subcommand({
  requests: '319',
  flags: {},
  run: ({ session }) => nameServerConfigs(session),
  show: servers =>
    servers.flatMap(server => [lines(`============${server.address}============`), settings(server.settings)]),
})

export const updateNamesrvConfig = subcommand({
  requests: '318',
  changes: true,
  flags: {
    key: needed(text('k', 'key', 'name of the setting')),
    value: needed(text('v', 'value', 'its new value')),
  },
  run: async ({ session, flags: { key, value } }) => {
    return { nameServers: await setNameServerConfig(session, { [key]: value }), key, value }
  },
  show: ({ nameServers, key, value }) => [
    lines(`update name server config success! ${nameServers.join(';')}`, `${key} : ${value}`),
  ],
})

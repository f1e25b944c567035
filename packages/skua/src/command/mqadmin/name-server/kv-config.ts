import { deleteKv, putKv } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

const where = {
  namespace: needed(text('s', 'namespace', 'namespace of the entry')),
  key: needed(text('k', 'key', 'its key')),
}

export const updateKvConfig = subcommand({
  requests: '100',
  changes: true,
  flags: { ...where, value: needed(text('v', 'value', 'its new value')) },
  run: async ({ session, flags: { namespace, key, value } }) => {
    await putKv(session, { namespace, key }, value)
    return { nameServers: session.nameServers(), namespace, key, value }
  },
  show: () => [lines('create or update kv config to namespace success.')],
})

export const deleteKvConfig = subcommand({
  requests: '102',
  changes: true,
  flags: where,
  run: async ({ session, flags: { namespace, key } }) => {
    await deleteKv(session, { namespace, key })
    return { nameServers: session.nameServers(), namespace, key }
  },
  show: () => [lines('delete kv config from namespace success.')],
})

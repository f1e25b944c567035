import { type ConnectedClient, each, findConsumers, groupNames } from '@skua-mq/admin'
import { lines, table } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'

/** Who consumes, and what. */
export interface ConsumingClient extends ConnectedClient {
  readonly group: string
  readonly subscriptions: readonly { readonly topic: string; readonly expression: string; readonly type: string }[]
}

/** `skua clients [-g group]`. */
export const clients = personCommand({
  run: async ({ session, options }: Given<{ readonly group?: string }>): Promise<ConsumingClient[]> => {
    if (options.group !== undefined) await mustKnow(session, options.group)
    const names = options.group === undefined ? await groupNames(session, true) : [options.group]
    const found = await each(names, group => findConsumers(session, group))
    return found.flatMap(online => {
      if (online === undefined) return []
      const subscriptions = online.subscriptions
        .filter(({ topic }) => !topic.startsWith('%'))
        .map(({ topic, subString, expressionType }) => ({
          topic,
          expression: subString,
          type: expressionType ?? 'TAG',
        }))
      return online.clients.map(client => ({ group: online.group, ...client, subscriptions }))
    })
  },
  show: (rows, { options: { group } }) =>
    rows.length === 0
      ? [lines(`no consumer${group === undefined ? '' : ` of group ${group}`} is connected`)]
      : [
          table(
            [
              { title: 'GROUP', cell: row => row.group },
              { title: 'CLIENT', cell: row => row.clientId },
              { title: 'ADDRESS', cell: row => row.clientAddr },
              { title: 'LANGUAGE', cell: row => row.language },
              { title: 'VERSION', cell: row => row.versionName },
              { title: 'SUBSCRIPTIONS', cell: subscriptionsText },
            ],
            rows,
          ),
        ],
})

const subscriptionsText = ({ subscriptions }: ConsumingClient): string =>
  subscriptions.map(({ topic, expression }) => `${topic} (${expression})`).join(', ')

import { readQueues } from '@skua-mq/admin'
import { averagely } from '@skua-mq/client'
import { needed, text } from '../frame/flag.ts'
import { jsonText } from '../frame/json.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const allocateMQ = subcommand({
  requests: '105',
  notes: 'Says how members would share the queues of a topic, by Java’s default strategy',
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    ipList: needed(text('i', 'ipList', 'client ids of the members, joined by commas')),
  },
  run: async ({ session, flags }) => {
    const queues = await readQueues(session, flags.topic)
    const clientIds = flags.ipList.split(',').map(id => id.trim())
    const { allocate } = averagely()
    const shares = clientIds.map(clientId => [clientId, allocate({ group: 'aa', queues, clientIds, clientId })])
    return { result: Object.fromEntries(shares) }
  },
  show: result => [lines(jsonText(result, 0))],
})

import { setTopicPerm } from '@skua-mq/admin'
import { needed, permission, text, whereFlags } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateTopicPerm = subcommand({
  requests: '106, 21, 17',
  notes: 'Queues stay as they are at each broker (Apache’s gives all brokers those of the first one)',
  changes: true,
  flags: {
    ...whereFlags(),
    topic: needed(text('t', 'topic', 'name of the topic')),
    perm: needed(permission('2 write, 4 read, 6 both')),
  },
  run: ({ session, flags }) => setTopicPerm(session, whereOf(flags), { topic: flags.topic, perm: flags.perm }),
  show: changes =>
    changes.map(({ address, before, after }) =>
      lines(
        before === after
          ? `topic perm in ${address} is ${after} already.`
          : `update topic perm from ${before} to ${after} in ${address} success.`,
      ),
    ),
})

import { cloneOffsets } from '@skua-mq/admin'
import { needed, text, truth } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const cloneGroupOffset = subcommand({
  requests: '105, 106, 314',
  changes: true,
  flags: {
    srcGroup: needed(text('s', 'srcGroup', 'group whose offsets are taken')),
    destGroup: needed(text('d', 'destGroup', 'group that gets them')),
    topic: needed(text('t', 'topic', 'of this topic')),
    offline: truth('o', 'offline', 'do it without looking whether the groups are online (default: false)'),
  },
  run: async ({ session, flags: { srcGroup: from, destGroup: to, topic, offline } }) => {
    return { from, to, topic, brokers: await cloneOffsets(session, { from, to, topic, offline }) }
  },
  show: ({ from, to, topic }) => [
    lines(`clone group offset success. srcGroup[${from}], destGroup=[${to}], topic[${topic}]`),
  ],
})

import { AdminError, setRequestMode } from '@skua-mq/admin'
import { needed, text, whereFlags, whole } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const setConsumeMode = subcommand({
  requests: '106, 401',
  notes: 'Only consumers that balance at the broker ask for it (setClientRebalance(false) in Java’s 5.x client)',
  changes: true,
  flags: {
    ...whereFlags(),
    topicName: needed(text('t', 'topicName', 'name of the topic')),
    groupName: needed(text('g', 'groupName', 'name of the consumer group')),
    mode: needed(text('m', 'mode', 'PULL or POP')),
    popShareQueueNum: whole('q', 'popShareQueueNum', 'pop the queues of so many other members, too (default: 0, all)'),
  },
  run: async ({ session, flags }) => {
    const { topicName: topic, groupName: consumerGroup, popShareQueueNum = 0 } = flags
    const mode = modeOf(flags.mode)
    const wish = { topic, consumerGroup, mode, popShareQueueNum }
    return { brokers: await setRequestMode(session, whereOf(flags), wish), ...wish }
  },
  show: ({ brokers, topic, consumerGroup, mode, popShareQueueNum }) => [
    lines(
      ...brokers.map(address => `set consume mode to ${address} success.`),
      `topic[${topic}] group[${consumerGroup}] consume mode[${mode}] popShareQueueNum[${popShareQueueNum}]`,
    ),
  ],
})

function modeOf(text: string): 'PULL' | 'POP' {
  if (text === 'PULL' || text === 'POP') return text
  throw new AdminError('ARGUMENT', `-m ${text}: PULL or POP is wanted`)
}

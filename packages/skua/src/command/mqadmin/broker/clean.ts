import { cleanBrokers } from '@skua-mq/admin'
import { whereFlags } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

type Cleaning = Parameters<typeof cleanBrokers>[2]

/** All three do one thing to the brokers that `-b` or `-c` name, or to all. */
const cleaning = (what: Cleaning, request: number) =>
  subcommand({
    requests: `106, ${request}`,
    notes: 'Without -b and -c at all brokers of all clusters',
    changes: true,
    flags: whereFlags('cluster'),
    run: async ({ session, flags: { brokerAddr, clusterName } }) => ({
      brokers: await cleanBrokers(session, { brokerAddr, clusterName }, what),
    }),
    show: ({ brokers }) => [lines('success', ...brokers.map(address => `  ${address}`))],
  })

export const cleanExpiredCQ = cleaning('consumeQueues', 306)
export const cleanUnusedTopic = cleaning('unusedTopics', 316)
export const deleteExpiredCommitLog = cleaning('commitLog', 329)

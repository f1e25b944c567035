import { AdminError, type AdminSession, each, findTopicRoute, topicNames, topicStats } from '@skua-mq/admin'
import { lines, table } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { countText, permText } from './figures.ts'
import { type Given, personCommand } from './frame.ts'

/** A topic at a glance. */
export interface TopicLine {
  readonly topic: string
  readonly brokers: readonly string[]
  /** Of all brokers. */
  readonly readQueues: number
  readonly writeQueues: number
  readonly perm: string
  /** Messages that its queues hold; null where a broker does not tell. */
  readonly messages: number | null
  /** ms since 1970; 0 for an empty topic. */
  readonly lastWrittenMs: number
  readonly problem?: string
}

async function topicLine(session: AdminSession, topic: string): Promise<TopicLine> {
  const { queues = [] } = (await findTopicRoute(session, topic)) ?? {}
  const common = {
    topic,
    brokers: queues.map(({ brokerName }) => brokerName),
    readQueues: queues.reduce((sum, queue) => sum + queue.readQueueNums, 0),
    writeQueues: queues.reduce((sum, queue) => sum + queue.writeQueueNums, 0),
    perm: [...new Set(queues.map(({ perm }) => permText(perm)))].join(','),
  }
  try {
    const stats = await topicStats(session, topic)
    const messages = stats.reduce((sum, queue) => sum + queue.maxOffset - queue.minOffset, 0)
    return { ...common, messages, lastWrittenMs: Math.max(0, ...stats.map(queue => queue.lastUpdateMs)) }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { ...common, messages: null, lastWrittenMs: 0, problem: error.message }
  }
}

/** `skua topics`. */
export const topics = personCommand({
  run: async ({ session, options }: Given<{ readonly all?: boolean }>) =>
    each(await topicNames(session, options.all === true), topic => topicLine(session, topic)),
  show: rows =>
    rows.length === 0
      ? [lines('no topics yet: a first send makes one, e.g. skua send Greetings hello')]
      : [
          table(
            [
              { title: 'TOPIC', cell: row => row.topic },
              { title: 'QUEUES', cell: queuesText, right: true },
              { title: 'PERM', cell: row => row.perm },
              { title: 'MESSAGES', cell: row => countText(row.messages ?? undefined), right: true },
              { title: 'LAST WRITTEN', cell: row => (row.lastWrittenMs === 0 ? '-' : timeText(row.lastWrittenMs)) },
            ],
            rows,
          ),
        ],
  problems: rows => rows.flatMap(({ problem }) => (problem === undefined ? [] : [problem])),
})

const queuesText = ({ readQueues, writeQueues }: TopicLine): string =>
  readQueues === writeQueues ? String(readQueues) : `${readQueues} read, ${writeQueues} write`

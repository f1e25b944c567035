import { decideTransaction, delayedMessages, recallDelayed, undecidedTransactions } from '@skua-mq/admin'
import { endpoint } from '../endpoint.ts'
import {
  brokerName,
  cutTo,
  figure,
  groupName,
  limited,
  messageId,
  messageRow,
  messageRowOf,
  ms,
  told,
  topicName,
} from '../rows.ts'
import { bool, int, oneOf, shape } from '../schema.ts'

const maxRows = 500

/** What waits for its time. */
export const delayed = endpoint({
  name: 'delayed',
  method: 'GET',
  role: 'view',
  help: 'Delayed messages, the next one first, with their topics and times; of those with a time of their own the newest are looked through.',
  params: {},
  timeMs: 30_000,
  answer: limited(
    shape({ row: messageRow, topic: told, dueMs: figure, by: oneOf('level', 'timer'), canCancel: bool() }),
    maxRows,
  ),
  run: async ({ cluster }) => {
    const { messages, more } = await cluster.share('delayed', 2_000, session =>
      delayedMessages(session, { limit: maxRows }),
    )
    const rows = messages.map(({ message, topic, dueMs, by }) => {
      return { row: messageRowOf(message), topic, dueMs: dueMs ?? null, by, canCancel: by === 'timer' }
    })
    const note = more ? [`there are more than ${maxRows}: the next ones are shown`] : []
    return { ...cutTo(rows, maxRows), problems: note }
  },
})

/** Takes one back. */
export const delayedCancel = endpoint({
  name: 'delayed/cancel',
  method: 'POST',
  role: 'admin',
  help: 'Takes back a message with a time of its own. Brokers cannot take back those of delay levels.',
  params: { topic: topicName, broker: brokerName, id: messageId, dueMs: ms },
  answer: shape({ id: told }),
  run: async ({ cluster }, { topic, broker, id, dueMs }) => {
    await recallDelayed(cluster.session, { topic, brokerName: broker, msgId: id, dueMs })
    return { id }
  },
})

/** Transactions that wait for a verdict. */
export const halves = endpoint({
  name: 'halves',
  method: 'GET',
  role: 'view',
  help: 'Half messages that nobody has decided yet, oldest first. Only Skua’s brokers tell.',
  params: {},
  answer: limited(
    shape({
      ...{ brokerName: told, producerGroup: told, topic: told, msgId: told, halfOffset: int(), physicalOffset: int() },
      ...{ bornAtMs: ms, checks: int(), nextCheckAtMs: ms },
    }),
    maxRows,
  ),
  run: async ({ cluster }) => {
    const { transactions, without } = await undecidedTransactions(cluster.session, maxRows)
    const silent = without.map(name => `broker ${name} does not tell its half messages: Apache's know no such request`)
    return cutTo(transactions, maxRows, silent)
  },
})

/** Commits or rolls back. */
export const halfDecide = endpoint({
  name: 'halves/decide',
  method: 'POST',
  role: 'admin',
  help: 'Decides a transaction in place of its producer: commit delivers the message, rollback drops it.',
  params: {
    broker: brokerName,
    producerGroup: groupName,
    id: messageId,
    halfOffset: int({ min: 0 }),
    physicalOffset: int({ min: 0 }),
    decision: oneOf('commit', 'rollback'),
  },
  answer: shape({ id: told, decision: told }),
  run: async ({ cluster }, { broker, producerGroup, id, halfOffset, physicalOffset, decision }) => {
    const transaction = { brokerName: broker, producerGroup, msgId: id, halfOffset, physicalOffset }
    await decideTransaction(cluster.session, transaction, decision)
    return { id, decision }
  },
})

import {
  AdminError,
  cancelWaiting,
  decideTransaction,
  delayedMessages,
  moveWaiting,
  recallDelayed,
  undecidedTransactions,
  waitingMessage,
} from '@skua-mq/admin'
import { encodeHost, offsetMessageId } from '@skua-mq/protocol'
import type { Cluster } from '../cluster.ts'
import { endpoint } from '../endpoint.ts'
import { brokerName, cutTo, figure, groupName, limited, messageId, ms, told, topicName } from '../rows.ts'
import { int, oneOf, orNull, shape } from '../schema.ts'

const maxRows = 500

/** What waits for its time. */
export const delayed = endpoint({
  name: 'delayed',
  method: 'GET',
  role: 'view',
  help: 'Delayed messages, the next one first, with their topics and times.',
  params: {},
  timeMs: 30_000,
  answer: limited(
    shape({
      ...{ topic: told, msgId: told, offsetMsgId: told, keys: told, tags: orNull(told), brokerName: told },
      ...{ storedAtMs: ms, dueMs: figure, by: oneOf('level', 'timer') },
    }),
    maxRows,
  ),
  run: async ({ cluster }) => {
    const found = await cluster.share('delayed', 2_000, session => delayedMessages(session, { limit: maxRows }))
    const rows = found.messages.map(({ dueMs, tags, address, physicalOffset, ...one }) => {
      const offsetMsgId = offsetIdOf(address, physicalOffset)
      const { topic, msgId, keys, brokerName: name, storedAtMs, by } = one
      return {
        topic,
        msgId,
        offsetMsgId,
        keys,
        brokerName: name,
        storedAtMs,
        by,
        tags: tags ?? null,
        dueMs: dueMs ?? null,
      }
    })
    const note = found.more ? [`there are more than ${maxRows}: the next ones are shown`] : []
    const silent = found.without.map(
      address => `${address} does not list messages with a time of their own: the newest of them were looked through`,
    )
    return { ...cutTo(rows, maxRows), problems: [...note, ...silent] }
  },
})

/** The id of a place; empty for a broker whose address is a name. */
function offsetIdOf(address: string, physicalOffset: number): string {
  const at = address.lastIndexOf(':')
  const storeHost = encodeHost(address.slice(0, at).replace(/^\[|\]$/g, ''), Number(address.slice(at + 1)))
  return storeHost === undefined ? '' : offsetMessageId(storeHost, physicalOffset)
}

const named = { topic: topicName, broker: brokerName, id: messageId, dueMs: ms }

/** Takes one back. */
export const delayedCancel = endpoint({
  name: 'delayed/cancel',
  method: 'POST',
  role: 'admin',
  help: 'Takes back a message with a time of its own. Brokers cannot take back those of delay levels.',
  params: named,
  answer: shape({ id: told }),
  run: async ({ cluster }, { topic, broker, id, dueMs }) => {
    const found = await listed(cluster, { topic, id })
    if (found !== undefined) await cancelWaiting(cluster.session, found)
    else await recallDelayed(cluster.session, { topic, brokerName: broker, msgId: id, dueMs })
    return { id }
  },
})

/** Gives it another time. */
export const delayedMove = endpoint({
  name: 'delayed/move',
  method: 'POST',
  role: 'admin',
  help: 'Gives a message with a time of its own another time; one that has passed delivers it now. Only Skua’s brokers can.',
  params: { topic: topicName, id: messageId, deliverAtMs: ms },
  answer: shape({ id: told }),
  run: async ({ cluster }, { topic, id, deliverAtMs }) => {
    await moveWaiting(cluster.session, await waitingMessage(cluster.session, id, { topic }), deliverAtMs)
    return { id }
  },
})

/** Undefined where no broker lists what waits. */
async function listed({ session }: Cluster, { topic, id }: { readonly topic: string; readonly id: string }) {
  try {
    return await waitingMessage(session, id, { topic })
  } catch (error) {
    if (error instanceof AdminError && error.code === 'REFUSED') return undefined
    throw error
  }
}

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

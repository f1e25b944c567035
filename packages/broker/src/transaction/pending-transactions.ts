import { halfTopic, type PendingTransaction, PropertyName } from '@skua-mq/protocol'
import { type Clock, isBadPlace } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { Pace } from '../pace.ts'
import { DecidedHalves } from './decided-halves.ts'
import { firstOffsetOf } from './half-fate.ts'
import { checkTimesOf, immunityOf } from './half-message.ts'
import type { TransactionChecks } from './transaction-checks.ts'

/** The undecided transactions, oldest first, at most `limit` (default 1000), for tools. */
export async function pendingTransactions(
  parts: {
    store: Pick<MessageStore, 'get' | 'queue' | 'minOffset' | 'maxOffset' | 'readRecord'>
    clock: Clock
    checks: Pick<TransactionChecks, 'begin' | 'read' | 'nextRoundAtMs'>
    settings: { readonly transactionTimeOut: number; readonly transactionCheckInterval: number }
  },
  limit = 1000,
): Promise<PendingTransaction[]> {
  const { store, clock, checks, settings } = parts
  const { half, op } = checks.begin()
  const last = store.maxOffset(halfTopic, 0)
  const decided = new DecidedHalves({ store, clock, half, op })
  await decided.readAll()
  const end = Math.min(last, decided.horizon)
  const pending: PendingTransaction[] = []
  const pace = new Pace(clock)
  for (let halfOffset = half; halfOffset < end && pending.length < limit; halfOffset++) {
    if (pace.isOver) await pace.pause()
    if (decided.has(halfOffset)) {
      pace.passed()
      continue
    }
    pace.read()
    const message = (await readOrPass(checks, halfOffset))?.message
    if (message === undefined) continue
    const first = firstOffsetOf(message)
    if (first !== undefined && (await decided.hasFirst(first))) continue
    const immuneUntilMs = message.bornTimestamp + immunityOf(message, settings).ms
    const rounds = Math.max(0, Math.ceil((immuneUntilMs - checks.nextRoundAtMs) / settings.transactionCheckInterval))
    pending.push({
      producerGroup: message.properties.get(PropertyName.producerGroup) ?? '',
      topic: message.properties.get(PropertyName.realTopic) ?? '',
      msgId: message.properties.get(PropertyName.uniqueKey) ?? message.offsetMsgId,
      halfOffset,
      physicalOffset: message.physicalOffset,
      bornAtMs: message.bornTimestamp,
      checks: checkTimesOf(message),
      nextCheckAtMs: checks.nextRoundAtMs + rounds * settings.transactionCheckInterval,
    })
  }
  return pending
}

/** One that the disk does not give keeps the others from nobody; the checks tell of it. */
const readOrPass = (checks: Pick<TransactionChecks, 'read'>, halfOffset: number) =>
  checks.read(halfOffset).catch(error => {
    if (!isBadPlace(error)) throw error
    return undefined
  })

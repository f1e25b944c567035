import { consumerOffsetFile } from '@skua-mq/protocol'
import type { OutgoingCommand } from '@skua-mq/remoting'
import { PutResult, type Store } from '@skua-mq/store'
import { OffsetTable } from '../../src/offset/offset-table.ts'
import { TableFile } from '../../src/persist/table-file.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'
import type { DecidedLimits } from '../../src/transaction/decided-halves.ts'
import { EndTransaction } from '../../src/transaction/end-transaction.ts'
import { TransactionChecks } from '../../src/transaction/transaction-checks.ts'
import type { Process } from '../store-machine.ts'

export const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC'
export const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC'
export const discardTopic = 'TRANS_CHECK_MAX_TIME_TOPIC'

/** A half message as the half step leaves it. */
export const half = (body: string, more: Record<string, string> = {}) => ({
  topic: halfTopic,
  body,
  properties: { TRAN_MSG: 'true', PGROUP: 'tx', REAL_TOPIC: 'T', REAL_QID: '0', UNIQ_KEY: body, ...more },
})

/** A store that refuses some appends, with the status that `refusal` names. */
export function refusing(store: Store, refusal: (topic: string) => PutResult['status'] | undefined): Store {
  return Object.assign(Object.create(store) as Store, {
    append: (...[draft, waiter]: Parameters<Store['append']>) => {
      const status = refusal(draft.topic)
      if (status === undefined) store.append(draft, waiter)
      else waiter.stored(Object.assign(new PutResult(), { status, remark: `refused: ${status}` }))
    },
  })
}

/** Transaction checks every 2 s over a store, with a producer that is always there. */
export function transactions(
  { runtime, store }: Process,
  { decidedLimits, immuneMs = 1000 }: { decidedLimits?: DecidedLimits; immuneMs?: number } = {},
) {
  const asked: OutgoingCommand[] = []
  const file = new TableFile({ ...runtime, codec: consumerOffsetFile, path: '/store/config/consumerOffset.json' })
  const offsets = new OffsetTable({ ...runtime, file, intervalMs: () => 5000 })
  offsets.load()
  offsets.start()
  const storeHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f)
  const rules = {
    ...{ now: () => runtime.clock.now(), isOn: true, precisionMs: 1000 },
    ...{ maxDelayMs: () => 259_200_000, congested: () => undefined },
  }
  const timerEntry = { rules, ensureTopic: () => {} }
  const end = new EndTransaction({
    refusesLate: false,
    store,
    now: () => runtime.clock.now(),
    storeHost,
    levels: [1000],
    timerEntry,
  })
  const checks = new TransactionChecks({
    ...runtime,
    store,
    offsets,
    topics: { ensure: (topic, queues) => topicConfig(topic, queues) },
    producer: () => ({ connection: { tell: command => asked.push(command) } }),
    isEnding: halfOffset => end.isEnding(halfOffset),
    isEnded: halfOffset => end.isEnded(halfOffset),
    writeOwed: () => end.writeOwed(),
    ...(decidedLimits && { decidedLimits }),
    brokerName: 'b',
    settings: () => ({
      transactionTimeOut: immuneMs,
      transactionCheckMax: 15,
      transactionCheckInterval: 2000,
      retentionMs: 3_600_000,
    }),
  })
  checks.start()
  /** Unique keys of the messages that were asked about, in order. */
  const ids = () => asked.map(command => command.extFields?.['msgId'])
  const verdict = (at: { queueOffset: number; physicalOffset: number }, commitOrRollback: number) =>
    Promise.resolve(
      end.take({
        producerGroup: 'tx',
        tranStateTableOffset: at.queueOffset,
        commitLogOffset: at.physicalOffset,
        commitOrRollback,
        fromTransactionCheck: false,
        msgId: 'id',
      }),
    )
  return { asked, ids, verdict, checks, offsets, end }
}

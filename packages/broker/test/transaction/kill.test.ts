import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerOffsetFile } from '@skua-mq/protocol'
import type { OutgoingCommand } from '@skua-mq/remoting'
import { OffsetTable } from '../../src/offset/offset-table.ts'
import { TableFile } from '../../src/persist/table-file.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'
import { EndTransaction } from '../../src/transaction/end-transaction.ts'
import { TransactionChecks } from '../../src/transaction/transaction-checks.ts'
import { type Process, StoreMachine, text } from '../store-machine.ts'

const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC'

function transactions({ runtime, store }: Process) {
  const asked: OutgoingCommand[] = []
  const file = new TableFile({ ...runtime, codec: consumerOffsetFile, path: '/store/config/consumerOffset.json' })
  const offsets = new OffsetTable({ ...runtime, file, intervalMs: () => 5000 })
  offsets.load()
  offsets.start()
  const storeHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f)
  const end = new EndTransaction({ store, now: () => runtime.clock.now(), storeHost, levels: [1000] })
  const checks = new TransactionChecks({
    ...runtime,
    store,
    offsets,
    topics: { ensure: (topic, queues) => topicConfig(topic, queues) },
    producer: () => ({ connection: { tell: command => asked.push(command) } }),
    isEnding: halfOffset => end.ending.has(halfOffset),
    brokerName: 'b',
    settings: () => ({
      transactionTimeOut: 1000,
      transactionCheckMax: 15,
      transactionCheckInterval: 2000,
      retentionMs: 3_600_000,
    }),
  })
  checks.start()
  return { end, asked }
}

test('a kill at any round loses no verdict and no open transaction, and delivers nothing twice', async () => {
  const machine = new StoreMachine()
  let process = await machine.boot()
  let { end, asked } = transactions(process)
  const half = (body: string) => ({
    topic: halfTopic,
    body,
    properties: { TRAN_MSG: 'true', PGROUP: 'tx', REAL_TOPIC: 'T', REAL_QID: '0', UNIQ_KEY: body },
  })
  await machine.put(process.store, [half('committed'), half('open'), half('rolled back')])
  const halves = machine.read(process.store, halfTopic)
  const verdict = async (at: { queueOffset: number; physicalOffset: number }, commitOrRollback: number) =>
    machine.clock.until(
      Promise.resolve(
        end.take({
          producerGroup: 'tx',
          tranStateTableOffset: at.queueOffset,
          commitLogOffset: at.physicalOffset,
          commitOrRollback,
          fromTransactionCheck: false,
          msgId: 'id',
        }),
      ),
    )
  await verdict(halves[0]!, 8)
  await verdict(halves[2]!, 12)
  const ids = () => asked.map(command => command.extFields?.['msgId'])
  for (let round = 0; round < 3; round++) {
    machine.kill()
    process = await machine.boot()
    ;({ end, asked } = transactions(process))
    await machine.clock.advanceAsync(2500)
    // After a kill before its offsets were saved a round is repeated: the open one is asked about, maybe by two copies.
    assert.deepEqual([...new Set(ids())], ['open'])
  }
  await verdict(machine.read(process.store, halfTopic).at(-1)!, 8)
  await machine.clock.advanceAsync(10_000)
  const before = asked.length
  await machine.clock.advanceAsync(10_000)
  assert.equal(asked.length, before)
  assert.deepEqual(machine.read(process.store, 'T').map(text), ['committed', 'open'])
})

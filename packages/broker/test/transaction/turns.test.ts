import assert from 'node:assert/strict'
import { test } from 'node:test'
import { opTopic } from '@skua-mq/protocol'
import type { Store } from '@skua-mq/store'
import { pendingTransactions } from '../../src/transaction/pending-transactions.ts'
import { type Process, StoreMachine } from '../store-machine.ts'
import { half, transactions } from './checks-world.ts'

/** The same process, which counts how many messages are looked up before the loop goes on with others. */
function counting({ runtime, store }: Process) {
  const count = { most: 0, now: 0 }
  const clock = Object.assign(Object.create(runtime.clock) as typeof runtime.clock, {
    after: (...[ms, run]: Parameters<typeof runtime.clock.after>) => {
      count.now = 0
      return runtime.clock.after(ms, run)
    },
  })
  const counted = Object.assign(Object.create(store) as Store, {
    readRecord: (offset: number) => {
      count.most = Math.max(count.most, ++count.now)
      return store.readRecord(offset)
    },
  })
  return { count, process: { runtime: { ...runtime, clock }, store: counted } }
}

async function filled(first: Record<string, string>) {
  const machine = new StoreMachine()
  const counted = counting(await machine.boot())
  const { store } = counted.process
  for (let at = 0; at < 3; at++)
    await machine.put(
      store,
      [...Array(1000).keys()].map(n => half(`${at}-${n}`, first)),
    )
  return { machine, store, ...counted }
}

test('a round passes thousands of decided copies a little at a time', async () => {
  const { machine, store, count, process } = await filled({ TRAN_PREPARED_QUEUE_OFFSET: '0' })
  await machine.put(store, [{ topic: opTopic, body: '0' }])
  const { ids, checks } = transactions(process)
  await machine.clock.advanceAsync(3000)
  assert.deepEqual(ids(), [])
  assert.ok(checks.begin().half >= 3000, `${checks.begin().half}`)
  assert.ok(count.most <= 200, `${count.most} messages without a pause`)
})

test('so does the list of those that are pending', async () => {
  const { machine, count, process } = await filled({})
  const { checks } = transactions(process)
  const settings = { transactionTimeOut: 6000, transactionCheckInterval: 60_000 }
  const listed = pendingTransactions({ ...process.runtime, store: process.store, checks, settings }, 10_000)
  assert.equal((await machine.clock.until(listed)).length, 3000)
  assert.ok(count.most <= 200, `${count.most} messages without a pause`)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DecidedHalves, halfOffsetsOf } from '../../src/transaction/op-messages.ts'
import { StoreMachine } from '../store-machine.ts'

const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC'

test('bodies of 4.9 and of 5.x are both read, and nonsense says nothing', () => {
  assert.deepEqual(halfOffsetsOf(Buffer.from('5')), [5])
  assert.deepEqual(halfOffsetsOf(Buffer.from('0,1,3,')), [0, 1, 3])
  assert.deepEqual(halfOffsetsOf(Buffer.from('')), [])
  assert.deepEqual(halfOffsetsOf(Buffer.from('-1,x,7')), [7])
})

test('ops are read again only as far back as they decide something that is still ahead', async () => {
  const machine = new StoreMachine()
  const { store } = await machine.boot()
  await machine.put(
    store,
    ['1', '0,3,', '2', '9'].map(body => ({ topic: opTopic, body })),
  )
  const decided = new DecidedHalves(store, 0)
  assert.equal(await machine.clock.until(decided.readAll()), true)
  assert.deepEqual([...decided.byHalf.keys()].sort(), [0, 1, 2, 3, 9])
  assert.equal(decided.firstNeeded(0, new Map()), 0)
  assert.equal(decided.firstNeeded(2, new Map()), 1)
  assert.equal(decided.firstNeeded(4, new Map()), 3)
  assert.equal(decided.firstNeeded(4, new Map([[2, 20]])), 2)
  assert.equal(decided.firstNeeded(10, new Map()), 4)
})

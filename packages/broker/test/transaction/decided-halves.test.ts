import assert from 'node:assert/strict'
import { test } from 'node:test'
import { opTopic } from '@skua-mq/protocol'
import { DecidedHalves } from '../../src/transaction/decided-halves.ts'
import { StoreMachine } from '../store-machine.ts'

async function decidedBy(bodies: string[], half: number, limits?: { blocks: number; early: number }) {
  const machine = new StoreMachine()
  const { store } = await machine.boot()
  await machine.put(
    store,
    bodies.map(body => ({ topic: opTopic, body })),
  )
  const decided = new DecidedHalves({ store, clock: machine.clock, half, op: 0, ...(limits && { limits }) })
  await machine.clock.until(decided.readAll())
  return { decided, machine, store }
}

test('ops are read again only as far back as they decide something that is still ahead', async () => {
  const { decided } = await decidedBy(['1', '0,3,', '2', '9'], 0)
  assert.deepEqual(
    [...Array(12).keys()].filter(half => decided.has(half)),
    [0, 1, 2, 3, 9],
  )
  assert.equal(decided.firstNeeded(0, new Map()), 0)
  assert.equal(decided.firstNeeded(2, new Map()), 1)
  assert.equal(decided.firstNeeded(4, new Map()), 3)
  assert.equal(decided.firstNeeded(4, new Map([[2, 20]])), 2)
  assert.equal(decided.firstNeeded(10, new Map()), 4)
})

test('of more blocks than are kept the lowest are, a round ends before the others, and their ops are read again', async () => {
  const { decided } = await decidedBy(['9000', '5000', '7', '12000', '8'], 0, { blocks: 1, early: 10 })
  assert.equal(decided.horizon, 4096)
  assert.ok(decided.has(7) && decided.has(8) && !decided.has(6))
  assert.equal(decided.firstNeeded(4096, new Map()), 0)
  const { decided: two } = await decidedBy(['7', '9000', '5000', '12000'], 0, { blocks: 2, early: 10 })
  assert.equal(two.horizon, 8192)
  assert.ok(two.has(5000))
  assert.equal(two.firstNeeded(8192, new Map()), 1)
})

test('first places before the round are found also when they are more than are kept in mind', async () => {
  const { decided, machine } = await decidedBy(['1', '2', '3', '50'], 10, { blocks: 4, early: 1 })
  const has = (half: number) => machine.clock.until(decided.hasFirst(half))
  assert.deepEqual([await has(1), await has(3), await has(4), await has(50)], [true, true, false, true])
  assert.equal(decided.firstNeeded(51, new Map()), 4)
  assert.equal(decided.firstNeeded(51, new Map([[3, 60]])), 0)
})

test('ops that a search for a first place passes are still read by the next round', async () => {
  const { decided, machine, store } = await decidedBy(['1', '2'], 5, { blocks: 10, early: 1 })
  await machine.put(store, [{ topic: opTopic, body: '7' }])
  assert.equal(await machine.clock.until(decided.hasFirst(3)), false)
  assert.equal(decided.firstNeeded(6, new Map()), 2)
})

test('an op that says of itself that it is far ahead in its queue is told of, and those behind it are read', async () => {
  const { machine, store } = await decidedBy(['1', '2', '3'], 0)
  const { physicalOffset } = machine.read(store, opTopic)[1]!
  await machine.clock.until(store.stop())
  machine.kill()
  const log = machine.disk.open('/store/commitlog/00000000000000000000', 'write')
  log.writeSync(Buffer.from([0, 0x0f, 0, 0]), 0, 4, physicalOffset + 24)
  log.closeSync()
  const again = await machine.boot()
  const told: number[] = []
  const decided = new DecidedHalves({
    ...{ store: again.store, clock: machine.clock, half: 0, op: 0 },
    unreadable: op => told.push(op.physicalOffset),
  })
  await machine.clock.until(decided.readAll())
  assert.deepEqual(
    [1, 2, 3].map(half => decided.has(half)),
    [true, false, true],
  )
  assert.equal(decided.nextOp, 3)
  assert.deepEqual(told, [physicalOffset])
})

test('an op that the disk does not give is told of, and those beside it are read one by one', async () => {
  const { machine, store } = await decidedBy(['1', '2', '3'], 0)
  const places = machine.read(store, opTopic).map(({ physicalOffset }) => physicalOffset)
  await machine.clock.until(store.stop())
  machine.kill()
  const again = await machine.boot()
  machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog', place: [places[1]!, places[2]!] })
  const told: number[] = []
  const decided = new DecidedHalves({
    ...{ store: again.store, clock: machine.clock, half: 0, op: 0 },
    unreadable: op => told.push(op.queueOffset),
  })
  await machine.clock.until(decided.readAll())
  assert.deepEqual(
    [1, 2, 3].map(half => decided.has(half)),
    [true, false, true],
  )
  assert.deepEqual(told, [1])
})

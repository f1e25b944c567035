import assert from 'node:assert/strict'
import { test } from 'node:test'
import { halfTopic } from '@skua-mq/protocol'
import { StoreMachine, text } from '../store-machine.ts'
import { half, transactions } from './checks-world.ts'

test('a kill at any round loses no verdict and no open transaction, and delivers nothing twice', async () => {
  const machine = new StoreMachine()
  let process = await machine.boot()
  let world = transactions(process)
  await machine.put(process.store, [half('committed'), half('open'), half('rolled back')])
  const halves = machine.read(process.store, halfTopic)
  await machine.clock.until(world.verdict(halves[0]!, 8))
  await machine.clock.until(world.verdict(halves[2]!, 12))
  for (let round = 0; round < 3; round++) {
    machine.kill()
    process = await machine.boot()
    world = transactions(process)
    await machine.clock.advanceAsync(2500)
    // After a kill before its offsets were saved a round is repeated: the open one is asked about, maybe by two copies.
    assert.deepEqual([...new Set(world.ids())], ['open'])
  }
  await machine.clock.until(world.verdict(machine.read(process.store, halfTopic).at(-1)!, 8))
  await machine.clock.advanceAsync(10_000)
  const before = world.asked.length
  await machine.clock.advanceAsync(10_000)
  assert.equal(world.asked.length, before)
  assert.deepEqual(machine.read(process.store, 'T').map(text), ['committed', 'open'])
})

test('a power cut between a check and the sync of the new copy leaves the transaction to be asked about', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const machine = new StoreMachine({}, seed)
    let process = await machine.boot()
    transactions(process, { immuneMs: 13_000 })
    await machine.put(process.store, [half('open')])
    // Synced after 10 s, asked about after 14, and passed a second later.
    await machine.clock.advanceAsync(15_500)
    machine.powerCut()
    process = await machine.boot()
    const world = transactions(process)
    await machine.clock.advanceAsync(5000)
    assert.ok(world.ids().includes('open'), `seed ${seed}`)
  }
})

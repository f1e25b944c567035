import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock, SimTurn } from '../../src/index.ts'

test('a stepped turn runs only when told', () => {
  const turn = new SimTurn()
  let ran = 0
  const slot = turn.join('write', () => ran++)
  slot.arm()
  assert.equal(ran, 0)
  assert.equal(turn.pending, true)
  turn.run()
  assert.equal(ran, 1)
  assert.equal(turn.pending, false)
})

test('runAll goes on to rest, and fails when something arms itself for ever', () => {
  const turn = new SimTurn()
  let left = 5
  const slot = turn.join('write', () => {
    if (--left > 0) slot.arm()
  })
  slot.arm()
  turn.runAll()
  assert.equal(left, 0)
  const restless = turn.join('send', () => restless.arm())
  restless.arm()
  assert.throws(() => turn.runAll(), /still armed/)
})

test('on a clock it runs at the end of the instant', () => {
  const clock = new SimClock()
  const ran: string[] = []
  const turn = new SimTurn(run => clock.after(0, run))
  const slot = turn.join('write', () => ran.push(`turn at ${clock.monotonic()}`))
  for (const name of ['a', 'b']) {
    clock.after(5, () => {
      ran.push(name)
      slot.arm()
    })
  }
  clock.advance(10)
  assert.deepEqual(ran, ['a', 'b', 'turn at 5'])
})

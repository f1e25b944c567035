import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SlotQueue } from '../src/slot-queue.ts'

function queue() {
  const ran: string[] = []
  let asked = 0
  const turn = new SlotQueue(() => asked++)
  return { turn, ran, asked: () => asked }
}

test('the phases of a turn run in their order, whatever the order of arming', () => {
  const { turn, ran } = queue()
  const slots = (['send', 'wake', 'answer', 'write'] as const).map(phase => turn.join(phase, () => ran.push(phase)))
  for (const slot of slots) slot.arm()
  turn.run()
  assert.deepEqual(ran, ['write', 'answer', 'wake', 'send'])
})

test('a slot armed many times runs once, and one turn is asked for', () => {
  const { turn, ran, asked } = queue()
  const slot = turn.join('write', () => ran.push('write'))
  const other = turn.join('send', () => ran.push('send'))
  for (let i = 0; i < 5; i++) slot.arm()
  other.arm()
  assert.equal(asked(), 1)
  turn.run()
  assert.deepEqual(ran, ['write', 'send'])
  assert.equal(asked(), 1)
})

test('a later phase armed by an earlier one runs in the same turn', () => {
  const { turn, ran, asked } = queue()
  const send = turn.join('send', () => ran.push('send'))
  const write = turn.join('write', () => {
    ran.push('write')
    send.arm()
  })
  write.arm()
  turn.run()
  assert.deepEqual(ran, ['write', 'send'])
  assert.equal(turn.pending, false)
  assert.equal(asked(), 1)
})

test('the same or an earlier phase armed by a running one waits for the next turn', () => {
  const { turn, ran, asked } = queue()
  const write = turn.join('write', () => ran.push('write'))
  const again = turn.join('answer', () => {
    ran.push('answer')
    if (ran.length < 2) {
      again.arm()
      write.arm()
    }
  })
  again.arm()
  turn.run()
  assert.deepEqual(ran, ['answer'])
  assert.equal(asked(), 2)
  turn.run()
  assert.deepEqual(ran, ['answer', 'write', 'answer'])
})

test('a slot that has left does not run, even when it was armed', () => {
  const { turn, ran } = queue()
  const slot = turn.join('write', () => ran.push('write'))
  slot.arm()
  slot.leave()
  turn.run()
  slot.arm()
  assert.equal(turn.pending, false)
  assert.deepEqual(ran, [])
})

test('what a run throws passes through and the others keep their turn', () => {
  const { turn, ran, asked } = queue()
  const broken = turn.join('write', () => {
    throw new Error('broken')
  })
  const next = turn.join('write', () => ran.push('next'))
  const later = turn.join('send', () => ran.push('send'))
  broken.arm()
  next.arm()
  later.arm()
  assert.throws(() => turn.run(), /broken/)
  assert.equal(asked(), 2)
  turn.run()
  assert.deepEqual(ran, ['next', 'send'])
})

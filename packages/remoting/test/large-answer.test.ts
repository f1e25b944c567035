import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { LargeAnswer } from '../src/index.ts'

/** An answer of so many slices of 64 KiB, each of which holds the number of the state at its making. */
function world(slices: number) {
  const clock = new SimClock()
  const state = { now: 1, made: 0, turn: 0, mostInTurn: 0 }
  let madeInTurn = 0
  const after = (ms: number, run: () => void) =>
    clock.after(ms, () => {
      state.turn++
      madeInTurn = 0
      run()
    })
  const answer = new LargeAnswer({ after }, function* () {
    for (let i = 0; i < slices; i++) {
      state.made++
      state.mostInTurn = Math.max(state.mostInTurn, ++madeInTurn)
      yield Buffer.alloc(64 * 1024, state.now)
    }
  })
  return { clock, state, answer }
}

test('a large answer is made a slice in a turn, once for all who wait for it', async () => {
  const { clock, state, answer } = world(20)
  const asked = [1, 2, 3].map(() => answer.bytes())
  const [first] = await clock.until(Promise.all(asked))
  assert.equal(first?.length, 20 * 64 * 1024)
  // The first one did not know of the others when it began.
  assert.equal(state.made, 40)
  assert.equal(state.mostInTurn, 1)
})

test('who asks while one is made gets the next one, which holds what was there when it was asked for', async () => {
  const { clock, state, answer } = world(4)
  const before = answer.bytes()
  state.now = 2
  const after = answer.bytes()
  await clock.until(before)
  assert.ok((await clock.until(after)).every(byte => byte === 2))
})

test('each gets it in a turn of its own; a small one waits for nothing', async () => {
  const { clock, state, answer } = world(1)
  const turns: number[] = []
  await clock.until(answer.bytes())
  const asked = [1, 2, 3].map(() => answer.bytes().then(() => turns.push(state.turn)))
  await clock.until(Promise.all(asked))
  assert.equal(new Set(turns).size, 3)
  const small = new LargeAnswer(clock, () => [Buffer.from('a'), Buffer.from('b')])
  assert.equal((await small.bytes()).toString(), 'ab')
})

test('one that cannot be made is told to those who asked, and the next one is tried', async () => {
  const clock = new SimClock()
  let isBroken = true
  const answer = new LargeAnswer(clock, () => {
    if (isBroken) throw new RangeError('no')
    return [Buffer.from('a')]
  })
  await assert.rejects(answer.bytes(), /no/)
  isBroken = false
  assert.equal((await answer.bytes()).toString(), 'a')
})

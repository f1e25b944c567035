import assert from 'node:assert/strict'
import { test } from 'node:test'
import { delay, SimClock } from '@skua-mq/runtime'
import { SaveSoon } from '../../src/persist/save-soon.ts'

test('nothing is written after a stop, also what was asked for while a save ran', async () => {
  const clock = new SimClock()
  let saves = 0
  const soon = new SaveSoon(clock, async () => {
    saves++
    await delay(clock, 20)
    return true
  })
  const first = soon.ask()
  const second = soon.ask()
  soon.owe()
  await clock.advanceAsync(10)
  soon.stop()
  assert.equal(await clock.until(first), true)
  assert.equal(await clock.until(second), false)
  await clock.advanceAsync(60_000)
  assert.equal(saves, 1)
})

test('changes that come during a save share the next one', async () => {
  const clock = new SimClock()
  let value = 0
  const saved: number[] = []
  const soon = new SaveSoon(clock, async () => {
    const now = value
    await delay(clock, 20)
    saved.push(now)
    return true
  })
  const asked = [1, 2, 3].map(next => {
    value = next
    return soon.ask()
  })
  assert.deepEqual(await clock.until(Promise.all(asked)), [true, true, true])
  assert.deepEqual(saved, [1, 3])
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicListBody } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { ListCache } from '../src/list-cache.ts'

function world() {
  const clock = new SimClock()
  const state = { version: 1, turns: 0, made: 0 }
  const after = (ms: number, run: () => void) => {
    state.turns++
    return clock.after(ms, run)
  }
  const cache = new ListCache({ after }, () => state.version)
  const names = (count: number) => () => {
    state.made++
    return Array.from({ length: count }, (_, i) => `topic-${i}`)
  }
  return { clock, state, cache, names }
}

test('a list of very many topics is made over many turns, once, and anew when the routes have changed', async () => {
  const { clock, state, cache, names } = world()
  const bytes = await clock.until(cache.get('all', names(100_000)))
  assert.equal(topicListBody.decode(bytes).topicList.length, 100_000)
  assert.ok(state.turns >= 10, `${state.turns} turns`)
  await cache.get('all', names(100_000))
  assert.equal(state.made, 1)
  await clock.advanceAsync(1)
  state.version++
  const again = cache.get('all', names(100_000))
  // It changes again while the list is made: what was read before that is not kept.
  state.version++
  await clock.until(again)
  await clock.until(cache.get('all', names(100_000)))
  assert.equal(state.made, 3)
})

test('names that peers make up neither fill it nor have the same list made many times at once', async () => {
  const { clock, state, cache, names } = world()
  const asked = Array.from({ length: 100 }, (_, i) => {
    const other = cache.get(`of ${i}`, names(1)).catch(() => {})
    return [cache.get('all', names(20_000)), other]
  })
  await clock.until(Promise.all(asked.flat()))
  assert.ok(state.made <= 2 + 100, `${state.made}`)
  assert.equal(topicListBody.decode(await cache.get('of 200', names(1))).topicList.length, 1)
})

test('a name that no cluster has is not kept, however often it is asked for', async () => {
  const { clock, state, cache, names } = world()
  for (const [name, made] of [
    [`of ${'c'.repeat(200)}`, 1],
    [`of ${'c'.repeat(1_000_000)}`, 3],
  ] as const) {
    state.made = 0
    for (let n = 0; n < 3; n++) await clock.until(cache.get(name, names(10)))
    assert.equal(state.made, made)
  }
})

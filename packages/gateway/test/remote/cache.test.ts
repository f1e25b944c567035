import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetError, SimClock } from '@skua-mq/runtime'
import { Refused } from '../../src/refused.ts'
import { Cache } from '../../src/remote/cache.ts'
import { Code } from '../../src/v2/code.ts'

function setting() {
  const clock = new SimClock()
  const cache = new Cache<string>({ clock, keepMs: 20_000, most: 3 })
  let asked = 0
  let answer: () => Promise<string> = async () => 'one'
  const load = () => {
    asked++
    return answer()
  }
  return {
    ...{ clock, cache },
    get: () => cache.get('key', load),
    asked: () => asked,
    answers: (next: () => Promise<string>) => {
      answer = next
    },
  }
}

const away = async () => {
  throw new NetError('ETIMEOUT', 'no name server')
}

test('what is known is believed for as long as nobody can be asked', async () => {
  const { clock, get, answers } = setting()
  assert.equal(await get(), 'one')
  answers(away)
  for (let i = 0; i < 100; i++) {
    await clock.advanceAsync(7000)
    assert.equal(await get(), 'one')
  }
  await clock.advanceAsync(1_000_000)
  assert.equal(await get(), 'one')
  answers(async () => 'two')
  await clock.advanceAsync(1_000_000)
  assert.equal(await get(), 'two')
})

test('nobody waits for a name server that does not answer, if he knows his way', async () => {
  const { clock, get, answers, asked } = setting()
  await get()
  answers(() => new Promise(() => {}))
  await clock.advanceAsync(25_000)
  assert.equal(await get(), 'one')
  assert.equal(await get(), 'one')
  assert.equal(asked(), 2)
})

test('what is refused is forgotten, and a first failure too', async () => {
  const { clock, get, answers } = setting()
  answers(away)
  await assert.rejects(get(), /no name server/)
  answers(async () => 'one')
  assert.equal(await get(), 'one')
  answers(async () => {
    throw new Refused(Code.topicNotFound, 'deleted')
  })
  await clock.advanceAsync(50_000)
  await assert.rejects(get(), /deleted/)
  await assert.rejects(get(), /deleted/)
})

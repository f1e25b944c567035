import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { liveThrough } from './year.ts'

const seed = Number(process.env.SKUA_SEED ?? 1)

test(`a year is over in less than 10 s, and the same for seed ${seed}`, async t => {
  const took: number[] = []
  const live = async () => {
    const began = performance.now()
    const year = await liveThrough(365, seed)
    took.push(Math.round(performance.now() - began))
    return year
  }
  const year = await live()
  assert.deepEqual(await live(), year)
  t.diagnostic(`${year.sent} messages, ${year.failures} failures; ${took.join(' and ')} ms`)
  assert.ok(Math.min(...took) < 10_000, `${took}`)
})

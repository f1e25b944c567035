import assert from 'node:assert/strict'
import process from 'node:process'
import { test } from 'node:test'
import { liveThrough } from './year.ts'

const seed = Number(process.env.SKUA_SEED ?? 1)

test(`a year is the same for seed ${seed}, and says how long it took`, async t => {
  const took: number[] = []
  const live = async () => {
    const began = performance.now()
    const year = await liveThrough(365, seed)
    took.push(Math.round(performance.now() - began))
    return year
  }
  const year = await live()
  assert.deepEqual(await live(), year)
  // A figure, and no bound: the machine may have others to serve.
  t.diagnostic(`${year.sent} messages, ${year.failures} failures; ${took.join(' and ')} ms`)
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { simRuntime } from '@skua-mq/runtime'
import { Answers } from '../../src/append/answers.ts'
import { SlotPool } from '../../src/append/put-slot.ts'

/** Answers, and slaves that are as the test says. */
function answering() {
  const runtime = simRuntime({ seed: 1 })
  const confirmed: (() => void)[] = []
  const faltered: (() => void)[] = []
  const replicas = {
    available: true,
    confirmedOffset: 0,
    onConfirmed: (run: () => void) => confirmed.push(run),
    onFaltered: (run: () => void) => faltered.push(run),
  }
  const pool = new SlotPool()
  const answers = new Answers({ ...runtime, pool, replicas })
  answers.start(0)
  const answered: string[] = []
  const add = (end: number, { needsSync = false } = {}) => {
    const slot = pool.take()
    Object.assign(slot, { end, needsSlave: true, needsSync, syncDeadline: 5000, slaveDeadline: 3000 })
    slot.result.status = 'ok'
    slot.waiter = { stored: ({ status }) => answered.push(`${end} ${status}`) }
    answers.add(slot)
  }
  const falter = () => {
    replicas.available = false
    for (const run of faltered) run()
  }
  return { ...runtime, answers, replicas, answered, add, falter }
}

describe('appends that wait for a slave', () => {
  test('are called unavailable when none is left, unless it had them', async () => {
    const { clock, replicas, answered, add, falter } = answering()
    add(100)
    add(200)
    replicas.confirmedOffset = 100
    falter()
    await clock.advanceAsync(1)
    assert.deepEqual(answered, ['100 ok', '200 slaveNotAvailable'])
  })

  test('still wait for the disk', async () => {
    const { clock, answers, answered, add, falter } = answering()
    add(100, { needsSync: true })
    falter()
    await clock.advanceAsync(1)
    assert.deepEqual(answered, [])
    answers.synced(100)
    await clock.advanceAsync(1)
    assert.deepEqual(answered, ['100 slaveNotAvailable'])
  })

  test('are not waited for that were taken before the last slave went and written behind it', async () => {
    const { clock, answered, add, falter } = answering()
    falter()
    add(100)
    await clock.advanceAsync(1)
    assert.deepEqual(answered, ['100 slaveNotAvailable'])
  })
})

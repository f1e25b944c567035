import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventHub, SimClock } from '@skua-mq/runtime'
import { FilterProcesses } from '../../src/filter-server/filter-processes.ts'

/** Starts nothing: a process is what a test ends by hand. */
function scripted(count: number) {
  const clock = new SimClock()
  const events = new EventHub()
  const pauses: number[] = []
  events.subscribe(event => pauses.push(Number(event.fields['againInMs'])))
  const alive = new Set<() => void>()
  let starts = 0
  const machine = { refuses: false }
  const processes = new FilterProcesses({
    clock,
    events,
    count,
    plan: { brokerAddr: 'b:1', bindAddress: '0.0.0.0', callTimeoutMs: 1, memoryBytes: 1 },
    startProcess: () => {
      if (machine.refuses) throw new Error('spawn ENOMEM')
      starts++
      let told = (_why: string): void => undefined
      const end = () => {
        alive.delete(end)
        told('exit code 1')
      }
      alive.add(end)
      return {
        onEnd: run => {
          told = run
        },
        stop: async () => end(),
      }
    },
  })
  const endOne = () => [...alive][0]?.()
  return { clock, processes, pauses, alive, machine, endOne, starts: () => starts }
}

test('as many filter servers run as are configured, none where none is', async () => {
  for (const count of [0, 3]) {
    const { processes, alive } = scripted(count)
    await processes.start()
    assert.equal(alive.size, count)
    await processes.stop()
    assert.equal(alive.size, 0)
  }
})

test('one that keeps ending is started again ever later, at most after 30 s, and soon again once it has lived a minute', async () => {
  const { clock, processes, pauses, alive, endOne, starts } = scripted(1)
  await processes.start()
  for (let i = 0; i < 7; i++) {
    endOne()
    clock.advance((pauses.at(-1) ?? 0) - 1)
    assert.equal(alive.size, 0)
    clock.advance(1)
    assert.equal(alive.size, 1)
  }
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  clock.advance(60_000)
  endOne()
  assert.equal(pauses.at(-1), 1000)
  assert.equal(starts(), 8)
})

test('one that ends with its broker, or waits to be started then, is not started again', async () => {
  const { clock, processes, alive, endOne, starts } = scripted(2)
  await processes.start()
  endOne()
  await processes.stop()
  clock.advance(120_000)
  assert.equal(alive.size, 0)
  assert.equal(starts(), 2)
})

test('one that cannot be started again for now is tried again, and costs the broker nothing', async () => {
  const { clock, processes, machine, alive, endOne, pauses } = scripted(1)
  await processes.start()
  machine.refuses = true
  endOne()
  clock.advance(3000)
  assert.deepEqual([alive.size, pauses], [0, [1000, 2000, 4000]])
  machine.refuses = false
  clock.advance(4000)
  assert.equal(alive.size, 1)
  endOne()
  machine.refuses = true
  await processes.stop()
  clock.advance(60_000)
  assert.equal(alive.size, 0)
})

import assert from 'node:assert/strict'
import { stat } from 'node:fs'
import { describe, test } from 'node:test'
import { EventHub, NodeClock } from '@skua-mq/runtime'
import { LeaseGuard } from '../../src/election/lease-guard.ts'

/** A guard by the machine's clock, and the seams that it is given: what it holds, and what is called before each message. */
function guarded({ others = 1, waitsForOthers = false } = {}) {
  const seen = { isHeld: false, ask: undefined as (() => void) | undefined }
  const clock = new NodeClock()
  const guard = new LeaseGuard({
    ...{ clock, events: new EventHub(), waitsForOthers, others: () => others },
    progress: { available: false },
    hold: () => {
      seen.isHeld = true
      return () => {
        seen.isHeld = false
      }
    },
    beforeAppends: run => {
      seen.ask = run
    },
  })
  return { guard, seen, clock }
}

const turn = () => new Promise<void>(resolve => setImmediate(resolve))
/** Where what comes from the network is read. */
const polled = () => new Promise<void>(resolve => stat('.', () => resolve()))
const standStill = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe('the lease of a master', () => {
  test('nothing is taken behind its end, also where the timer has run early', async () => {
    const all = Array.from({ length: 100 }, () => guarded())
    for (const [i, { guard, clock }] of all.entries()) guard.confirmed(clock.monotonic() + 30 + i / 7)
    await new Promise(resolve => setTimeout(resolve, 120))
    assert.equal(all.filter(({ seen }) => !seen.isHeld).length, 0)
    for (const { guard } of all) guard.stop()
  })

  test('of a process that stood still until it had ended nothing is taken that is read before its timers run', async () => {
    const { guard, seen, clock } = guarded()
    guard.confirmed(clock.monotonic() + 50)
    await polled()
    standStill(100)
    // What came meanwhile is read here.
    await turn()
    seen.ask?.()
    assert.ok(seen.isHeld)
    guard.stop()
    assert.equal(seen.ask, undefined)
  })

  test('where nobody else could hold it, it does not end', async () => {
    const { guard, seen, clock } = guarded({ others: 0 })
    guard.confirmed(clock.monotonic() - 1)
    seen.ask?.()
    assert.equal(seen.isHeld, false)
    guard.stop()
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PullView } from '@skua-mq/protocol'
import type { ReplyToken } from '@skua-mq/remoting'
import { endedAtOnce, type HeldPull, HeldPulls } from '../../src/pull/held-pulls.ts'
import { Wakes, wokenAtOnce } from '../../src/pull/wakes.ts'

/** Pulls that are held for the queues of T, and turns that the test steps. */
function world({ queues, each }: { queues: number; each: number }) {
  const timers: (() => void)[] = []
  const state = { holdsAgain: false, now: 0, scan: () => {} }
  const clock = {
    now: () => 0,
    monotonic: () => state.now,
    after: (ms: number, run: () => void) => {
      if (ms === 0) timers.push(run)
      else state.scan = run
      return { cancel: () => {} }
    },
  }
  const limits = { maxHeldPulls: 1_000_000, maxHeldPullsPerConnection: 1_000_000 }
  const woken: HeldPull[] = []
  const held = new HeldPulls(clock, pull => woken.push(pull), limits)
  const wakes = new Wakes({
    ...{ held, clock },
    wake: pull => {
      woken.push(pull)
      if (state.holdsAgain) held.hold(pull)
    },
  })
  const untilMs = 1
  for (let i = 0; i < queues * each; i++) {
    const view = Object.assign(new PullView(), { topic: 'T', queueId: i % queues, opaque: i })
    const connection = { account: { held: 0, heldBytes: 0 } }
    const token = { open: true, rest: () => {}, rise: () => {}, connection } as unknown as ReplyToken
    held.hold({ view, token, filter: undefined, passedTo: 0, untilMs })
  }
  const turn = () => {
    const before = woken.length
    for (const run of timers.splice(0)) run()
    return woken.length - before
  }
  return { held, wakes, woken, state, turn }
}

test('of thousands that wait for one queue, a message wakes some in a turn, and each of them once', () => {
  for (const holdsAgain of [false, true]) {
    const { held, wakes, woken, state, turn } = world({ queues: 1, each: 3 * wokenAtOnce + 7 })
    state.holdsAgain = holdsAgain
    wakes.arrived('T', 0)
    assert.equal(woken.length, wokenAtOnce)
    assert.equal(held.size, holdsAgain ? 3 * wokenAtOnce + 7 : 2 * wokenAtOnce + 7)
    assert.deepEqual([turn(), turn(), turn(), turn()], [wokenAtOnce, wokenAtOnce, 7, 0])
    assert.deepEqual(
      woken.map(pull => pull.view.opaque),
      woken.map((_, i) => i),
    )
  }
})

test('messages of many queues wake little more in a turn, and those that come meanwhile are not lost', () => {
  const { held, wakes, woken, turn } = world({ queues: 300, each: 10 })
  for (let queueId = 0; queueId < 300; queueId++) wakes.arrived('T', queueId)
  assert.ok(woken.length <= 2 * wokenAtOnce, String(woken.length))
  held.hold(woken[0] as HeldPull)
  wakes.arrived('T', 0)
  for (let one = turn(); one > 0; one = turn()) assert.ok(one <= wokenAtOnce, String(one))
  assert.equal(woken.length, 3001)
  assert.equal(held.size, 0)
})

test('thousands whose time is over together are answered some in a turn, and so are those of a deleted topic', () => {
  for (const isDeleted of [false, true]) {
    const { held, woken, state, turn } = world({ queues: 2, each: endedAtOnce })
    state.now = isDeleted ? 0 : 1
    if (isDeleted) held.expireTopic('T')
    else state.scan()
    assert.equal(woken.length, endedAtOnce)
    assert.equal(held.size, endedAtOnce)
    assert.deepEqual([turn(), turn()], [endedAtOnce, 0])
    assert.equal(held.size, 0)
  }
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Command } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { PendingCalls } from '../src/pending-calls.ts'

const reply = (opaque: number, remark?: string): Command => ({
  code: 0,
  language: 0,
  version: 409,
  opaque,
  flag: 1,
  remark,
  extFields: {},
  form: 0,
})

/** What became of a promise so far. */
function watch<T>(promise: Promise<T>) {
  const seen: { value?: T; error?: Error } = {}
  promise.then(
    value => {
      seen.value = value
    },
    error => {
      seen.error = error as Error
    },
  )
  return seen
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve))

describe('opaques', () => {
  test('begin at 1, since ali-ons takes 0 for a missing one, and begin again before they leave 31 bits', () => {
    const calls = new PendingCalls(new SimClock(), 10)
    assert.deepEqual([calls.nextOpaque(), calls.nextOpaque(), calls.nextOpaque()], [1, 2, 3])
    Object.assign(calls, { last: 0x7fff_fffd })
    assert.deepEqual([calls.nextOpaque(), calls.nextOpaque(), calls.nextOpaque()], [0x7fff_fffe, 1, 2])
  })
})

describe('a call', () => {
  test('gets the reply of its own opaque, whatever comes first', async () => {
    const calls = new PendingCalls(new SimClock(), 10)
    const [first, second] = [watch(calls.wait(1, 1000)), watch(calls.wait(2, 1000))]
    assert.equal(calls.settle(reply(2, 'second')), true)
    await settled()
    assert.deepEqual([first.value, second.value?.remark], [undefined, 'second'])
    assert.equal(calls.settle(reply(1, 'first')), true)
    await settled()
    assert.equal(first.value?.remark, 'first')
  })

  test('that is settled, aborted, or over is forgotten: a second reply is nobody’s', async () => {
    const clock = new SimClock()
    const calls = new PendingCalls(clock, 10)
    const abort = new AbortController()
    const seen = [
      watch(calls.wait(1, 1000)),
      watch(calls.wait(2, 1000, abort.signal)),
      watch(calls.wait(3, 10)),
    ] as const
    calls.settle(reply(1))
    abort.abort(new Error('no longer wanted'))
    clock.advance(100)
    await settled()
    assert.deepEqual(
      seen.map(({ value, error }) => value?.opaque ?? error?.message),
      [1, 'no longer wanted', 'no reply within 10 ms'],
    )
    assert.deepEqual(
      [1, 2, 3, 4].map(opaque => calls.settle(reply(opaque))),
      [false, false, false, false],
    )
    assert.equal(calls.size, 0)
  })

  test('is not over before its time, and at most 50 ms behind it, however many there are', async () => {
    const clock = new SimClock()
    const calls = new PendingCalls(clock, 2000)
    const times = Array.from({ length: 1000 }, (_, n) => 10 + ((n * 37) % 900))
    const overAt: number[] = []
    const waits = times.map((ms, n) =>
      calls.wait(n + 1, ms).catch(error => {
        assert.equal((error as { code?: string }).code, 'ETIMEOUT')
        overAt[n] = clock.monotonic()
      }),
    )
    for (let ms = 0; ms < 1200; ms += 5) await clock.advanceAsync(5)
    await Promise.all(waits)
    for (const [n, ms] of times.entries()) {
      assert.ok(overAt[n]! >= ms, `${n} was over after ${overAt[n]} ms instead of ${ms}`)
      assert.ok(overAt[n]! <= ms + 55, `${n} was over after ${overAt[n]} ms instead of ${ms}`)
    }
  })

  test('of a long time is over in time though a short one armed the timer, and the other way round', async () => {
    for (const order of [
      [5000, 20],
      [20, 5000],
    ]) {
      const clock = new SimClock()
      const calls = new PendingCalls(clock, 10)
      const seen = order.map((ms, n) => watch(calls.wait(n, ms)))
      await clock.advanceAsync(100)
      assert.equal(seen[order.indexOf(20)]!.error?.message, 'no reply within 20 ms')
      assert.equal(seen[order.indexOf(5000)]!.error, undefined)
      await clock.advanceAsync(4800)
      assert.equal(seen[order.indexOf(5000)]!.error, undefined)
      await clock.advanceAsync(200)
      assert.equal(seen[order.indexOf(5000)]!.error?.message, 'no reply within 5000 ms')
    }
  })

  test('leaves no listener at a signal that outlives it', async () => {
    const calls = new PendingCalls(new SimClock(), 100)
    const { signal } = new AbortController()
    let listeners = 0
    const counted = new Proxy(signal, {
      get(target, key) {
        if (key === 'addEventListener') return () => listeners++
        if (key === 'removeEventListener') return () => listeners--
        return Reflect.get(target, key, target)
      },
    })
    const waits = [1, 2, 3].map(opaque => calls.wait(opaque, 1000, counted))
    assert.equal(listeners, 3)
    calls.settle(reply(1))
    await waits[0]
    assert.equal(listeners, 2)
    calls.failAll(() => new Error('gone'))
    await Promise.allSettled(waits)
    assert.equal(listeners, 0)
  })
})

describe('a connection that ends', () => {
  test('fails all calls with one error, which is made only where somebody waits', async () => {
    const calls = new PendingCalls(new SimClock(), 10)
    let made = 0
    const errorOf = () => {
      made++
      return new Error(`gone ${made}`)
    }
    calls.failAll(errorOf)
    assert.equal(made, 0)
    const seen = [watch(calls.wait(1, 1000)), watch(calls.wait(2, 1000))]
    calls.failAll(errorOf)
    await settled()
    assert.equal(made, 1)
    assert.deepEqual(
      seen.map(({ error }) => error?.message),
      ['gone 1', 'gone 1'],
    )
  })

  test('leaves no timer behind, nor does the last reply', () => {
    const clock = new SimClock()
    const calls = new PendingCalls(clock, 10)
    calls.wait(1, 1000).catch(() => {})
    assert.notEqual(clock.nextInMs, undefined)
    calls.failAll(() => new Error('gone'))
    assert.equal(clock.nextInMs, undefined)
    calls.wait(2, 1000).catch(() => {})
    calls.wait(3, 1000).catch(() => {})
    calls.settle(reply(2))
    assert.notEqual(clock.nextInMs, undefined)
    calls.settle(reply(3))
    assert.equal(clock.nextInMs, undefined)
  })

  test('takes with it whoever asks again while its calls fail', async () => {
    const calls = new PendingCalls(new SimClock(), 2)
    const again: Promise<Command>[] = []
    const first = calls.wait(1, 1000).catch(() => {
      again.push(calls.wait(2, 1000))
    })
    calls.failAll(() => new Error('gone'))
    await first
    assert.equal(calls.size, 1)
    calls.failAll(() => new Error('gone again'))
    await assert.rejects(again[0]!, /gone again/)
  })
})

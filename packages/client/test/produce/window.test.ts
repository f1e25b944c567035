import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SendWindow } from '../../src/produce/window.ts'

test('who comes when the window is full waits, in order, until room is given back', async () => {
  const window = new SendWindow({ maxInFlight: 1, maxInFlightBytes: 100 })
  const first = window.enter(10) as () => void
  const order: string[] = []
  const entered = async (name: string) => {
    const leave = await window.enter(1)
    order.push(name)
    return leave
  }
  const second = entered('second')
  const third = entered('third')
  assert.equal(window.inFlight, 1)
  first()
  first()
  const leave = await second
  assert.deepEqual([order, window.inFlight], [['second'], 1])
  leave()
  ;(await third)()
  assert.equal(window.inFlight, 0)
})

test('bytes bound the window, too, and a single larger message passes alone', () => {
  const window = new SendWindow({ maxInFlight: 10, maxInFlightBytes: 100 })
  const large = window.enter(500)
  assert.equal(typeof large, 'function')
  assert.ok(window.enter(1) instanceof Promise)
})

test('an aborted wait does not hold up those behind it', async () => {
  const window = new SendWindow({ maxInFlight: 1, maxInFlightBytes: 100 })
  const leave = window.enter(1) as () => void
  const abort = new AbortController()
  const gone = window.enter(1, abort.signal) as Promise<() => void>
  const next = window.enter(1) as Promise<() => void>
  abort.abort(new Error('enough'))
  await assert.rejects(gone, /enough/)
  leave()
  assert.equal(typeof (await next), 'function')
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unitBytes, unitPhysicalOffset } from '../../src/consume-queue/unit.ts'
import { type UnitWindow, UnitWindows } from '../../src/read/unit-windows.ts'
import { BareStore } from '../bare-store.ts'
import { draftOf, message, Outcomes } from '../harness.ts'

/** Queues of 20 messages each. */
function queuesOf(count: number) {
  const at = new BareStore({})
  for (let i = 0; i < 20; i++)
    for (let queue = 0; queue < count; queue++)
      at.parts.appender.append(draftOf(message(`T${queue}`, 'x')), new Outcomes())
  at.turn.run()
  return { at, queues: Array.from({ length: count }, (_, i) => at.queue(`T${i}`)!) }
}

const offsetsIn = ({ bytes, count }: UnitWindow) =>
  Array.from({ length: count }, (_, i) => unitPhysicalOffset(bytes, i * unitBytes))

test('a window that somebody looks into keeps its bytes, whatever is read meanwhile; else they are used again', async () => {
  const { queues } = queuesOf(80)
  const windows = new UnitWindows()
  const pinned = (await windows.load(queues[0]!, 3))!
  const before = offsetsIn(pinned)
  assert.equal(before.length, 17)
  const buffers = new Set<Buffer>()
  for (let round = 0; round < 20; round++)
    for (const queue of queues) {
      const window = (await windows.load(queue, round))!
      assert.equal(window.count, 20 - round)
      buffers.add(window.bytes)
      windows.release(window)
    }
  assert.deepEqual(offsetsIn(pinned), before, 'a window that is pinned')
  assert.ok(!buffers.has(pinned.bytes), 'the buffer of a window that is pinned')
  assert.ok(buffers.size <= 64 + 8 + 1, `${buffers.size} buffers for 1,600 windows`)
})

test('a read that finds nothing gives its buffer back', async () => {
  const { at, queues } = queuesOf(1)
  const windows = new UnitWindows()
  const queue = queues[0]!
  const first = (await windows.load(queue, 0))!
  windows.release(first)
  // It takes a buffer of its own, and the one of the window before is free then.
  const second = (await windows.load(queue, 1))!
  for (let i = 0; i < 5; i++) assert.equal(await windows.load(queue, 20), undefined)
  assert.equal(windows.find(queue, 1, 19), second)
  const third = (await windows.load(queue, 2))!
  assert.equal(third.bytes, first.bytes)
  assert.notEqual(second.bytes, third.bytes)
  assert.equal(at.parts.health.refusing, undefined)
})

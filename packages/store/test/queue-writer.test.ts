import assert from 'node:assert/strict'
import test from 'node:test'
import { QueueWriter } from '../src/consume-queue/queue-writer.ts'
import { BareStore } from './bare-store.ts'
import { draftOf, message, Outcomes } from './harness.ts'

test('queues are written for a few milliseconds at a time, however many are dirty and however slow each is', () => {
  const { parts, turn } = new BareStore({})
  for (let i = 0; i < 40; i++) parts.appender.append(draftOf(message(`T${i}`, 'x')), new Outcomes())
  turn.run()
  assert.equal(parts.queues.dirty.length, 40)
  // Each look at the clock takes a millisecond, and there is one behind each queue.
  let ms = 0
  const writer = new QueueWriter(parts.queues, { monotonic: () => ms++ })
  writer.begin()
  let steps = 1
  while (!writer.step()) steps++
  assert.equal(steps, 8)
  for (const queue of parts.queues.all()) assert.equal(queue.writtenOffset, 1, queue.topic)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetchRecords, maxFetchedBytes } from '../../src/timer/record-fetch.ts'
import type { DueTimer } from '../../src/timer/slot-schedule.ts'

/** A log in which each byte says where it lies, and how much was read of it at once at most. */
function logOf() {
  const reads: number[] = []
  const readLog = async (from: number, length: number) => {
    reads.push(length)
    return Buffer.alloc(length, from % 251)
  }
  return { reads, readLog }
}

function timersOf(sizes: readonly number[], gap = 0): DueTimer[] {
  let at = 0
  return sizes.map((size, position) => {
    const physicalOffset = at
    at += size + gap
    const unit = { previous: -1, magic: 1, writtenAtMs: 0, slotMs: 0, physicalOffset, size, topicHash: 0, withinMs: 0 }
    return { unit, position, dueMs: 0 }
  })
}

const bytesOf = (timers: readonly DueTimer[]) => timers.reduce((sum, { record }) => sum + (record?.length ?? 0), 0)

test('of the messages of a slot no more than maxFetchedBytes are read before they are due', async () => {
  const timers = timersOf(Array.from({ length: 30 }, () => 1024 * 1024))
  await fetchRecords(logOf(), timers)
  assert.equal(bytesOf(timers), maxFetchedBytes)
})

test('neighbours are read together in pieces, each message keeps its own bytes only', async () => {
  const log = logOf()
  const timers = timersOf(Array.from({ length: 2000 }, () => 200))
  await fetchRecords(log, timers)
  assert.ok(log.reads.length < 5 && Math.max(...log.reads) <= 256 * 1024, `${log.reads}`)
  for (const { record, unit } of timers)
    assert.deepEqual(
      [record?.length, record?.buffer.byteLength === unit.size || record!.buffer.byteLength < 64 * 1024],
      [200, true],
    )
})

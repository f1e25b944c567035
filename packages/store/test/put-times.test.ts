import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PutTimes } from '../src/append/put-times.ts'
import { message, open, put, world } from './harness.ts'

test('times are counted in the classes of RocketMQ, by messages', () => {
  const times = new PutTimes()
  for (const ms of [0, 0.9, 1, 9.9, 10, 49, 50, 999, 1000, 4999, 5000, 9999, 10_000, 1e9]) times.add(ms, 2)
  assert.equal(
    times.toString(),
    '[<=0ms]:4 [0~10ms]:4 [10~50ms]:4 [50~100ms]:2 [100~200ms]:0 [200~500ms]:0 [500ms~1s]:2 [1~2s]:2 [2~3s]:0 [3~4s]:0 [4~5s]:2 [5~10s]:4 [10s~]:4 ',
  )
})

test('says in how many ms a share of the messages was written', () => {
  const times = new PutTimes()
  assert.equal(times.within(0.99), 0)
  times.add(0.4, 98)
  times.add(7, 1)
  times.add(170, 1)
  assert.deepEqual([times.within(0.98), times.within(0.99), times.within(0.999), times.mostMs], [0, 10, 170, 170])
})

test('a slow write counts for each message of its turn', async () => {
  const at = world()
  const opened = await open(at)
  at.disk.faults.slow({ on: 'write', ms: 120, path: 'commitlog' })
  put(opened, message('T', 'a'), message('T', 'b'))
  assert.match(opened.store.putTimes, /\[100~200ms\]:2 /)
})

test('messages and bytes are counted, whoever puts them', async () => {
  const opened = await open(world())
  const results = put(opened, message('T', 'a'), message('%DLQ%g', 'b'))
  const bytes = results.reduce((sum, { size }) => sum + size, 0)
  assert.deepEqual([opened.store.puts.messages, opened.store.puts.bytes], [2, bytes])
})

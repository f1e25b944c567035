import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pullMessage } from '@skua-mq/protocol'
import { every } from '@skua-mq/runtime'
import { type Peer, World } from '../world.ts'

const stallMs = 20_000

/** Time from a heartbeat to its answer: the loop stood still no longer than that. */
async function beatMs(world: World, peer: Peer): Promise<number> {
  const begun = world.runtime.clock.monotonic()
  const reply = await peer.consume('watchers', ['T'])
  assert.equal(reply.code, 0)
  return world.runtime.clock.monotonic() - begun
}

async function longestStall(world: World, peer: Peer, forMs: number): Promise<number> {
  let longest = 0
  // A promise may settle an instant after the timer that caused it; without others the clock would jump to the next one.
  const ticks = every(world.runtime.clock, 1, () => {})
  const end = world.runtime.clock.monotonic() + forMs
  while (world.runtime.clock.monotonic() < end) {
    longest = Math.max(longest, await beatMs(world, peer))
    await world.pass(100)
  }
  ticks.cancel()
  return longest
}

async function pulled(peer: Peer): Promise<number> {
  const header = { consumerGroup: 'watchers', topic: 'T', queueId: 0, queueOffset: 0, maxMsgNums: 32, sysFlag: 0 }
  const reply = await peer.ask(pullMessage, { ...header, commitOffset: 0, suspendTimeoutMillis: 0, subVersion: 1 })
  return reply.code
}

test('under ASYNC_FLUSH a disk that stalls delays nobody, and sends are refused when too much is dirty', async t => {
  const world = await new World({ flushDirtyBytes: 10_000, maxDirtyBytes: 100_000 }).start()
  const [producer, watcher] = [world.client('producer'), world.client('watcher')]
  assert.equal((await producer.send('T', 'before')).code, 0)
  await beatMs(world, watcher)
  const recovered = world.runtime.disk.faults.slow({ on: 'sync', ms: stallMs, path: 'commitlog' })
  let sent = 0
  let last = await producer.send('T', 'x'.repeat(5000))
  while (last.code === 0 && sent++ < 100) {
    const begun = world.runtime.clock.monotonic()
    last = await producer.send('T', 'x'.repeat(5000))
    assert.ok(world.runtime.clock.monotonic() - begun < 10, 'a send does not wait for the disk')
  }
  assert.ok(sent >= 15 && sent <= 21, `${sent} sends before the limit`)
  assert.equal(last.code, 2)
  assert.match(
    last.remark ?? '',
    /wait for the disk, an fdatasync of it has taken \d+ ms so far; maxDirtyBytes is 100000/,
  )
  const longest = await longestStall(world, watcher, 5000)
  t.diagnostic(`longest loop stall: ${longest} ms`)
  assert.ok(longest < 10)
  assert.equal(await pulled(watcher), 0)
  recovered()
  await world.pass(stallMs + 1000)
  assert.equal((await producer.send('T', 'after')).code, 0)
  await world.stop()
})

test('under SYNC_FLUSH a send is told that the disk was too slow, and everybody else goes on', async t => {
  const world = await new World({ flushDiskType: 'SYNC_FLUSH', syncFlushTimeout: 5000 }).start()
  const [producer, watcher] = [world.client('producer'), world.client('watcher')]
  assert.equal((await producer.send('T', 'before')).code, 0)
  await beatMs(world, watcher)
  const recovered = world.runtime.disk.faults.slow({ on: 'sync', ms: stallMs, path: 'commitlog' })
  const begun = world.runtime.clock.monotonic()
  const slow = producer.send('T', 'slow')
  const longest = await longestStall(world, watcher, 4000)
  t.diagnostic(`longest loop stall: ${longest} ms`)
  assert.ok(longest < 10)
  assert.equal((await slow).code, 10)
  const waitedMs = world.runtime.clock.monotonic() - begun
  assert.ok(waitedMs >= 5000 && waitedMs < 5200, `FLUSH_DISK_TIMEOUT after ${waitedMs} ms`)
  assert.equal((await producer.send('T', 'not waited for', { properties: { WAIT: 'false' } })).code, 0)
  assert.equal(await pulled(watcher), 0)
  recovered()
  await world.pass(stallMs)
  assert.equal((await producer.send('T', 'after')).code, 0)
  await world.stop()
})

test('a write that blocks stops the loop no longer than it takes', async t => {
  const world = await new World().start()
  const [producer, watcher] = [world.client('producer'), world.client('watcher')]
  assert.equal((await producer.send('T', 'before')).code, 0)
  await beatMs(world, watcher)
  world.runtime.disk.faults.slow({ on: 'write', ms: 250, path: 'commitlog' })
  const sending = Promise.all(Array.from({ length: 10 }, (_, i) => producer.send('T', `blocked ${i}`)))
  const longest = await longestStall(world, watcher, 2000)
  for (const { code } of await sending) assert.equal(code, 0)
  t.diagnostic(`longest loop stall: ${longest} ms`)
  assert.ok(longest <= 2 * 250 + 10, 'the sends of a turn are one write')
  await world.stop()
})

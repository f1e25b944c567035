import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimClock } from '@skua-mq/runtime'
import { FileIdempotentStore } from '../../src/idempotent/file-store.ts'
import { idempotent } from '../../src/idempotent/idempotent.ts'
import { MemoryIdempotentStore } from '../../src/idempotent/memory-store.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'

const message = (msgId: string) => ({ msgId }) as ReceivedMessage
const context = { ackIndex: 0 } as never

test('a message that was handled is acknowledged and not handled again', async () => {
  let runs = 0
  const handler = idempotent({ store: new MemoryIdempotentStore({ clock: new SimClock() }) }, async () => void runs++)
  for (const id of ['a', 'a', 'b']) assert.equal(await handler(message(id), context), undefined)
  assert.equal(runs, 2)
})

test('a handler that failed runs again', async () => {
  let runs = 0
  const handler = idempotent({ store: new MemoryIdempotentStore({ clock: new SimClock() }) }, async () => {
    runs++
    if (runs === 1) throw new Error('down')
    return runs === 2 ? 'RECONSUME_LATER' : undefined
  })
  await assert.rejects(async () => handler(message('a'), context), /down/)
  assert.equal(await handler(message('a'), context), 'RECONSUME_LATER')
  assert.equal(await handler(message('a'), context), undefined)
  assert.equal(runs, 3)
})

test('a second copy waits while the first one runs', async () => {
  let finish = () => {}
  const running = new Promise<void>(resolve => {
    finish = resolve
  })
  const handler = idempotent({ store: new MemoryIdempotentStore({ clock: new SimClock() }) }, () => running)
  const first = handler(message('a'), context)
  assert.equal(await handler(message('a'), context), 'RECONSUME_LATER')
  finish()
  await first
})

test('memory is bounded by number and age', async () => {
  const clock = new SimClock()
  const store = new MemoryIdempotentStore({ clock, maxKeys: 2, ttlMs: 1_000 })
  for (const key of ['a', 'b', 'c']) {
    await store.begin(key)
    await store.done(key)
  }
  assert.equal(await store.begin('a'), 'new')
  assert.equal(await store.begin('c'), 'done')
  clock.advance(1_001)
  assert.equal(await store.begin('b'), 'new')
})

test('a file remembers over a restart, also when its last line is torn', async () => {
  const disk = new MemoryDisk()
  const options = { disk, clock: new SimClock() }
  const store = new FileIdempotentStore('/keys', options)
  for (const key of ['a', 'b']) {
    assert.equal(await store.begin(key), 'new')
    await store.done(key)
  }
  store.close()
  const text = disk.readFile('/keys').toString()
  disk.writeFile('/keys', Buffer.from(text.slice(0, -1)))
  const again = new FileIdempotentStore('/keys', options)
  assert.equal(await again.begin('a'), 'done')
  assert.equal(await again.begin('b'), 'new')
  await again.done('b')
  again.close()
  assert.equal(await new FileIdempotentStore('/keys', options).begin('b'), 'done')
})

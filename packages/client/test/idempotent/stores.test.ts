import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MemoryDisk, SimClock, simRuntime } from '@skua-mq/runtime'
import fc from 'fast-check'
import type { ConsumeContext } from '../../src/consume/handler.ts'
import { FileIdempotentStore } from '../../src/idempotent/file-store.ts'
import { idempotent } from '../../src/idempotent/idempotent.ts'
import { MemoryIdempotentStore } from '../../src/idempotent/memory-store.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'

const message = (msgId: string, keys: string[] = []) => ({ msgId, keys }) as unknown as ReceivedMessage
const context = { ackIndex: 0 } as ConsumeContext

describe('a handler that runs once for each message', () => {
  test('goes by the key that it is told to', async () => {
    let runs = 0
    const store = new MemoryIdempotentStore({ clock: new SimClock() })
    const handler = idempotent({ store, key: ({ keys }) => keys[0]! }, async () => void runs++)
    await handler(message('1', ['order-7']), context)
    await handler(message('2', ['order-7']), context)
    await handler(message('3', ['order-8']), context)
    assert.equal(runs, 2)
  })

  test('keeps the name of the handler, which is told when it blocks', () => {
    async function pay(): Promise<void> {}
    assert.equal(idempotent({}, pay).name, 'pay')
  })

  test('gives on what the handler says; only what went well is remembered', async () => {
    for (const [status, remembered] of [
      [undefined, true],
      ['CONSUME_SUCCESS', true],
      ['SUCCESS', true],
      ['COMMIT', true],
      ['RECONSUME_LATER', false],
      ['SUSPEND_CURRENT_QUEUE_A_MOMENT', false],
      ['ROLLBACK', false],
    ] as const) {
      const store = new MemoryIdempotentStore({ clock: new SimClock() })
      const handler = idempotent({ store }, () => status)
      assert.equal(await handler(message('a'), context), status)
      assert.equal(await store.begin('a'), remembered ? 'done' : 'new', String(status))
    }
  })

  test('whose store fails fails itself: nothing is acknowledged that may not have been remembered', async () => {
    let ran = 0
    const store = {
      begin: async () => 'new' as const,
      done: async () => {
        throw new Error('no room')
      },
      failed: async () => {},
    }
    const handler = idempotent({ store }, () => void ran++)
    await assert.rejects(async () => handler(message('a'), context), /no room/)
    assert.equal(ran, 1)
  })
})

describe('a memory of keys', () => {
  test('forgets the oldest first, whatever is done with it', () => {
    const operations = fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 8 }).map(String), ms: fc.integer({ min: 0, max: 30 }) }),
      {
        maxLength: 60,
      },
    )
    return fc.assert(
      fc.asyncProperty(operations, async steps => {
        const clock = new SimClock()
        const store = new MemoryIdempotentStore({ clock, maxKeys: 3, ttlMs: 50 })
        // The same written down plainly.
        let model: { key: string; at: number }[] = []
        for (const { key, ms } of steps) {
          clock.advance(ms)
          model = model.filter(({ at }) => at > clock.now() - 50)
          const expected = model.some(one => one.key === key) ? 'done' : 'new'
          assert.equal(await store.begin(key), expected)
          if (expected === 'done') continue
          await store.done(key)
          model.push({ key, at: clock.now() })
          if (model.length > 3) model.shift()
        }
      }),
    )
  })

  test('of what runs is no memory of what is done', async () => {
    const store = new MemoryIdempotentStore({ clock: new SimClock() })
    assert.equal(await store.begin('a'), 'new')
    assert.equal(await store.begin('a'), 'running')
    await store.failed('a')
    assert.equal(await store.begin('a'), 'new')
    await store.done('a')
    assert.deepEqual([store.size, await store.begin('a'), store.doneAtMs('b')], [1, 'done', 0])
  })
})

describe('a file of keys', () => {
  const open = (disk: MemoryDisk, clock = new SimClock(), more: { maxKeys?: number; ttlMs?: number } = {}) =>
    new FileIdempotentStore('/keys', { disk, clock, ...more })

  test('refuses keys that its lines cannot hold', async () => {
    const store = open(new MemoryDisk())
    for (const key of ['a\tb', 'a\nb']) await assert.rejects(store.begin(key), { code: 'ARGUMENT' })
  })

  test('is written anew when most of its lines are forgotten keys, and remembers the same', async () => {
    const disk = new MemoryDisk()
    const clock = new SimClock()
    const store = open(disk, clock, { maxKeys: 5 })
    let largest = 0
    for (let n = 0; n < 10_100; n++) {
      await store.begin(`key${n}`)
      await store.done(`key${n}`)
      largest = Math.max(largest, disk.readFile('/keys').length)
    }
    store.close()
    const { length } = disk.readFile('/keys')
    assert.ok(length < largest / 10, `${length} of ${largest} bytes`)
    const again = open(disk, clock, { maxKeys: 5 })
    assert.deepEqual(await Promise.all([10_094, 10_095, 10_099].map(n => again.begin(`key${n}`))), [
      'new',
      'done',
      'done',
    ])
    again.close()
  })

  test('goes on behind a torn line, wherever it was torn', async () => {
    const whole = new MemoryDisk()
    const first = open(whole)
    for (const key of ['one', 'two', 'three']) {
      await first.begin(key)
      await first.done(key)
    }
    first.close()
    const bytes = whole.readFile('/keys')
    for (let length = 0; length <= bytes.length; length++) {
      const disk = new MemoryDisk()
      disk.writeFile('/keys', bytes.subarray(0, length))
      const store = open(disk)
      const lines = bytes.subarray(0, length).toString().split('\n').length - 1
      assert.equal(await store.begin('one'), lines >= 1 ? 'done' : 'new')
      assert.equal(await store.begin('four'), 'new')
      await store.done('four')
      store.close()
      const again = open(disk)
      assert.equal(await again.begin('four'), 'done')
      assert.equal(await again.begin('two'), lines >= 2 ? 'done' : 'new')
      again.close()
    }
  })

  test('forgets by age over a restart, too', async () => {
    const disk = new MemoryDisk()
    const clock = new SimClock()
    const store = open(disk, clock, { ttlMs: 1000 })
    await store.begin('a')
    await store.done('a')
    store.close()
    clock.advance(999)
    const young = open(disk, clock, { ttlMs: 1000 })
    assert.equal(await young.begin('a'), 'done')
    young.close()
    clock.advance(2)
    const old = open(disk, clock, { ttlMs: 1000 })
    assert.equal(await old.begin('a'), 'new')
    old.close()
  })

  test('that is closed opens again with the next key', async () => {
    const { disk, clock } = simRuntime({ seed: 1 })
    const store = new FileIdempotentStore('/k', { disk, clock })
    await store.begin('a')
    await store.done('a')
    store.close()
    store.close()
    assert.equal(await store.begin('a'), 'done')
    assert.equal(await store.begin('b'), 'new')
    store.close()
  })
})

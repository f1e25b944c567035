import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimRandom } from '@skua-mq/runtime'
import type { StoreConfig } from '../../src/index.ts'
import { drain, message, type Opened, open, put, smallConfig, type World, world } from '../harness.ts'

const hour = 3_600_000

/** A queue of `count` messages, which the log loses, beside one that goes on. */
async function gone(config: StoreConfig, count: number) {
  const at = world()
  const opened = await open(at, config)
  for (let i = 0; i < count; i++) put(opened, message('Q', `old ${i}`, 'TAGS\x01t'))
  for (let i = 0; i < 600; i++) put(opened, message('F', `filler ${i}`))
  await at.clock.advanceAsync(5000)
  at.clock.step(100 * hour)
  return { at, opened }
}

async function deleteAll(at: World, { store }: Opened, count: number): Promise<void> {
  store.deleteExpired()
  await at.clock.advanceAsync(80_000)
  assert.deepEqual([store.minOffset('Q', 0), store.maxOffset('Q', 0)], [count, count], 'all of Q is deleted')
}

const base: StoreConfig = { ...smallConfig, deleteWhen: '' }
const extended: StoreConfig = { ...base, enableConsumeQueueExt: true, mappedFileSizeConsumeQueueExt: 1024 }
const changes: Record<string, { before: StoreConfig; after?: Partial<StoreConfig>; count: number; lost?: string }> = {
  'a lost directory of extended units': { before: extended, count: 5, lost: '/store/consumequeue_ext' },
  'a lost index': { before: base, count: 5, lost: '/store/index' },
  'lost queues of another topic': { before: base, count: 5, lost: '/store/consumequeue/F' },
  'files of queues of double size': { before: base, count: 25, after: { mappedFileSizeConsumeQueue: 800 } },
  'files of queues of half the size': {
    before: { ...base, mappedFileSizeConsumeQueue: 800 },
    count: 65,
    after: { mappedFileSizeConsumeQueue: 400 },
  },
  'files of queues of half the size, where one ends': {
    before: { ...base, mappedFileSizeConsumeQueue: 800 },
    count: 60,
    after: { mappedFileSizeConsumeQueue: 400 },
  },
  'files of queues of a third more': { before: base, count: 45, after: { mappedFileSizeConsumeQueue: 560 } },
}

describe('a queue whose messages are all deleted keeps its end', () => {
  for (const ending of ['a clean stop', 'a kill', 'a power cut'])
    for (const [change, { before, after, count, lost }] of Object.entries(changes))
      test(`${change}, after ${ending}`, async () => {
        const { at, opened } = await gone(before, count)
        await deleteAll(at, opened, count)
        if (ending === 'a clean stop') await at.clock.until(opened.store.stop())
        else await at.clock.advanceAsync(120_000)
        if (ending === 'a power cut') at.disk.powerCut(new SimRandom(1))
        if (lost !== undefined) at.disk.remove(lost)
        const bootId = ending === 'a power cut' ? 'next' : 'boot'
        const config = { ...before, ...after }
        const first = await open(at, config, { bootId })
        assert.equal(first.store.maxOffset('Q', 0), count)
        await at.clock.until(first.store.stop())
        const said: string[] = []
        at.events.subscribe(({ name }) => said.push(name))
        const second = await open(at, config, { bootId })
        assert.doesNotMatch(said.join(), /rebuilt/, 'once is enough')
        assert.equal(put(second, message('Q', 'new'))[0]?.queueOffset, count)
        await at.clock.until(second.store.stop())
        const third = await open(at, config, { bootId })
        assert.deepEqual(await drain(third, 'Q'), ['new'])
        await at.clock.until(third.store.stop())
      })
})

test('a log that cannot be synced keeps no end of a queue off the medium before its messages are deleted', async () => {
  const { at, opened } = await gone(base, 5)
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog' })
  put(opened, message('F', 'last'))
  await deleteAll(at, opened, 5)
  at.disk.faults.clear()
  at.disk.powerCut(new SimRandom(1))
  const again = await open(at, base, { bootId: 'next' })
  assert.equal(again.store.maxOffset('Q', 0), 5)
})

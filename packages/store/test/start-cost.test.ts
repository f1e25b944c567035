import assert from 'node:assert/strict'
import test from 'node:test'
import type { Disk } from '@skua-mq/runtime'
import { drain, message, open, put, smallConfig, world } from './harness.ts'

/** Counts the calls for paths below the queues. */
function counting(disk: Disk) {
  const counts = { list: 0, open: 0, stat: 0 }
  const counted = new Proxy(disk, {
    get(target, name: keyof Disk) {
      const call = (target[name] as (...args: unknown[]) => unknown).bind(target)
      return (path: string, ...rest: unknown[]) => {
        if (path.startsWith('/store/consumequeue/') && name in counts) counts[name as 'list' | 'open' | 'stat']++
        return call(path, ...rest)
      }
    },
  })
  return { counts, counted }
}

test('a start looks at each queue once: one list of its directory, one opening of its file', async () => {
  const at = world()
  // Far more queues than descriptors: what is asked for again was closed meanwhile.
  const config = { ...smallConfig, maxOpenFiles: 8 }
  const opened = await open(at, config)
  const queues = Array.from({ length: 60 }, (_, i) => `T${i}`)
  for (const topic of queues) put(opened, message(topic, topic))
  await at.clock.until(opened.store.stop())
  const { counts, counted } = counting(at.disk)
  const again = await open(at, config, { disk: counted })
  assert.deepEqual(counts, { list: 2 * queues.length, open: queues.length, stat: 0 })
  for (const topic of queues) assert.deepEqual(await drain(again, topic), [topic])
  await at.clock.until(again.store.stop())
})

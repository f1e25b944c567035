import assert from 'node:assert/strict'
import type { Driver } from '../driver.ts'

/** A client's work on a topic of its own, through an address. It throws when the real server did not do its part. */
export interface Job {
  readonly name: 'send' | 'push' | 'pull' | 'lite-pull'
  run(driver: Driver, place: { readonly namesrv: string; readonly topic: string }): Promise<void>
}

const named = { name: 'c', instance: 'recorded' }

/** Only sends whose results come: a one-way send is seen by the next one that is answered. */
export const sends = (modes: readonly string[]): Job => ({
  name: 'send',
  async run(driver, place) {
    for (const mode of modes) {
      const request = { ...place, mode, tag: 'A', key: 'k', count: 2, properties: { color: 'red' } }
      await driver.call(mode === 'batch-java' ? 'sendBatch' : 'send', request)
    }
  },
})

export const pushes: Job = {
  name: 'push',
  async run(driver, place) {
    await driver.call('send', { ...place, tags: ['A', 'B'], count: 4 })
    await driver.call('push', { ...place, ...named, group: `g_${place.topic}`, tags: 'A' })
    await received(driver, 2)
    await driver.call('send', { ...place, tag: 'A', count: 1 })
    await received(driver, 3)
    await driver.call('stopConsumer', named)
  },
}

export const pulls: Job = {
  name: 'pull',
  async run(driver, place) {
    const sent = await driver.call<{ brokerName: string }[]>('send', { ...place, count: 3, queueId: 0 })
    const queue = { ...place, brokerName: sent[0]?.brokerName, queueId: 0 }
    const statuses: unknown[] = []
    for (const request of [{ offset: 1 }, { offset: 3 }, { offset: 0, tags: 'Nobody' }, { offset: 99 }]) {
      statuses.push((await driver.call<{ status: string }>('pull', { ...queue, ...request })).status)
    }
    assert.deepEqual(statuses, ['FOUND', 'NO_NEW_MSG', 'NO_MATCHED_MSG', 'OFFSET_ILLEGAL'])
    // A batch comes back with what the broker adds to each of its messages.
    const batch = await driver.call<{ queueId: number; queueOffset: number }>('sendBatch', {
      ...place,
      tag: 'D',
      count: 2,
    })
    const { queueId, queueOffset: offset } = batch
    const found = await driver.call<{ messages: unknown[] }>('pull', { ...queue, queueId, offset })
    assert.equal(found.messages.length, 2)
    await driver.call('offsets', { ...place, timestamp: 1 })
  },
}

export const litePulls: Job = {
  name: 'lite-pull',
  async run(driver, place) {
    await driver.call('send', { ...place, tags: ['A', 'B'], count: 4 })
    await driver.call('litePull', { ...place, ...named, group: `g_${place.topic}`, tags: 'B' })
    await received(driver, 2)
    await driver.call('stopConsumer', named)
    await driver.call('litePull', { ...place, ...named, group: `a_${place.topic}`, assign: true })
    await received(driver, 4)
    await driver.call('stopConsumer', named)
  },
}

async function received(driver: Driver, count: number): Promise<void> {
  const got = await driver.call<unknown[]>('received', { ...named, count, timeoutMs: 15_000 })
  assert.equal(got.length, count)
}

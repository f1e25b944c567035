import assert from 'node:assert/strict'
import test from 'node:test'
import { SimRandom, SimTurn } from '@skua-mq/runtime'
import { Store, type StoreConfig } from '../src/index.ts'
import { drain, factsOf, message, open, put, smallConfig, type World, world } from './harness.ts'

const config: StoreConfig = { ...smallConfig, queueBlockBytes: 11_500 }

/** A start that is killed `ms` after it began; each read of the log takes a millisecond. */
async function killedStart(at: World, bootId: string, ms: number): Promise<void> {
  const life = { alive: true }
  const { clock, events } = at
  const lift = at.disk.faults.slow({ on: 'read', ms: 1, path: 'commitlog' })
  const facts = factsOf(bootId)
  const store = new Store(config, { clock, disk: at.disk.forProcess(life), turn: new SimTurn(), events, facts })
  void store.start().catch(() => {})
  await clock.advanceAsync(ms)
  life.alive = false
  lift()
}

for (const end of ['kill', 'power cut'] as const)
  test(`a start after a clean stop that is ended by a ${end} while queues are made again leaves no queue short`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const at = world()
      const opened = await open(at, config)
      const expected: Record<string, string[]> = { A: [], B: [], C: [] }
      for (let i = 0; i < 900; i++) {
        // Most are of one topic alone: whoever goes on behind its end sees nothing of the others.
        const topic = i < 30 ? 'ABC'[i % 3]! : 'A'
        put(opened, message(topic, `message ${i}`, `KEYS\x01k${i}`))
        expected[topic]!.push(`message ${i}`)
      }
      await at.clock.until(opened.store.stop())
      at.disk.remove('/store/consumequeue/B')
      await killedStart(at, 'boot', seed)
      if (end === 'power cut') at.disk.powerCut(new SimRandom(seed))
      const again = await open(at, config, { bootId: end === 'power cut' ? 'next' : 'boot' })
      for (const [topic, bodies] of Object.entries(expected))
        assert.deepEqual(await drain(again, topic), bodies, `${topic}, seed ${seed}`)
      await at.clock.until(again.store.stop())
    }
  })

for (const end of ['kill', 'power cut'] as const)
  test(`a start after a clean stop that is ended by a ${end} while a lost index is made again leaves no key out`, async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const at = world()
      const opened = await open(at, config)
      for (let i = 0; i < 900; i++) put(opened, message('A', `message ${i}`, `KEYS\x01k${i}`))
      await at.clock.until(opened.store.stop())
      at.disk.remove('/store/index')
      await killedStart(at, 'boot', seed)
      if (end === 'power cut') at.disk.powerCut(new SimRandom(seed))
      const again = await open(at, config, { bootId: end === 'power cut' ? 'next' : 'boot' })
      for (let i = 0; i < 900; i++) {
        const query = { topic: 'A', key: `k${i}`, maxCount: 1, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
        assert.equal((await again.store.query(query)).physicalOffsets.length, 1, `key k${i}, seed ${seed}`)
      }
      await at.clock.until(again.store.stop())
    }
  })

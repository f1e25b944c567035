import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { drain, type Opened, open, put, smallConfig, world } from './harness.ts'

/** What a store should hold: bodies by queue, in order. */
type Model = Map<string, string[]>

type Step =
  | { kind: 'put'; topic: string; queueId: number; bodyBytes: number; count: number }
  | { kind: 'wait'; ms: number }
  | { kind: 'stop' }
  | { kind: 'kill' }
  | { kind: 'lose'; what: 'consumequeue' | 'index' | 'skua.dispatch' | 'checkpoint' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      topic: fc.constantFrom('A', 'B', '%RETRY%G'),
      queueId: fc.integer({ min: 0, max: 2 }),
      bodyBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 3000, max: 3900 })),
      count: fc.integer({ min: 1, max: 30 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 70_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'stop' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'kill' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('lose' as const),
      what: fc.constantFrom('consumequeue' as const, 'index' as const, 'skua.dispatch' as const, 'checkpoint' as const),
    }),
  },
)

const configs = fc.record({
  mappedFileSizeCommitLog: fc.constantFrom(4096, 10_000, 65_536),
  mappedFileSizeConsumeQueue: fc.constantFrom(20, 400, 6000),
  queueBlockBytes: fc.constantFrom(3000, 1_000_000),
  logRingBytes: fc.constantFrom(8192, 1_000_000),
  maxOpenFiles: fc.constantFrom(8, 100),
})

test('whatever is put, awaited, stopped, killed and lost beside the log: every queue reads as it was written', async () => {
  await fc.assert(
    fc.asyncProperty(configs, fc.array(step, { maxLength: 25 }), async (changes, steps) => {
      const at = world()
      const config = { ...smallConfig, logChunkBytes: 2048, ...changes }
      const model: Model = new Map()
      let opened = await open(at, config)
      let life = { alive: true }
      for (const each of steps) {
        if (each.kind === 'put') putAll(opened, model, each)
        else if (each.kind === 'wait') await at.clock.advanceAsync(each.ms)
        else {
          if (each.kind === 'kill') life.alive = false
          else await at.clock.until(opened.store.stop())
          if (each.kind === 'lose') at.disk.remove(`/store/${each.what}`)
          life = { alive: true }
          opened = await open(at, config, { disk: at.disk.forProcess(life) })
          await check(opened, model)
        }
      }
      await check(opened, model)
    }),
    { numRuns: Number(process.env.SKUA_MODEL_RUNS ?? 60) },
  )
})

function putAll(opened: Opened, model: Model, { topic, queueId, bodyBytes, count }: Step & { kind: 'put' }): void {
  const name = `${topic}/${queueId}`
  const bodies = model.get(name) ?? []
  model.set(name, bodies)
  for (let i = 0; i < count; i++) {
    const body = `${bodies.length}:${'x'.repeat(bodyBytes)}`
    const outcome = put(opened, { topic, queueId, body: Buffer.from(body), properties: `KEYS\x01${bodies.length}` })[0]!
    assert.deepEqual([outcome.status, outcome.queueOffset], ['ok', bodies.length])
    bodies.push(body)
  }
}

async function check(opened: Opened, model: Model): Promise<void> {
  for (const [name, bodies] of model) {
    const [topic, queueId] = name.split('/') as [string, string]
    assert.equal(opened.store.maxOffset(topic, Number(queueId)), bodies.length, name)
    assert.deepEqual(await drain(opened, topic, Number(queueId)), bodies, name)
  }
}

import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { type Clock, NodeClock, SimClock } from '@skua-mq/runtime'
import { Filter, firstRestMs } from '../src/filter.ts'
import { FilterFailed } from '../src/filter-limits.ts'
import { batchOf } from './batch.ts'

const limits = { callTimeoutMs: 100, memoryBytes: 16 * 1024 * 1024 }
const context = { consumerGroup: 'g', topic: 'T', className: 'F' }
const hangs = 'Array.prototype.indexOf.call({ length: Number.MAX_SAFE_INTEGER }, 1)'

async function started(t: TestContext, source: string, clock: Clock = new NodeClock()): Promise<Filter> {
  const filter = new Filter(0, { clock, limits, context, source })
  t.after(() => filter.stop())
  await filter.start()
  return filter
}

const failure = (filter: Filter, bodies = ['x']): Promise<FilterFailed> =>
  filter.pass(batchOf(bodies)).then(
    () => assert.fail('the filter did not fail'),
    error => {
      assert.ok(error instanceof FilterFailed)
      return error
    },
  )

describe('a filter in its thread', () => {
  test('says which of the stored records pass', async t => {
    const filter = await started(t, 'const match = m => m.bodyText === "yes"')
    const bodies = ['yes', 'no', 'yes']
    const { ranges, nextQueueOffset } = await filter.pass(batchOf(bodies))
    const size = batchOf(['yes']).length
    assert.deepEqual(ranges, [
      { start: 0, end: size },
      { start: 2 * size - 1, end: 3 * size - 1 },
    ])
    assert.equal(nextQueueOffset, undefined)
  })

  test('that hangs inside a built-in function is ended while others go on, and begins anew after its rest', async t => {
    const bad = await started(t, `const match = m => m.bodyText === "good" || ${hangs} > 0`)
    const good = await started(t, 'const match = () => true')
    const end = failure(bad)
    let others = 0
    let ended = false
    end.then(() => {
      ended = true
    })
    while (!ended) {
      assert.equal((await good.pass(batchOf(['x']))).ranges.length, 1)
      others++
    }
    assert.match((await end).message, /filterCallTimeoutMs=100, inside of one built-in function/)
    assert.ok(others > 20, `${others} batches of another filter in the meantime`)
    assert.match((await failure(bad, ['good'])).message, /it is not run for 1000 ms/)
    await new Promise(resolve => setTimeout(resolve, firstRestMs))
    assert.equal((await bad.pass(batchOf(['good']))).ranges.length, 1)
  })

  test('that hangs as soon as its text is run is no filter', async t => {
    const filter = new Filter(0, { clock: new NodeClock(), limits, context, source: 'for (;;);' })
    t.after(() => filter.stop())
    await assert.rejects(filter.start(), /cannot be run.*filterCallTimeoutMs=100/)
  })

  test('that keeps what it is given is stopped at its memory limit, and begins anew with none of it', async t => {
    const clock = new SimClock()
    const filter = await started(
      t,
      'const all = []; const match = m => all.push(m.body, new Uint8Array(1 << 20))',
      clock,
    )
    const bodies = Array.from({ length: 10 }, () => 'x'.repeat(10_000))
    assert.equal((await filter.pass(batchOf(bodies))).ranges.length, 10)
    let failed: FilterFailed | undefined
    for (let i = 0; i < 10 && failed === undefined; i++)
      failed = await filter.pass(batchOf(bodies)).then(
        () => undefined,
        error => error as FilterFailed,
      )
    assert.match(failed?.message ?? '', /filterMemoryBytes=16777216/)
    clock.advance(firstRestMs)
    assert.equal((await filter.pass(batchOf(bodies))).ranges.length, 10)
  })

  test('that is slow answers with a part, and says where to go on', async t => {
    const filter = await started(
      t,
      'const match = () => { const end = Date.now() + 20; while (Date.now() < end); return true }',
    )
    const { ranges, nextQueueOffset } = await filter.pass(batchOf(Array.from({ length: 200 }, () => 'x')))
    assert.ok(ranges.length > 1 && ranges.length < 200, `${ranges.length} passed`)
    assert.equal(nextQueueOffset, ranges.length)
  })

  test('that ran into a limit is left alone for a while, longer each time, and its consumer is told why', async t => {
    const clock = new SimClock()
    const filter = await started(t, 'const match = m => { if (m.bodyText !== "good") for (;;); return true }', clock)
    assert.match((await failure(filter)).message, /filterCallTimeoutMs=100$/)
    assert.match((await failure(filter)).message, /filterCallTimeoutMs=100; it is not run for 1000 ms/)
    clock.advance(firstRestMs)
    assert.match((await failure(filter)).message, /filterCallTimeoutMs=100$/)
    clock.advance(firstRestMs)
    assert.match((await failure(filter, ['good'])).message, /it is not run for 2000 ms/)
    clock.advance(firstRestMs)
    assert.equal((await filter.pass(batchOf(['good']))).ranges.length, 1)
    assert.match((await failure(filter)).message, /filterCallTimeoutMs=100$/)
    clock.advance(firstRestMs)
    assert.equal((await filter.pass(batchOf(['good']))).ranges.length, 1, 'the first rest again')
  })
})

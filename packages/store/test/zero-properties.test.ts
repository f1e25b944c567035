import assert from 'node:assert/strict'
import test from 'node:test'
import { SimRandom } from '@skua-mq/runtime'
import fc from 'fast-check'
import { hasZeroSector } from '../src/record/zero-sector.ts'
import { draftOf, drain, message, Outcomes, open, put, smallConfig, world } from './harness.ts'

const config = { ...smallConfig, flushDiskType: 'SYNC_FLUSH' } as const

test('no message makes recovery take those behind it for torn', async () => {
  const at = world()
  const life = { alive: true }
  const first = await open(at, config, { disk: at.disk.forProcess(life) })
  const outcomes = new Outcomes()
  const zeros = `a\x01${'\0'.repeat(1500)}x\x02`
  for (const each of [message('T', 'before'), message('T', 'zeros', zeros), message('T', 'behind')]) {
    first.store.append(draftOf(each), outcomes)
    first.turn.run()
    await at.clock.advanceAsync(10)
    first.turn.run()
  }
  const taken = ['before', 'zeros', 'behind'].filter((_, i) => outcomes.all[i]?.status === 'ok')
  assert.deepEqual(taken, ['before', 'behind'])
  life.alive = false
  at.disk.powerCut(new SimRandom(1))
  const second = await open(at, config, { bootId: 'next' })
  assert.deepEqual(await drain(second, 'T'), taken)
  assert.equal(put(second, message('T', 'more')).length, 0)
  await at.clock.until(second.store.stop())
})

test('512 zeros in a row are found wherever they are', () => {
  const runs = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 1100 })), { maxLength: 8 })
  fc.assert(
    fc.property(runs, fc.nat(300), (each, from) => {
      const bytes = Buffer.concat([
        Buffer.alloc(from),
        ...each.map(([isOn, count]) => Buffer.alloc(count, isOn ? 1 : 0)),
      ])
      const isThere = bytes.indexOf(Buffer.alloc(512), from) >= 0
      assert.equal(hasZeroSector(bytes, from, bytes.length), isThere)
    }),
  )
})

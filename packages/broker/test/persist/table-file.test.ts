import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerOffsetFile } from '@skua-mq/protocol'
import { SimRandom } from '@skua-mq/runtime'
import { tableNotSaved } from '../../src/persist/table-file.ts'
import { machine } from '../harness.ts'

const path = '/store/config/consumerOffset.json'
const table = (offset: number) => ({ offsetTable: new Map([['T@g', new Map([[0, offset]])]]) })

function opened(on = machine()) {
  on.disk.makeDirectory('/store')
  on.disk.syncDirectory('/')
  const fresh = () => on.file(path, consumerOffsetFile)
  const file = fresh()
  return { ...on, file, fresh, again: () => on.file(path, consumerOffsetFile).load()?.offsetTable.get('T@g')?.get(0) }
}

test('there is nothing before the first save, and then what was saved last', async () => {
  const { file, again, clock } = opened()
  assert.equal(file.load(), undefined)
  file.save(table(1))
  assert.equal(again(), 1)
  assert.equal(await clock.until(file.saveLater(table(2))), true)
  assert.equal(again(), 2)
})

describe('saving later', () => {
  test('keeps the former generation, which takes the place of a damaged file', async () => {
    const { file, again, clock, disk } = opened()
    for (const offset of [1, 2, 3]) await clock.until(file.saveLater(table(offset)))
    disk.writeFile(path, Buffer.from('{"offsetTa'))
    assert.equal(again(), 2)
  })

  test('does not block the loop while the medium is slow', async () => {
    const { file, again, clock, disk } = opened()
    await clock.until(file.saveLater(table(1)))
    disk.faults.slow({ on: 'sync', ms: 500 })
    const saving = file.saveLater(table(2))
    const begun = clock.monotonic()
    await clock.advanceAsync(10)
    assert.ok(clock.monotonic() - begun < 500, 'time went on by itself')
    assert.equal(again(), 1)
    await clock.until(saving)
    assert.equal(again(), 2)
  })

  test('does not block the loop the first time either, nor in a process that has only read', async () => {
    const on = opened()
    const { again, clock, disk } = on
    for (const [offset, file] of [
      [1, on.file],
      [2, on.fresh()],
    ] as const) {
      file.load()
      const lift = disk.faults.slow({ on: 'sync', ms: 500 })
      const saving = file.saveLater(table(offset))
      const begun = clock.monotonic()
      await clock.advanceAsync(10)
      assert.ok(clock.monotonic() - begun < 500, 'time went on by itself')
      await clock.until(saving)
      lift()
      assert.equal(again(), offset)
    }
  })

  test('is on disk when it says so, also where the next one was asked for meanwhile', async () => {
    const { file, again, clock, disk } = opened()
    disk.faults.slow({ on: 'sync', ms: 500 })
    let saving = file.saveLater(table(1))
    for (let n = 2; n < 10; n++) {
      const next = file.saveLater(table(n))
      assert.equal(await clock.until(saving), true)
      assert.ok((again() ?? 0) >= n - 1, `the save of ${n - 1} was answered, on disk is ${again()}`)
      saving = next
    }
    await clock.until(saving)
  })

  test('is overtaken by a later blocking save and does not undo it', async () => {
    const { file, again, clock, disk } = opened()
    await clock.until(file.saveLater(table(1)))
    disk.faults.slow({ on: 'sync', ms: 500 })
    const saving = file.saveLater(table(2))
    await clock.advanceAsync(100)
    disk.faults.clear()
    file.save(table(3))
    await clock.until(saving)
    assert.equal(again(), 3)
  })

  test('tells of a failure and leaves the file as it was; the next try does better', async () => {
    const { file, again, clock, disk, names } = opened()
    await clock.until(file.saveLater(table(1)))
    disk.faults.fail({ on: 'sync', code: 'EIO' })
    assert.equal(await clock.until(file.saveLater(table(2))), false)
    assert.deepEqual(names(), [tableNotSaved.eventName])
    assert.equal(again(), 1)
    disk.faults.clear()
    assert.equal(await clock.until(file.saveLater(table(3))), true)
    assert.equal(again(), 3)
  })

  test('a power cut at any moment leaves a whole generation, never nothing', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const random = new SimRandom(seed)
      const { file, again, clock, disk } = opened()
      await clock.until(file.saveLater(table(1)))
      await clock.until(file.saveLater(table(2)))
      disk.faults.fail({
        on: (['write', 'sync', 'names', 'open'] as const)[random.int(4)]!,
        code: 'EIO',
        skip: random.int(4),
      })
      const saved = await clock.until(file.saveLater(table(3)))
      disk.faults.clear()
      disk.powerCut(random)
      const found = again()
      assert.ok(found === 1 || found === 2 || found === 3, `seed ${seed}: ${found}, saved: ${saved}`)
    }
  })
})

test('at a stop a failure is an event and no exception', async () => {
  const { file, disk, names } = opened()
  disk.faults.fail({ on: 'sync', code: 'EIO' })
  assert.equal(file.saveAtStop(table(1)), false)
  assert.deepEqual(names(), [tableNotSaved.eventName])
})

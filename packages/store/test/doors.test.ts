import assert from 'node:assert/strict'
import test from 'node:test'
import { SimRandom, SimTurn } from '@skua-mq/runtime'
import { Store, type StoreConfig } from '../src/index.ts'
import {
  draftOf,
  drain,
  factsOf,
  message,
  type Opened,
  Outcomes,
  open,
  put,
  smallConfig,
  type World,
  world,
} from './harness.ts'

// What happens while something waits for the disk, and what stays when the disk refuses in the middle.

const hour = 3_600_000
const expiring: StoreConfig = { ...smallConfig, deleteWhen: '' }
const size = smallConfig.mappedFileSizeCommitLog

async function filled(config: StoreConfig = expiring, count = 600): Promise<{ at: World; opened: Opened }> {
  const at = world()
  const opened = await open(at, config)
  for (let i = 0; i < count; i++) put(opened, message('T', `message ${i}`, `KEYS\x01k${i}`))
  await at.clock.advanceAsync(2000)
  at.clock.step(100 * hour)
  return { at, opened }
}

/** A round of retention takes what it may. */
async function expire({ at, opened }: { at: World; opened: Opened }): Promise<void> {
  opened.store.deleteExpired()
  await at.clock.advanceAsync(70_000)
}

const eventsOf = (at: World): string[] => {
  const names: string[] = []
  at.events.subscribe(({ name }) => names.push(name))
  return names
}

test('a log file that cannot be removed stays part of the log: no gap keeps the store from starting', async () => {
  const { at, opened } = await filled()
  at.disk.faults.fail({ on: 'names', code: 'EIO', path: 'commitlog/', times: 1 })
  await expire({ at, opened })
  await expire({ at, opened })
  assert.ok(opened.store.minPhysicalOffset > 0)
  const before = await drain(opened, 'T')
  await at.clock.until(opened.store.stop())
  const again = await open(at, expiring)
  assert.deepEqual(await drain(again, 'T'), before)
  await at.clock.until(again.store.stop())
})

test('a removal that could not be synced is synced before the next one: no power cut leaves a gap', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { at, opened } = await filled()
    at.disk.faults.fail({ on: 'names', code: 'EIO', path: 'commitlog', skip: 1, times: 1 })
    await expire({ at, opened })
    assert.equal(opened.store.minPhysicalOffset, size)
    at.disk.faults.slow({ on: 'sync', ms: 5000, path: 'commitlog' })
    opened.store.deleteExpired()
    for (let waited = 0; waited < 30_000 && opened.store.minPhysicalOffset === size; waited += 500)
      await at.clock.advanceAsync(500)
    at.disk.powerCut(new SimRandom(seed))
    at.disk.faults.clear()
    await open(at, expiring, { bootId: 'next' })
  }
})

test('files behind the end that recovery found leave no gap when the power goes again', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const at = world()
    const opened = await open(at)
    for (let i = 0; i < 500; i++) put(opened, message('T', `message ${i}`))
    at.disk.powerCut(new SimRandom(seed))
    await open(at, smallConfig, { bootId: 'second' })
    at.disk.powerCut(new SimRandom(seed + 1000))
    const third = await open(at, smallConfig, { bootId: 'third' })
    await at.clock.until(third.store.stop())
  }
})

test('the last file of the log is never deleted, also where the log ends with it', async () => {
  const { at, opened: master } = await filled()
  const held: StoreConfig = { ...expiring, brokerRole: 'SLAVE', diskSpaceCleanForciblyRatio: 0 }
  const on = world({ capacityBytes: 10_000_000 })
  const slave = await open(on, held)
  for (let end = 0; end < 2 * size; end = slave.store.maxPhysicalOffset)
    slave.store.appendReplicated(end, await master.store.readLog(end, 2 * size))
  assert.equal(slave.store.maxPhysicalOffset, 2 * size)
  const { minPhysicalOffset } = slave.store
  await on.clock.advanceAsync(200_000)
  assert.equal(minPhysicalOffset, 0)
  assert.equal(slave.store.minPhysicalOffset, size)
  const end = slave.store.maxOffset('T', 0)
  await on.clock.until(slave.store.stop())
  const again = await open(on, held)
  assert.equal(again.store.maxPhysicalOffset, 2 * size)
  assert.equal(again.store.maxOffset('T', 0), end)
  await on.clock.until(again.store.stop())
  await at.clock.until(master.store.stop())
})

test('a topic that is deleted in the turn of one of its messages takes it along, and is gone', async () => {
  const at = world()
  const names = eventsOf(at)
  const config: StoreConfig = { ...smallConfig, queueBlockBytes: 4000 }
  const opened = await open(at, config)
  for (let i = 0; i < 30; i++) put(opened, message('T', `old ${i}`))
  await at.clock.advanceAsync(2000)
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', 'in the turn')), outcomes)
  opened.store.deleteTopic('T')
  opened.turn.run()
  assert.equal(outcomes.all[0]?.status, 'ok')
  // Others need the memory, and what the queue has in it is written.
  for (let i = 0; i < 20; i++) put(opened, message(`other ${i}`, 'x'))
  await at.clock.advanceAsync(2000)
  assert.deepEqual(at.disk.list('/store/consumequeue/T'), [])
  put(opened, message('T', 'new'))
  await at.clock.advanceAsync(2000)
  const again = await open(at, config)
  assert.ok(!names.includes('consume queues are rebuilt from the commit log'))
  assert.deepEqual(await drain(again, 'T'), ['new'])
  await at.clock.until(again.store.stop())
})

test('what a killed process may not have synced is written again before a flush calls it synced', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const at = world()
    const config: StoreConfig = { ...smallConfig, flushDiskType: 'SYNC_FLUSH', flushCommitLogLeastPages: 0 }
    const body = 'x'.repeat(3000)
    const life = { alive: true }
    const first = await open(at, config, { disk: at.disk.forProcess(life) })
    at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
    put(first, message('T', body))
    await at.clock.advanceAsync(1)
    life.alive = false
    at.disk.faults.slow({ on: 'write', ms: 5000, path: 'commitlog' })
    const second = await open(at, config)
    at.disk.faults.clear()
    await at.clock.advanceAsync(2000)
    assert.equal(second.store.refusing, undefined)
    at.disk.powerCut(new SimRandom(seed))
    const third = await open(at, config, { bootId: 'next' })
    assert.deepEqual(await drain(third, 'T'), [body], `seed ${seed}`)
    await at.clock.until(third.store.stop())
  }
})

for (const [name, breaks] of Object.entries({
  'cannot write again what was not synced': at => at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog' }),
  'cannot lock the directory': at =>
    at.disk.faults.fail({ on: 'names', code: 'EIO', path: '/store', skip: 3, times: 1 }),
  'cannot make the mark of a start': at => at.disk.faults.fail({ on: 'open', code: 'EIO', path: 'abort' }),
} satisfies Record<string, (at: World) => unknown>)) {
  test(`a store that ${name} leaves nothing behind, and may be started again`, async () => {
    const at = world()
    const first = await open(at, { ...smallConfig, flushDiskType: 'SYNC_FLUSH' })
    at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
    put(first, message('T', 'x'))
    const after = new SimTurn()
    const next = (turn: SimTurn) =>
      new Store(smallConfig, { ...at, clock: mine, turn, facts: { ...factsOf('boot'), instance: 'next' } })
    let armed = 0
    const mine: World['clock'] = Object.assign(Object.create(at.clock) as World['clock'], {
      after: (ms: number, run: () => void) => {
        armed++
        let open = true
        const close = () => {
          if (open) armed--
          open = false
        }
        const timer = at.clock.after(ms, () => {
          close()
          run()
        })
        return {
          cancel: () => {
            close()
            timer.cancel()
          },
        }
      },
    })
    breaks(at)
    await assert.rejects(at.clock.until(next(after).start()))
    assert.equal(armed, 0, 'no timer')
    at.disk.faults.clear()
    const store = next(new SimTurn())
    await at.clock.until(store.start())
    await at.clock.until(store.stop())
  })
}

test('a slave takes nothing while its disk is probed: the probe would write zeros over it', async () => {
  const { at: there, opened: master } = await filled()
  const at = world()
  const slave = await open(at, { ...smallConfig, brokerRole: 'SLAVE' })
  const ship = async (most: number) => {
    const { maxPhysicalOffset: end } = slave.store
    slave.store.appendReplicated(end, await master.store.readLog(end, most))
  }
  await ship(size - 100)
  at.disk.faults.fail({ on: 'write', code: 'ESHORTWRITE', path: 'commitlog', times: 1 })
  await assert.rejects(ship(3000), /ESHORTWRITE/)
  at.disk.faults.slow({ on: 'sync', ms: 1500, path: 'commitlog' })
  // The probe has begun, and goes on in the next file when this sync is over.
  await at.clock.advanceAsync(1200)
  for (let i = 0; i < 40; i++) {
    await at.clock.advanceAsync(250)
    await ship(3000).catch(error => assert.match(String(error), /read-only/))
  }
  at.disk.faults.clear()
  await at.clock.advanceAsync(5000)
  for (let end = -1; end < slave.store.maxPhysicalOffset; ) {
    end = slave.store.maxPhysicalOffset
    if (end < master.store.maxPhysicalOffset) await ship(10_000)
  }
  await at.clock.until(slave.store.stop())
  const again = await open(at, { ...smallConfig, brokerRole: 'SLAVE' })
  assert.deepEqual(await drain(again, 'T'), await drain(master, 'T'))
  await at.clock.until(again.store.stop())
  await there.clock.until(master.store.stop())
})

test('a round of writing that began before a topic was deleted does not bring the point back', async () => {
  const at = world()
  const names = eventsOf(at)
  const opened = await open(at)
  for (let i = 0; i < 600; i++) put(opened, message(`T${i}`, 'x'))
  at.clock.after(smallConfig.flushIntervalConsumeQueue, () => opened.store.deleteTopic('T0'))
  await at.clock.advanceAsync(smallConfig.flushIntervalConsumeQueue)
  assert.equal(opened.store.queue('T0', 0), undefined)
  const again = await open(at)
  assert.ok(!names.includes('consume queues are rebuilt from the commit log'))
  assert.equal(again.store.queue('T0', 0), undefined)
  await at.clock.until(again.store.stop())
})

test('a query by key that meets a file which retention has just removed does not make it again', async () => {
  const { at, opened } = await filled()
  await at.clock.advanceAsync(57_000)
  const before = at.disk.list('/store/index')
  assert.ok(before.length > 3)
  at.disk.faults.slow({ on: 'read', ms: 2500, path: 'index' })
  const query = { topic: 'T', key: 'k3', maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  const found = opened.store.query(query)
  opened.store.deleteExpired()
  await at.clock.until(found)
  at.disk.faults.clear()
  assert.ok(opened.store.minPhysicalOffset > 0)
  const left = at.disk.list('/store/index')
  assert.ok(left.length < before.length)
  for (const name of left)
    assert.ok(at.disk.readFile(`/store/index/${name}`).readInt32BE(36) > 1 || name === left.at(-1))
  const names = eventsOf(at)
  await at.clock.until(opened.store.stop())
  const again = await open(at, expiring)
  assert.ok(!names.includes('index file discarded'))
  await at.clock.until(again.store.stop())
})

test('without a free descriptor for a directory idle files are closed, too', async () => {
  for (const code of ['EMFILE', 'ENFILE']) {
    const at = world()
    const opened = await open(at, { ...smallConfig, maxOpenFiles: 100 })
    for (let i = 0; i < 20; i++) put(opened, message(`T${i}`, 'x'))
    await at.clock.advanceAsync(3000)
    const trouble: string[] = []
    at.events.subscribe(
      ({ level, name, fields }) => level === 'error' && trouble.push(`${name} ${JSON.stringify(fields)}`),
    )
    for (const path of ['commitlog', 'consumequeue']) at.disk.faults.fail({ on: 'names', code, path, times: 1 })
    for (let i = 0; i < 100; i++)
      assert.equal(put(opened, message('T0', 'x'.repeat(300), `KEYS\x01k${i}`))[0]?.status, 'ok')
    await at.clock.advanceAsync(70_000)
    assert.deepEqual(trouble, [])
    await at.clock.until(opened.store.stop())
  }
})

test('a topic whose files the disk does not let go begins anew all the same, and keeps what it takes', async () => {
  const at = world()
  const opened = await open(at)
  for (let i = 0; i < 30; i++) put(opened, message('T', `old ${i}`))
  await at.clock.advanceAsync(2000)
  at.disk.faults.fail({ on: 'names', code: 'EIO', path: 'consumequeue/T', times: 1 })
  assert.throws(() => opened.store.deleteTopic('T'), /EIO/)
  for (let i = 0; i < 3; i++) assert.equal(put(opened, message('T', `new ${i}`))[0]?.queueOffset ?? i, i)
  await at.clock.advanceAsync(5000)
  put(opened, message('T', 'last'))
  const news = await drain(opened, 'T')
  assert.ok(news.includes('last') && !news.some(body => body.startsWith('old')))
  await at.clock.until(opened.store.stop())
  const again = await open(at)
  assert.deepEqual(await drain(again, 'T'), news)
  await at.clock.until(again.store.stop())
})

test('an fdatasync that fails at a start is remembered by the next one: the bytes are written again', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const at = world()
    const body = 'x'.repeat(3000)
    const life = { alive: true }
    put(await open(at, smallConfig, { disk: at.disk.forProcess(life) }), message('T', body))
    life.alive = false
    at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog', times: 1 })
    await assert.rejects(open(at), /EIO/)
    const second = await open(at)
    await at.clock.advanceAsync(20_000)
    assert.equal(second.store.refusing, undefined)
    at.disk.powerCut(new SimRandom(seed))
    const third = await open(at, smallConfig, { bootId: 'next' })
    assert.deepEqual(await drain(third, 'T'), [body], `seed ${seed}`)
    await at.clock.until(third.store.stop())
  }
})

test('a topic is not deleted by a store that has stopped: its files may be another process’s', async () => {
  const at = world()
  const opened = await open(at)
  put(opened, message('A', 'x'))
  await at.clock.until(opened.store.stop())
  assert.throws(() => opened.store.deleteTopic('A'), /stops/)
  assert.equal((await open(at)).store.maxOffset('A', 0), 1)
})

test('what comes while retention waits for the queues is not deleted before its queue is on the medium', async () => {
  const at = world({ capacityBytes: 100_000_000 })
  const config = { ...smallConfig, deleteWhen: '', diskSpaceCleanForciblyRatio: 0, diskMaxUsedSpaceRatio: 10 }
  const opened = await open(at, config)
  const fill = () => {
    for (let i = 0; i < 200; i++) put(opened, message('A', `message ${i} ${'b'.repeat(200)}`))
  }
  fill()
  await at.clock.advanceAsync(59_000)
  const lift = at.disk.faults.slow({ on: 'sync', ms: 4000, path: 'consumequeue' })
  await at.clock.advanceAsync(2000)
  put(opened, message('New', 'came amid the wait'))
  fill()
  while (opened.store.minPhysicalOffset === 0) await at.clock.advanceAsync(100)
  await at.clock.advanceAsync(1000)
  lift()
  at.disk.powerCut(new SimRandom(1))
  const again = await open(at, config, { bootId: 'another boot' })
  assert.equal(again.store.maxOffset('New', 0), 1)
})

test('retention brings queues to the medium also where the end of the log cannot be synced', async () => {
  const at = world({ capacityBytes: 100_000_000 })
  const config = { ...smallConfig, deleteWhen: '', diskSpaceCleanForciblyRatio: 0, diskMaxUsedSpaceRatio: 10 }
  const opened = await open(at, config)
  put(opened, message('Old', 'its file is synced by nobody else'))
  for (let i = 0; i < 200; i++) put(opened, message('A', `message ${i} ${'b'.repeat(200)}`))
  await at.clock.advanceAsync(50_000)
  at.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'commitlog' })
  put(opened, message('A', 'is not synced'))
  await at.clock.advanceAsync(20_000)
  assert.ok(opened.store.minPhysicalOffset > 0)
  at.disk.faults.clear()
  at.disk.powerCut(new SimRandom(1))
  const again = await open(at, config, { bootId: 'another boot' })
  assert.equal(again.store.maxOffset('Old', 0), 1)
})

test('whoever is asked before a message is taken can hold it', async () => {
  const at = world()
  const opened = await open(at, smallConfig)
  let isOver = false
  opened.store.beforeAppends(() => {
    if (isOver) opened.store.holdAppends('it is over')
  })
  const outcomes = new Outcomes()
  opened.store.append(draftOf(message('T', 'in time')), outcomes)
  isOver = true
  opened.store.append(draftOf(message('T', 'too late')), outcomes)
  opened.turn.run()
  await at.clock.advanceAsync(100)
  assert.deepEqual(outcomes.all.map(({ status, remark }) => `${status} ${remark}`).sort(), [
    'ok ',
    'serviceNotAvailable it is over',
  ])
  await at.clock.until(opened.store.stop())
})

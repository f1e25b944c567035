import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { subscriptionGroupTableFile } from '@skua-mq/protocol'
import { GroupTable, groupConfig, groupCreated } from '../../src/group/group-table.ts'
import { retryMs } from '../../src/persist/save-soon.ts'
import { machine } from '../harness.ts'

const path = '/store/config/subscriptionGroup.json'

function opened({ autoCreate = true, on = machine() } = {}) {
  const groups = new GroupTable({
    ...on,
    file: on.file(path, subscriptionGroupTableFile),
    autoCreate: () => autoCreate,
    maxAutoCreated: () => 100_000,
  })
  groups.load()
  return { ...on, on, groups }
}

test("a new broker has RocketMQ's system groups, with the defaults", () => {
  const { groups } = opened()
  assert.deepEqual(
    [...groups.all().keys()],
    [
      'TOOLS_CONSUMER',
      'FILTERSRV_CONSUMER',
      'SELF_TEST_C_GROUP',
      'CID_ONS-HTTP-PROXY',
      'CID_ONSAPI_PULL',
      'CID_ONSAPI_PERMISSION',
      'CID_ONSAPI_OWNER',
    ],
  )
  for (const [name, config] of groups.all()) assert.deepEqual(config, groupConfig(name))
})

describe('creation at first sight', () => {
  test('makes a group with the defaults and tells of it, once', () => {
    const { groups, fieldsOf } = opened()
    assert.deepEqual(groups.findOrCreate('g'), groupConfig('g'))
    groups.findOrCreate('g')
    assert.deepEqual(fieldsOf(groupCreated.eventName), [{ group: 'g', why: 'first seen' }])
  })

  test('is left when it is switched off, but for groups of the system', () => {
    const { groups } = opened({ autoCreate: false })
    assert.equal(groups.findOrCreate('g'), undefined)
    assert.equal(groups.find('g'), undefined)
    assert.ok(groups.findOrCreate('CID_RMQ_SYS_TRACE'))
    assert.ok(groups.findOrCreate('TOOLS_CONSUMER'))
  })

  test('is left for names that are none', () => {
    const { groups } = opened()
    assert.equal(groups.findOrCreate('a b'), undefined)
    assert.equal(groups.findOrCreate(''), undefined)
    assert.equal(groups.findOrCreate('x'.repeat(256)), undefined)
  })
})

describe('persistence', () => {
  test('what was created, changed and deleted is so after a restart, with the version', async () => {
    const { groups, on, clock } = opened()
    clock.advance(7)
    groups.findOrCreate('g')
    groups.findOrCreate('h')
    await groups.put({ ...groupConfig('g'), retryMaxTimes: 3, consumeEnable: false })
    assert.equal(await groups.delete('h'), true)
    assert.equal(await groups.delete('h'), false)
    const again = opened({ on })
    assert.deepEqual(again.groups.find('g'), { ...groupConfig('g'), retryMaxTimes: 3, consumeEnable: false })
    assert.equal(again.groups.find('h'), undefined)
    assert.deepEqual(again.groups.version.toJSON(), groups.version.toJSON())
    assert.equal(groups.version.timestamp, clock.now())
  })

  test('what a 5.x broker wrote is kept by a later save', async () => {
    const on = machine()
    on.disk.makeDirectory('/store/config')
    on.disk.writeFile(
      path,
      Buffer.from(
        '{"dataVersion":{"counter":1,"stateVersion":0,"timestamp":1700000000000},"forbiddenTable":{"g":{"T":1}},' +
          '"subscriptionGroupTable":{"g":{"groupName":"g","attributes":{"a":"b"},"consumeTimeoutMinute":15,' +
          '"groupRetryPolicy":{"type":"CUSTOMIZED"},"retryMaxTimes":5}}}',
      ),
    )
    const { groups, clock } = opened({ on })
    assert.equal(groups.find('g')?.retryMaxTimes, 5)
    assert.equal(groups.find('g')?.retryQueueNums, 1, 'absent members have their defaults')
    groups.findOrCreate('other')
    await clock.until(groups.settled())
    const again = opened({ on }).groups
    assert.deepEqual(again.find('g')?.attributes, new Map([['a', 'b']]))
    assert.deepEqual(again.find('g')?.groupRetryPolicy, { type: 'CUSTOMIZED' })
    assert.deepEqual(again.table().forbiddenTable, new Map([['g', new Map([['T', 1]])]]))
  })

  test('a change that cannot be saved is refused and forgotten', async () => {
    const { groups, disk } = opened()
    disk.faults.fail({ on: 'sync', code: 'EIO' })
    await assert.rejects(groups.put(groupConfig('g')), { code: 'ETABLE' })
    assert.equal(groups.find('g'), undefined)
  })

  test('a deletion that is refused leaves the group as it was, though a member came meanwhile', async () => {
    const { groups, disk, clock, on } = opened()
    const own = { ...groupConfig('g'), retryMaxTimes: 3 }
    await clock.until(groups.put(own))
    const lift = disk.faults.fail({ on: 'sync', code: 'EIO' })
    const deletion = assert.rejects(groups.delete('g'), { code: 'ETABLE' })
    assert.equal(groups.findOrCreate('g')?.retryMaxTimes, 16)
    await clock.until(deletion)
    assert.deepEqual(groups.find('g'), own)
    lift()
    await clock.advanceAsync(retryMs + 100)
    assert.deepEqual(opened({ on }).groups.find('g'), own)
  })

  test('of several changes of one group that are on their way none is taken that was refused', async () => {
    const { groups, disk, clock } = opened()
    const tries = (retryMaxTimes: number) => ({ ...groupConfig('g'), retryMaxTimes })
    await clock.until(groups.put(tries(1)))
    const lift = disk.faults.fail({ on: 'sync', code: 'EIO' })
    const refused = [groups.put(tries(2)), groups.delete('g'), groups.put(tries(3))].map(each =>
      assert.rejects(each, { code: 'ETABLE' }),
    )
    await clock.until(Promise.all(refused))
    assert.deepEqual(groups.find('g'), tries(1))
    lift()
    // The first one alone fails.
    disk.faults.fail({ on: 'sync', code: 'EIO', times: 1 })
    const first = assert.rejects(groups.delete('g'), { code: 'ETABLE' })
    await clock.until(groups.put(tries(4)))
    await first
    assert.deepEqual(groups.find('g'), tries(4))
  })

  test('one that is refused after the file was replaced is taken back in the file, too', async () => {
    const { groups, disk, clock, on } = opened()
    await clock.until(groups.put(groupConfig('kept')))
    const sync = disk.syncDirectoryLater
    disk.syncDirectoryLater = () => Promise.reject(new Error('EIO'))
    await assert.rejects(clock.until(groups.delete('kept')), { code: 'ETABLE' })
    disk.syncDirectoryLater = sync
    await clock.advanceAsync(retryMs + 100)
    assert.ok(opened({ on }).groups.find('kept') !== undefined)
  })

  test('what nobody waits for is tried again until it is saved: groups first seen, and a table of the master', async () => {
    const { groups, on, clock, disk } = opened()
    const lift = disk.faults.fail({ on: 'sync', code: 'EIO' })
    groups.findOrCreate('g')
    await clock.until(groups.settled())
    assert.equal(opened({ on }).groups.find('g'), undefined)
    lift()
    await clock.advanceAsync(retryMs + 100)
    assert.ok(opened({ on }).groups.find('g') !== undefined)
    const liftAgain = disk.faults.fail({ on: 'sync', code: 'EIO' })
    const table = {
      dataVersion: { timestamp: 1, counter: 7 },
      subscriptionGroupTable: new Map([['m', groupConfig('m')]]),
    }
    groups.replace(table)
    await clock.advanceAsync(100)
    liftAgain()
    await clock.advanceAsync(retryMs + 100)
    assert.ok(opened({ on }).groups.find('m') !== undefined)
  })

  test('groups that are first seen are saved soon after, a thousand of them in two rounds', async () => {
    const { groups, on, clock, disk } = opened()
    let saves = 0
    const rename = disk.rename.bind(disk)
    disk.rename = (from, to) => {
      if (to.endsWith('subscriptionGroup.json')) saves++
      rename(from, to)
    }
    for (let i = 0; i < 1000; i++) groups.findOrCreate(`g${i}`)
    await clock.until(groups.settled())
    assert.equal(saves, 2)
    const again = opened({ on }).groups
    assert.ok(again.find('g0') !== undefined && again.find('g999') !== undefined)
    assert.deepEqual(again.version.toJSON(), groups.version.toJSON())
  })
})

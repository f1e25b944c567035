import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { delayOffsetFile, getAllDelayOffset, scheduleTopic } from '@skua-mq/protocol'
import type { SimDisk } from '@skua-mq/runtime'
import type { Store } from '@skua-mq/store'
import { DelayedDelivery } from '../../src/delay/delayed-delivery.ts'
import { delayRoutes } from '../../src/delay/routes.ts'
import { TableFile } from '../../src/persist/table-file.ts'
import { ask, bodyOf } from '../harness.ts'
import { type Process, StoreMachine, text } from '../store-machine.ts'

const all = [1000, 5000]

function deliver({ runtime, store }: Process, levels = all) {
  const file = new TableFile({ ...runtime, codec: delayOffsetFile, path: '/store/config/delayOffset.json' })
  const undeliverable = () => 'kept'
  const delivery = new DelayedDelivery({ ...runtime, store, levels, file, intervalMs: () => 10_000, undeliverable })
  delivery.start()
  return delivery
}

/** As the delay step leaves it. */
const delayed = (body: string, level = 1, more: Record<string, string> = {}) => ({
  topic: scheduleTopic,
  queueId: level - 1,
  body,
  properties: { TAGS: 'A', DELAY: String(level), REAL_TOPIC: 'T', REAL_QID: '3', ...more },
})
const bodies = (machine: StoreMachine, store: Store) => machine.read(store, 'T', 3).map(text)

describe('a delayed message', () => {
  test('comes when its time is over, not a millisecond earlier', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    await machine.put(process.store, [delayed('one')])
    await machine.clock.advanceAsync(999)
    assert.deepEqual(bodies(machine, process.store), [])
    await machine.clock.advanceAsync(2)
    assert.deepEqual(bodies(machine, process.store), ['one'])
  })

  test('is what was sent, with where it was to go still in its properties', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    await machine.put(process.store, [delayed('one')])
    const [before] = machine.read(process.store, scheduleTopic)
    await machine.clock.advanceAsync(1001)
    const [got] = machine.read(process.store, 'T', 3)
    assert.deepEqual(Object.fromEntries(got!.properties), { TAGS: 'A', DELAY: '1', REAL_TOPIC: 'T', REAL_QID: '3' })
    for (const field of ['bornTimestamp', 'bornHost', 'flag', 'sysFlag', 'reconsumeTimes', 'bodyCrc'] as const)
      assert.deepEqual(got![field], before![field], field)
    // The queue holds the tag's hash again, not the delivery time.
    const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
    process.store.queue('T', 3)!.entries(0, entry)
    assert.equal(entry[0]!.tagsCode, 65)
  })

  test('keeps its place within its level, thousands at once, and levels do not wait for each other', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    const many = Array.from({ length: 5000 }, (_, at) => String(at))
    await machine.put(process.store, [delayed('late', 2), ...many.map(body => delayed(body))])
    await machine.clock.advanceAsync(1100)
    assert.deepEqual(bodies(machine, process.store), many)
    await machine.clock.advanceAsync(4000)
    assert.equal(bodies(machine, process.store).at(-1), 'late')
  })

  test('that says nowhere to go, or to the half topic, is dropped with an event and holds up nobody', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    await machine.put(process.store, [
      delayed('nowhere', 1, { REAL_QID: 'x' }),
      delayed('half', 1, { REAL_TOPIC: 'RMQ_SYS_TRANS_HALF_TOPIC' }),
      delayed('good'),
    ])
    await machine.clock.advanceAsync(1100)
    assert.deepEqual(bodies(machine, process.store), ['good'])
    assert.equal(machine.events.filter(event => event.name === 'delayed message dropped').length, 2)
  })

  test('follows a clock that is set back or forward', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    await machine.put(process.store, [delayed('back', 2)])
    machine.clock.step(-3_600_000)
    await machine.clock.advanceAsync(4999)
    assert.deepEqual(bodies(machine, process.store), [])
    await machine.clock.advanceAsync(2)
    assert.deepEqual(bodies(machine, process.store), ['back'])
    await machine.put(process.store, [delayed('forward', 2)])
    machine.clock.step(3_600_000)
    await machine.clock.advanceAsync(1001)
    assert.deepEqual(bodies(machine, process.store), ['back', 'forward'])
  })
})

test('what is left of a delay moves the clock, whatever the fractions of its times', { timeout: 60_000 }, async () => {
  for (let n = 0; n < 40; n++) {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    await machine.clock.advanceAsync(8000 + n * 13 + 0.438_415_84 * (n + 1))
    await machine.put(process.store, [delayed('one', 2)])
    machine.clock.step(-30_000)
    await machine.clock.advanceAsync(0.1 * n)
    const armed = { count: 0 }
    const { after } = machine.clock
    machine.clock.after = (ms, run) => {
      assert.ok(++armed.count < 10_000, 'timers that do not move the clock arm each other')
      return after.call(machine.clock, ms, run)
    }
    await machine.clock.advanceAsync(5001)
    assert.deepEqual(bodies(machine, process.store), ['one'])
  }
})

describe('a wall clock that was ahead for one stored message', () => {
  const hour = 3_600_000
  test('changes no delay: later ones come in time and in order, each by its own arrival', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    deliver(process)
    machine.clock.step(hour)
    await machine.put(process.store, [{ topic: 'Other', body: 'from the future' }])
    machine.clock.step(-hour)
    for (const body of ['first', 'second', 'third']) {
      await machine.put(process.store, [delayed(body, 2)])
      await machine.clock.advanceAsync(1000)
    }
    await machine.clock.advanceAsync(1999)
    assert.deepEqual(bodies(machine, process.store), [])
    await machine.clock.advanceAsync(2)
    assert.deepEqual(bodies(machine, process.store), ['first'])
    await machine.clock.advanceAsync(1000)
    assert.deepEqual(bodies(machine, process.store), ['first', 'second'])
    await machine.clock.advanceAsync(1000)
    assert.deepEqual(bodies(machine, process.store), ['first', 'second', 'third'])
  })

  test('makes nothing early after a restart, and nothing later than its delay from there', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    machine.clock.step(hour)
    await machine.put(first.store, [{ topic: 'Other', body: 'from the future' }])
    machine.clock.step(-hour)
    await machine.put(first.store, [delayed('a', 2)])
    await machine.clock.advanceAsync(2000)
    machine.kill()
    const second = await machine.boot()
    deliver(second)
    await machine.clock.advanceAsync(2999)
    assert.deepEqual(bodies(machine, second.store), [])
    await machine.clock.advanceAsync(2002)
    assert.deepEqual(bodies(machine, second.store), ['a'])
  })
})

describe('a delayed message that the store refuses for good', () => {
  const longTopic = `%RETRY%${'g'.repeat(121)}`

  test('is kept where it can be found, told once, and those behind it come', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    const delivery = deliver(process)
    await machine.put(process.store, [
      delayed('before'),
      delayed('long', 1, { REAL_TOPIC: longTopic }),
      delayed('behind'),
    ])
    await machine.clock.advanceAsync(10_000)
    assert.deepEqual(bodies(machine, process.store), ['before', 'behind'])
    const [kept] = machine.read(process.store, 'kept')
    assert.equal(text(kept!), 'long')
    assert.equal(kept!.properties.get('REAL_TOPIC'), longTopic)
    const told = machine.events.filter(event => event.name === 'delayed message cannot be delivered')
    assert.deepEqual(
      told.map(event => [event.fields.topic, event.fields.keptIn]),
      [[longTopic, 'kept']],
    )
    assert.deepEqual([...delivery.table().offsetTable], [[1, 3]])
  })

  test('stays in the log and is told of with its place when it can be kept nowhere', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    await machine.put(first.store, [delayed('x'.repeat(900_000)), delayed('behind')])
    await machine.clock.until(first.store.stop())
    machine.kill()
    const second = await machine.boot()
    const { store } = second
    const guarded = Object.assign(Object.create(store) as Store, {
      append: (...[draft, waiter]: Parameters<Store['append']>) => {
        if (draft.bodyEnd - draft.bodyStart < 900_000) store.append(draft, waiter)
        else waiter.stored({ isStored: false, status: 'messageIllegal', remark: 'too large' } as never)
      },
    })
    deliver({ ...second, store: guarded })
    await machine.clock.advanceAsync(5000)
    assert.deepEqual(bodies(machine, store), ['behind'])
    const [told] = machine.events.filter(event => event.name === 'delayed message cannot be delivered')
    assert.match(String(told?.fields.keptIn), /the log at physical offset 0, until retention/)
  })

  test('is none when maxMessageSize was lowered below it: it was taken once, and comes', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    await machine.put(first.store, [delayed('x'.repeat(2000))])
    await machine.clock.until(first.store.stop())
    machine.kill()
    const second = await machine.boot({ maxMessageSize: 1000 })
    deliver(second)
    await machine.clock.advanceAsync(2000)
    assert.deepEqual(bodies(machine, second.store), ['x'.repeat(2000)])
  })
})

describe('how far a level has come', () => {
  test('is written again when its file could not be, also when nothing was delivered since', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    deliver(first)
    await machine.put(first.store, [delayed('a')])
    const lift = (first.runtime.disk as SimDisk).faults.fail({ on: 'names', code: 'EIO', path: 'delayOffset' })
    await machine.clock.advanceAsync(10_500)
    lift()
    await machine.clock.advanceAsync(10_500)
    machine.kill()
    const second = await machine.boot()
    deliver(second)
    await machine.clock.advanceAsync(5000)
    assert.deepEqual(bodies(machine, second.store), ['a'])
  })

  test('of a master is written again by its slave when its file could not be', async () => {
    const machine = new StoreMachine()
    const { runtime, store } = await machine.boot()
    const delivery = deliver({ runtime, store })
    const table = { offsetTable: new Map([[1, 7]]) }
    const lift = (runtime.disk as SimDisk).faults.fail({ on: 'names', code: 'EIO', path: 'delayOffset' })
    delivery.replace(table)
    await machine.clock.advanceAsync(100)
    lift()
    delivery.replace(table)
    await machine.clock.advanceAsync(100)
    const file = new TableFile({ ...runtime, codec: delayOffsetFile, path: '/store/config/delayOffset.json' })
    assert.deepEqual(file.load(), table)
  })

  test('survives a stop: nothing comes twice', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    const delivery = deliver(first)
    await machine.put(first.store, [delayed('a'), delayed('b'), delayed('c', 2)])
    await machine.clock.advanceAsync(1001)
    await machine.clock.until(delivery.stop())
    await machine.clock.until(first.store.stop())
    machine.kill()
    const second = await machine.boot()
    const again = deliver(second)
    await machine.clock.advanceAsync(5000)
    assert.deepEqual(bodies(machine, second.store), ['a', 'b', 'c'])
    const table = bodyOf(getAllDelayOffset, await ask(delayRoutes(again), getAllDelayOffset, {}))
    assert.deepEqual(
      [...table.offsetTable],
      [
        [1, 2],
        [2, 1],
      ],
    )
  })

  test('after a kill in the middle nothing is missing, and what comes again is the end of what was delivered', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    deliver(first)
    const many = Array.from({ length: 300 }, (_, at) => String(at))
    await machine.put(
      first.store,
      many.slice(0, 150).map(body => delayed(body)),
    )
    await machine.clock.advanceAsync(10_500)
    await machine.put(
      first.store,
      many.slice(150).map(body => delayed(body)),
    )
    await machine.clock.advanceAsync(1001)
    machine.kill()
    const second = await machine.boot()
    deliver(second)
    await machine.clock.advanceAsync(2000)
    const got = bodies(machine, second.store)
    assert.deepEqual(got, [...many, ...many.slice(150)])
  })

  test('that a file puts beyond the queue is moved into it', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    const path = '/store/config/delayOffset.json'
    new TableFile({ ...process.runtime, codec: delayOffsetFile, path }).save({ offsetTable: new Map([[1, 99]]) })
    await machine.put(process.store, [delayed('a')])
    const delivery = deliver(process)
    await machine.put(process.store, [delayed('b')])
    await machine.clock.advanceAsync(1100)
    assert.deepEqual(bodies(machine, process.store), ['b'])
    assert.deepEqual([...delivery.table().offsetTable], [[1, 2]])
  })
})

test('while the store takes nothing delivery waits, and goes on in order', async () => {
  const machine = new StoreMachine()
  const process = await machine.boot()
  const { store } = process
  let refuses = true
  const guarded = Object.assign(Object.create(store) as Store, {
    append: (...[draft, waiter]: Parameters<Store['append']>) => {
      // Refuses the third of five, as a store does whose dirty bytes are too many.
      if (refuses && Buffer.from(draft.body.subarray(draft.bodyStart, draft.bodyEnd)).toString() === 'c')
        waiter.stored({ isStored: false, status: 'busy' } as Parameters<typeof waiter.stored>[0])
      else store.append(draft, waiter)
    },
  })
  deliver({ ...process, store: guarded })
  await machine.put(
    store,
    ['a', 'b', 'c', 'd', 'e'].map(body => delayed(body)),
  )
  await machine.clock.advanceAsync(1500)
  assert.deepEqual(bodies(machine, store), ['a', 'b'])
  assert.ok(machine.events.some(event => event.name === 'delayed delivery paused'))
  refuses = false
  await machine.clock.advanceAsync(2000)
  assert.deepEqual(bodies(machine, store), ['a', 'b', 'c', 'd', 'e'])
})

describe('a delayed message that the disk does not give', () => {
  /** Written, and out of memory: the log's first file is read from the disk. */
  async function bad() {
    const machine = new StoreMachine({ mappedFileSizeCommitLog: 64 * 1024 })
    const first = await machine.boot()
    for (const body of ['a', 'bad', 'c', 'd']) await machine.put(first.store, [delayed(body, 2)])
    const { physicalOffset: from } = machine.read(first.store, scheduleTopic, 1)[1]!
    const { physicalOffset: to } = machine.read(first.store, scheduleTopic, 1)[2]!
    await machine.clock.until(first.store.stop())
    machine.kill()
    const process = await machine.boot()
    const lift = machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog', place: [from, to] })
    return { machine, process, lift, delivery: deliver(process) }
  }
  const named = (machine: StoreMachine, name: string) => machine.events.filter(event => event.name === name)

  test('holds up nobody, is told of once, and comes when the disk gives it', async () => {
    const { machine, process, lift, delivery } = await bad()
    await machine.clock.advanceAsync(30_000)
    assert.deepEqual(bodies(machine, process.store), ['a', 'c', 'd'])
    assert.equal(named(machine, 'delayed message cannot be read').length, 1)
    assert.equal(named(machine, 'delayed delivery paused').length, 0)
    assert.equal(delivery.table().offsetTable.get(2), 1)
    lift()
    await machine.clock.advanceAsync(10_000)
    assert.deepEqual(bodies(machine, process.store), ['a', 'c', 'd', 'bad'])
    assert.equal(delivery.table().offsetTable.get(2), 4)
  })

  test('is tried again by a restart within a minute, and holds back what counts as delivered for no longer', async () => {
    const { machine, process, lift, delivery } = await bad()
    await machine.clock.advanceAsync(30_000)
    await machine.clock.until(delivery.stop())
    await machine.clock.until(process.store.stop())
    machine.kill()
    const again = await machine.boot()
    const later = deliver(again)
    await machine.clock.advanceAsync(100_000)
    assert.equal(later.table().offsetTable.get(2), 4)
    assert.deepEqual(bodies(machine, again.store), ['a', 'c', 'd', 'c', 'd'])
    lift()
    await machine.clock.advanceAsync(10_000)
    assert.equal(bodies(machine, again.store).at(-1), 'bad')
  })

  test('holds no log that is over, though nothing comes behind it', async () => {
    const machine = new StoreMachine({ mappedFileSizeCommitLog: 64 * 1024, fileReservedTime: 1 })
    const first = await machine.boot()
    await machine.put(first.store, [delayed('bad', 2)])
    for (let n = 0; n < 4; n++) await machine.put(first.store, [{ topic: 'U', body: 'x'.repeat(40_000) }])
    await machine.clock.until(first.store.stop())
    machine.kill()
    const process = await machine.boot()
    machine.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog', place: [0, 100] })
    deliver(process)
    await machine.clock.advanceAsync(10_000)
    machine.clock.step(7_200_000)
    await machine.clock.advanceAsync(120_000)
    process.store.deleteExpired()
    await machine.clock.advanceAsync(60_000)
    assert.notEqual(process.store.minPhysicalOffset, 0)
  })

  for (const [code, what] of [
    ['EIO', 'the whole disk'],
    ['EMFILE', 'descriptors'],
  ] as const)
    test(`nor any of its neighbours, for lack of ${what} and for long, comes after a restart`, async () => {
      const machine = new StoreMachine({ mappedFileSizeCommitLog: 64 * 1024 })
      const first = await machine.boot()
      const sent = ['a', 'b', 'c', 'd']
      for (const body of sent) await machine.put(first.store, [delayed(body, 2)])
      await machine.clock.until(first.store.stop())
      machine.kill()
      const process = await machine.boot()
      const lift = machine.disk.faults.fail({ on: 'read', code, path: 'commitlog' })
      const delivery = deliver(process)
      await machine.clock.advanceAsync(300_000)
      assert.deepEqual(bodies(machine, process.store), [])
      await machine.clock.until(delivery.stop())
      await machine.clock.until(process.store.stop())
      machine.kill()
      lift()
      const again = await machine.boot()
      deliver(again)
      await machine.clock.advanceAsync(10_000)
      assert.deepEqual(bodies(machine, again.store), sent)
    })
})

describe('a level that was taken out of messageDelayLevel', () => {
  test('has its messages come at their times, says so, and does not begin again when it is back', async () => {
    const machine = new StoreMachine()
    const first = await machine.boot()
    const delivery = deliver(first)
    await machine.put(first.store, [delayed('done', 2)])
    await machine.clock.advanceAsync(5100)
    await machine.put(first.store, [delayed('waits', 2)])
    const end = async ({ store }: Process, of: DelayedDelivery) => {
      await machine.clock.until(of.stop())
      await machine.clock.until(store.stop())
      machine.kill()
    }
    await end(first, delivery)
    const second = await machine.boot()
    machine.events.length = 0
    const fewer = deliver(second, [1000])
    const told = machine.events.map(({ name, fields }) => [name, fields['levels'], fields['messages']])
    assert.deepEqual(told, [
      ['delayed messages wait in levels that messageDelayLevel lacks, and come at their times', '2', 1],
    ])
    await machine.clock.advanceAsync(4500)
    assert.deepEqual(bodies(machine, second.store), ['done'])
    await machine.clock.advanceAsync(600)
    assert.deepEqual(bodies(machine, second.store), ['done', 'waits'])
    await end(second, fewer)
    const third = await machine.boot()
    deliver(third)
    await machine.clock.advanceAsync(10_000)
    assert.deepEqual(bodies(machine, third.store), ['done', 'waits'])
  })
})

const told = ['a message is damaged in the commit log, and left out', 'delayed message dropped']

describe('a delayed message whose record is damaged within', () => {
  for (const [what, place, value] of [
    ['a body longer than all that was read', 84, 1_000_000],
    ['a body that holds a part of the next record', 84, 300],
    ['a body that ends before', 84, 0],
    ['a place in its queue that is far ahead', 24, 1_000_000],
  ] as const)
    test(`says of ${what}: it is dropped with an event, and those behind it come`, async () => {
      const machine = new StoreMachine()
      const first = await machine.boot()
      await machine.put(
        first.store,
        ['a', 'bad', 'c', 'd'].map(body => delayed(body)),
      )
      const { physicalOffset } = machine.read(first.store, scheduleTopic)[1]!
      await machine.clock.until(first.store.stop())
      machine.kill()
      const log = machine.disk.open('/store/commitlog/00000000000000000000', 'write')
      const bytes = Buffer.alloc(4)
      bytes.writeInt32BE(value)
      log.writeSync(bytes, 0, 4, physicalOffset + place)
      log.closeSync()
      const process = await machine.boot()
      const delivery = deliver(process)
      await machine.clock.advanceAsync(3000)
      assert.deepEqual(bodies(machine, process.store), ['a', 'c', 'd'])
      assert.deepEqual([...delivery.table().offsetTable], [[1, 4]])
      assert.equal(machine.events.filter(({ name }) => told.includes(name)).length, 1)
    })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { discardTopic, halfTopic, opTopic } from '@skua-mq/protocol'
import type { Store } from '@skua-mq/store'
import { maxRemembered } from '../../src/transaction/end-transaction.ts'
import { StoreMachine, text } from '../store-machine.ts'
import { half, refusing, transactions } from './checks-world.ts'

const hour = 3_600_000

describe('a verdict that could not be written down', () => {
  test('is written in the next round: the message is delivered once and nobody is asked', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    let refuses = true
    const store = refusing(process.store, topic => (refuses && topic === opTopic ? 'busy' : undefined))
    const { ids, verdict } = transactions({ ...process, store })
    await machine.put(process.store, [half('a')])
    const [place] = machine.read(process.store, halfTopic)
    const reply = (await machine.clock.until(verdict(place!, 8))) as { code: number }
    assert.equal(reply.code, 1)
    assert.deepEqual(machine.read(process.store, 'T').map(text), ['a'])
    refuses = false
    await machine.clock.advanceAsync(60_000)
    assert.deepEqual(ids(), [])
    assert.deepEqual(machine.read(process.store, 'T').map(text), ['a'])
    assert.deepEqual(machine.read(process.store, opTopic).map(text), ['0'])
    assert.equal(process.store.maxOffset(discardTopic, 0), 0)
  })

  test('is written when it is told again, and two that cross deliver once', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    let refuses = true
    const store = refusing(process.store, topic => (refuses && topic === opTopic ? 'busy' : undefined))
    const { verdict } = transactions({ ...process, store })
    await machine.put(process.store, [half('a'), half('a', { TRAN_PREPARED_QUEUE_OFFSET: '0' })])
    const [first, copy] = machine.read(process.store, halfTopic)
    await machine.clock.until(Promise.all([verdict(first!, 8), verdict(copy!, 8)]))
    refuses = false
    const reply = (await machine.clock.until(verdict(first!, 8))) as { code: number }
    assert.equal(reply.code, 0)
    assert.ok(machine.read(process.store, opTopic).map(text).includes('0'))
    assert.deepEqual(machine.read(process.store, 'T').map(text), ['a'])
  })
})

describe('a half message that cannot be stored again', () => {
  for (const [what, status] of [
    ['with properties that just fit', undefined],
    ['above a limit', 'messageIllegal'],
  ] as const)
    test(`${what} is given up and told of, and those behind it are asked about`, async () => {
      const machine = new StoreMachine()
      const process = await machine.boot()
      let first = true
      const store = refusing(process.store, topic => {
        if (status === undefined || topic !== halfTopic || !first) return undefined
        first = false
        return status
      })
      const { ids } = transactions({ ...process, store })
      await machine.put(process.store, [
        half('stuck', status === undefined ? { filling: 'x'.repeat(32_767 - 90) } : {}),
        half('behind'),
      ])
      await machine.clock.advanceAsync(5000)
      assert.deepEqual([...new Set(ids())], ['behind'])
      assert.deepEqual(machine.read(process.store, discardTopic).map(text), ['stuck'])
      const told = machine.events.filter(event => event.name === 'transaction given up')
      assert.equal(told.length, 1)
      assert.match(String(told[0]!.fields.why), status === undefined ? /32767 are allowed/ : /refused/)
    })

  test('with an immunity of its own neither holds up the round', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    const { ids } = transactions(process)
    const filling = 'x'.repeat(32_767 - 130)
    await machine.put(process.store, [
      half('stuck', { filling, CHECK_IMMUNITY_TIME_IN_SECONDS: '100' }),
      half('behind'),
    ])
    await machine.clock.advanceAsync(5000)
    assert.deepEqual([...new Set(ids())], ['behind'])
    assert.equal(process.store.maxOffset(discardTopic, 0), 1)
  })
})

describe('more decided transactions than are kept in mind', () => {
  test('are not asked about, and an open one behind them is', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    const { ids } = transactions(process, { decidedLimits: { blocks: 1, early: 2 } })
    const count = 9000
    const numbers = [...Array(count).keys()]
    for (let at = 0; at < count; at += 1000)
      await machine.put(
        process.store,
        numbers.slice(at, at + 1000).map(n => half(String(n))),
      )
    await machine.put(process.store, [
      { topic: opTopic, body: numbers.filter(n => n !== 2 && n !== 8999).join() },
      half('open'),
    ])
    await machine.clock.advanceAsync(60_000)
    assert.deepEqual([...new Set(ids())].sort(), ['2', '8999', 'open'])
  })
})

test('copies of before a restart whose first place is decided are not asked about', async () => {
  const machine = new StoreMachine()
  const process = await machine.boot()
  // The first one keeps itself alive by an immunity of its own, the second ends each round.
  await machine.put(process.store, [
    half('immune', { CHECK_IMMUNITY_TIME_IN_SECONDS: '20', TRAN_PREPARED_QUEUE_OFFSET: '0' }),
    half('young'),
    half('immune', { CHECK_IMMUNITY_TIME_IN_SECONDS: '1', TRAN_PREPARED_QUEUE_OFFSET: '0' }),
    { topic: opTopic, body: '0' },
  ])
  const { offsets, ids } = transactions(process, { immuneMs: 9000 })
  offsets.commit({ group: 'CID_RMQ_SYS_TRANS', topic: halfTopic, queueId: 0, offset: 1, who: 'test' })
  await machine.clock.advanceAsync(7000)
  assert.deepEqual(ids(), [])
  await machine.clock.advanceAsync(6000)
  assert.deepEqual([...new Set(ids())], ['young'])
})

describe('a wall clock that was ahead', () => {
  test('for one stored message stops no checks', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    const { ids } = transactions(process)
    machine.clock.step(hour)
    await machine.put(process.store, [{ topic: 'Other', body: 'from the future' }])
    machine.clock.step(-hour)
    await machine.put(process.store, [half('open')])
    await machine.clock.advanceAsync(2500)
    assert.deepEqual(ids(), ['open'])
  })

  test('for one round gives up nothing, and one that stays ahead is believed', async () => {
    const machine = new StoreMachine()
    const process = await machine.boot()
    transactions(process, { immuneMs: 2 * hour })
    await machine.put(process.store, [half('open')])
    machine.clock.step(2 * hour)
    await machine.clock.advanceAsync(2500)
    machine.clock.step(-2 * hour)
    await machine.clock.advanceAsync(10_000)
    assert.equal(process.store.maxOffset(discardTopic, 0), 0)
    machine.clock.step(2 * hour)
    await machine.clock.advanceAsync(70_000)
    assert.equal(process.store.maxOffset(discardTopic, 0), 1)
  })
})

test('verdicts that cannot be written down are not taken without end', async () => {
  const machine = new StoreMachine()
  const process = await machine.boot()
  let refuses = true
  const store = refusing(process.store, topic => (refuses && topic !== halfTopic ? 'busy' : undefined))
  const { verdict, end } = transactions({ ...process, store })
  const count = maxRemembered + 100
  for (let at = 0; at < count; at += 1000)
    await machine.put(
      process.store,
      [...Array(Math.min(1000, count - at)).keys()].map(n => half(`${at + n}`)),
    )
  const places = machine.read(process.store, halfTopic)
  for (const place of places) await verdict(place, 12)
  assert.equal(places.filter(place => end.isEnding(place.queueOffset)).length, maxRemembered)
  refuses = false
  await machine.clock.until(end.writeOwed())
  const last = verdict(places.at(-1)!, 12)
  assert.equal(((await machine.clock.until(last)) as { code: number }).code, 0)
})

test('a verdict that comes and is written while a round is at an earlier message is not asked for any more', async () => {
  const machine = new StoreMachine()
  const process = await machine.boot()
  let verdictOfSecond: (() => Promise<unknown>) | undefined
  const store = Object.assign(Object.create(process.store) as Store, {
    readRecord: async (offset: number) => {
      const verdict = verdictOfSecond
      verdictOfSecond = undefined
      await verdict?.()
      return process.store.readRecord(offset)
    },
  })
  const { ids, verdict } = transactions({ ...process, store })
  await machine.put(process.store, [half('a'), half('b')])
  const second = machine.read(process.store, halfTopic)[1]!
  verdictOfSecond = () => verdict(second, 8)
  await machine.clock.advanceAsync(9000)
  assert.deepEqual([...new Set(ids())], ['a'])
  assert.deepEqual(machine.read(process.store, 'T').map(text), ['b'])
})

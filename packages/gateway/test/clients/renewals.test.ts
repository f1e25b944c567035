import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, SimClock } from '@skua-mq/runtime'
import { Renewals, type Renewed, type Worker } from '../../src/clients/renewals.ts'
import { type Handle, printHandle } from '../../src/message/handle.ts'
import { gatewayOptions } from '../../src/options.ts'

const worker: Worker = { account: '', hasLeft: false }

function setting({ fail = () => false }: { fail?: () => boolean } = {}) {
  const clock = new SimClock()
  const changes: { ms: number; handle: string; atMs: number }[] = []
  const renewals = new Renewals({
    clock,
    config: configOf(gatewayOptions, {}),
    change: async ({ handle }, ms) => {
      changes.push({ ms, handle: printHandle(handle), atMs: clock.now() - startMs })
      if (fail()) throw new Error('the broker is away')
      return { ...handle, popTime: clock.now(), invisibleTime: ms }
    },
    retryMs: async () => 10_000,
  })
  const startMs = clock.now()
  const handle = (queueOffset = 5): Handle => ({
    ...{ startOffset: 5, popTime: clock.now(), invisibleTime: 60_000, reviveQid: 1, mark: '0', brokerName: 'b' },
    ...{ queueId: 2, queueOffset, commitLogOffset: 100 },
  })
  // Nobody here asks it anything.
  const brokers = {} as Renewed['brokers']
  const renewed = (each: Handle, client = worker): Renewed => ({
    ...{ client, brokers, topic: 'T', group: 'G', address: 'b:1', handle: each, attempt: 1 },
  })
  renewals.start()
  return { clock, changes, renewals, handle, renewed }
}

test('a message is prolonged ten seconds before it would come again, each time for longer', async () => {
  const { clock, changes, renewals, handle, renewed } = setting()
  renewals.add(renewed(handle()))
  await clock.advanceAsync(49_000)
  assert.equal(changes.length, 0)
  await clock.advanceAsync(10_000)
  assert.deepEqual(
    changes.map(({ ms }) => ms),
    [60_000],
  )
  await clock.advanceAsync(55_000)
  assert.deepEqual(
    changes.map(({ ms }) => ms),
    [60_000, 180_000],
  )
  renewals.stop()
})

test('who acknowledges with its old handle is given the newest, and nothing is prolonged afterwards', async () => {
  const { clock, changes, renewals, handle, renewed } = setting()
  const first = handle()
  renewals.add(renewed(first))
  await clock.advanceAsync(60_000)
  const settling = await renewals.take(worker, 'G', printHandle(first))
  settling?.done()
  const newest = settling?.handle
  assert.equal(newest?.invisibleTime, 60_000)
  assert.notEqual(newest?.popTime, first.popTime)
  assert.equal(await renewals.take(worker, 'G', printHandle(first)), undefined)
  const before = changes.length
  await clock.advanceAsync(600_000)
  assert.equal(changes.length, before)
  renewals.stop()
})

test('it ends after three hours: then the group waits as before any retry', async () => {
  const { clock, changes, renewals, handle, renewed } = setting()
  renewals.add(renewed(handle()))
  for (let hour = 0; hour < 5; hour++) for (let i = 0; i < 720; i++) await clock.advanceAsync(5000)
  assert.equal(changes.at(-1)?.ms, 10_000)
  assert.ok(changes.at(-1)!.atMs > 10_800_000)
  assert.equal(renewals.size, 0)
  renewals.stop()
})

test('messages of a client that is gone come to another one in a second; those of others stay', async () => {
  const { changes, renewals, handle, renewed } = setting()
  const gone = { account: '', hasLeft: false }
  renewals.add(renewed(handle(5), gone))
  renewals.add(renewed(handle(6)))
  await renewals.release(gone)
  assert.deepEqual(
    changes.map(({ ms }) => ms),
    [1000],
  )
  assert.equal(renewals.size, 1)
  renewals.stop()
})

test('a broker that refuses three times is not asked again', async () => {
  const { clock, changes, renewals, handle, renewed } = setting({ fail: () => true })
  renewals.add(renewed(handle()))
  await clock.advanceAsync(200_000)
  assert.equal(changes.length, 3)
  assert.equal(renewals.size, 0)
  renewals.stop()
})

test('nothing is renewed for a client that has left, and what it could not settle comes to another one', async () => {
  const { changes, renewals, handle, renewed } = setting()
  const client = { account: '', hasLeft: false }
  renewals.add(renewed(handle(5), client))
  const settling = await renewals.take(client, 'G', printHandle(handle(5)))
  client.hasLeft = true
  renewals.add(renewed(handle(6), client))
  assert.equal(renewals.size, 0)
  await settling?.putBack()
  assert.equal(renewals.size, 0)
  assert.deepEqual(
    changes.map(({ ms }) => ms),
    [1000],
  )
  renewals.stop()
})

test('a message that could not be settled is renewed on, under the handle that its client knows', async () => {
  const { clock, renewals, handle, renewed } = setting()
  const first = handle()
  renewals.add(renewed(first))
  await clock.advanceAsync(60_000)
  const settling = await renewals.take(worker, 'G', printHandle(first))
  await settling?.putBack()
  await clock.advanceAsync(60_000)
  const again = await renewals.take(worker, 'G', printHandle(first))
  assert.equal(again?.handle.invisibleTime, 180_000)
  renewals.stop()
})

test('a handle is nothing in the hands of another account', async () => {
  const { renewals, handle, renewed } = setting()
  renewals.add(renewed(handle()))
  assert.equal(await renewals.take({ account: 'other' }, 'G', printHandle(handle())), undefined)
  assert.equal(renewals.size, 1)
  renewals.stop()
})

test('of a client that is gone brokers are not asked for longer than a few seconds', async () => {
  const clock = new SimClock()
  let asked = 0
  const renewals = new Renewals({
    ...{ clock, config: configOf(gatewayOptions, {}), retryMs: async () => 0 },
    change: () => {
      asked++
      return new Promise((_, reject) => clock.after(3000, () => reject(new Error('no answer'))))
    },
  })
  const { handle, renewed } = setting()
  for (let i = 0; i < 10_000; i++) renewals.add(renewed(handle(i)))
  let isDone = false
  const released = renewals.release(worker).then(() => {
    isDone = true
  })
  for (let i = 0; i < 10; i++) await clock.advanceAsync(1000)
  assert.ok(isDone, `${asked} asked`)
  await released
})

test('no more messages are renewed than grpcMaxRenewedHandles, and one more when there is room', async () => {
  const clock = new SimClock()
  const config = configOf(gatewayOptions, { grpcMaxRenewedHandles: 3 })
  const renewals = new Renewals({ clock, config, change: async ({ handle }) => handle, retryMs: async () => 0 })
  const { handle, renewed } = setting()
  for (let n = 0; n < 5; n++) renewals.add(renewed(handle(n)))
  assert.equal(renewals.size, 3)
  await renewals.take(worker, 'G', printHandle(handle(0)))
  renewals.add(renewed(handle(4)))
  assert.equal(renewals.size, 3)
})

test('who acknowledges while his message is prolonged waits for the handle that counts from then on', async () => {
  const clock = new SimClock()
  let asked = 0
  const renewals = new Renewals({
    ...{ clock, config: configOf(gatewayOptions, {}), retryMs: async () => 0 },
    change: async ({ handle }, invisibleTime) => {
      asked++
      await new Promise<void>(resolve => clock.after(5000, resolve))
      return { ...handle, invisibleTime }
    },
  })
  const handle = { ...setting().handle(), popTime: clock.now() }
  renewals.add(setting().renewed({ ...handle, invisibleTime: 20_000 }))
  renewals.start()
  while (asked === 0) await clock.advanceAsync(1000)
  const settling = await clock.until(renewals.take(worker, 'G', printHandle({ ...handle, invisibleTime: 20_000 })))
  assert.equal(settling?.handle.invisibleTime, 60_000)
  await clock.advanceAsync(120_000)
  assert.equal(asked, 1)
  renewals.stop()
})

test('nothing is prolonged behind a stop', async () => {
  const { clock, changes, renewals, handle, renewed } = setting()
  renewals.add(renewed(handle()))
  renewals.stop()
  await clock.advanceAsync(600_000)
  assert.deepEqual(changes, [])
})

test('who names a handle while it is being settled hears of it when that is over', async () => {
  const { clock, renewals, handle, renewed } = setting()
  const first = handle()
  renewals.add(renewed(first))
  await clock.advanceAsync(60_000)
  const one = await renewals.take(worker, 'G', printHandle(first))
  let other: unknown = 'waits'
  const asked = renewals.take(worker, 'G', printHandle(first)).then(settling => {
    other = settling?.handle
    settling?.done()
  })
  await clock.advanceAsync(1000)
  assert.equal(other, 'waits')
  await one!.putBack()
  await asked
  assert.deepEqual(other, one!.handle, 'the broker would say yes to the handle of before, which counts nothing')
  assert.equal(await renewals.take(worker, 'G', printHandle(first)), undefined)
  renewals.stop()
})

test('a broker that does not answer keeps no message of another one from being prolonged', async () => {
  const clock = new SimClock()
  const prolonged: string[] = []
  const renewals = new Renewals({
    clock,
    config: configOf(gatewayOptions, {}),
    change: async ({ handle }, ms) => {
      if (handle.brokerName === 'silent') await new Promise<void>(resolve => clock.after(3000, resolve))
      else prolonged.push(printHandle(handle))
      return { ...handle, popTime: clock.now(), invisibleTime: ms }
    },
    retryMs: async () => 10_000,
  })
  renewals.start()
  const add = (brokerName: string, queueOffset: number) => {
    const at = { startOffset: 0, popTime: clock.now(), invisibleTime: 60_000, reviveQid: 1, mark: '0', queueId: 0 }
    const each: Handle = { ...at, brokerName, queueOffset, commitLogOffset: queueOffset }
    const brokers = {} as Renewed['brokers']
    renewals.add({
      client: worker,
      brokers,
      topic: 'T',
      group: 'G',
      address: `${brokerName}:1`,
      handle: each,
      attempt: 1,
    })
  }
  for (let n = 0; n < 4001; n++) add('silent', n)
  add('lively', 0)
  await clock.advanceAsync(4000)
  add('lively', 1)
  await clock.advanceAsync(57_000)
  assert.equal(prolonged.length, 2)
  renewals.stop()
})

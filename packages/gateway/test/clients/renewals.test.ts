import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, SimClock } from '@skua-mq/runtime'
import { Renewals, type Renewed } from '../../src/clients/renewals.ts'
import { type Handle, printHandle } from '../../src/message/handle.ts'
import { gatewayOptions } from '../../src/options.ts'

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
  const renewed = (each: Handle, clientId = 'c'): Renewed => ({
    ...{ clientId, brokers, topic: 'T', group: 'G', address: 'b:1', handle: each, attempt: 1 },
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
  const newest = await renewals.take('G', printHandle(first))
  assert.equal(newest?.invisibleTime, 60_000)
  assert.notEqual(newest?.popTime, first.popTime)
  assert.equal(await renewals.take('G', printHandle(first)), undefined)
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
  renewals.add(renewed(handle(5), 'gone'))
  renewals.add(renewed(handle(6), 'other'))
  await renewals.release('gone')
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

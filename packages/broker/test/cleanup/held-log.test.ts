import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PropertyName } from '@skua-mq/protocol'
import type { Store } from '@skua-mq/store'
import { PopMachine } from '../pop/pop-machine.ts'
import { Popper } from '../pop/popper.ts'

const minute = 60_000
const deleteWhen = [...Array(24).keys()].map(each => String(each).padStart(2, '0')).join(';')
const config = {
  ...{ deleteWhen, mappedFileSizeCommitLog: 64 * 1024, messageDelayLevel: '1s 5m', fileReservedTime: 72 },
  diskMaxUsedSpaceRatio: 95,
}

/** A message that waits for `waits`, and a log of 20 files behind it, at a broker whose fileReservedTime is then 0. */
async function lowered(properties: (nowMs: number) => Record<string, string>) {
  const machine = new PopMachine(3, config)
  await machine.boot()
  const { peer } = new Popper(machine.client('p'))
  await peer.send('T', 'waits', { properties: properties(machine.clock.now()) })
  for (let n = 0; n < 20; n++) await peer.send('U', 'x'.repeat(60_000))
  await machine.clock.advanceAsync(2000)
  await machine.settle(machine.broker.stop())
  machine.kill()
  machine.change({ fileReservedTime: 0 })
  await machine.boot()
  const store = () => (machine.broker as unknown as { life: { store: Store } }).life.store
  const events = (name: string) => machine.events.filter(event => event.name === name)
  return { machine, store, held: () => events('commit log segments stay longer than fileReservedTime'), events }
}

const kinds: [string, (nowMs: number) => Record<string, string>][] = [
  ['a time of delivery', nowMs => ({ [PropertyName.timerDeliverMs]: String(nowMs + 5 * minute) })],
  ['a delay level', () => ({ DELAY: '2' })],
]
for (const [kind, properties] of kinds) {
  test(`a message with ${kind} is not lost where fileReservedTime is lowered, and its log goes behind it`, async () => {
    const { machine, store, held } = await lowered(properties)
    await machine.clock.advanceAsync(3 * minute)
    assert.equal(store().minPhysicalOffset, 0)
    assert.equal(held().length, 1)
    await machine.clock.advanceAsync(2.5 * minute)
    assert.equal(store().maxOffset('T', 0), 1)
    await machine.clock.advanceAsync(2 * minute)
    assert.ok(store().minPhysicalOffset > 15 * 64 * 1024, `${store().minPhysicalOffset}`)
    await machine.settle(machine.broker.stop())
  })

  test(`a disk that is short takes a message with ${kind} all the same, and that is told`, async () => {
    const { machine, store, events } = await lowered(properties)
    await machine.clock.advanceAsync(1.5 * minute)
    machine.disk.faults.bytesUntilFull = 100_000
    await machine.clock.advanceAsync(minute)
    assert.ok(store().minPhysicalOffset > 0)
    machine.disk.faults.bytesUntilFull = Number.POSITIVE_INFINITY
    await machine.clock.advanceAsync(4 * minute)
    const told = [...events('timer lost'), ...events('delayed messages are lost with the log that held them')]
    assert.equal(told.length, 1)
    await machine.settle(machine.broker.stop())
  })
}

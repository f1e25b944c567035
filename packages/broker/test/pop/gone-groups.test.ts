import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deleteSubscriptionGroup, updateAndCreateSubscriptionGroup } from '@skua-mq/protocol'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

const groupFile = '/store/config/subscriptionGroup.json'
const topicFile = '/store/config/topics.json'

/** A machine on which two messages are in flight for the group. */
async function machine(config = {}) {
  const it = new PopMachine(1, config)
  await it.boot()
  const popper = new Popper(it.client('consumer'))
  for (const text of ['one', 'two']) await popper.peer.send('T', text, { queueId: 0 })
  await it.settle(it.clock.advanceAsync(10_000))
  // What another group has in flight for long keeps a start reading from before.
  await new Popper(it.client('other'), 'T', 'other').pop({ invisibleTime: 600_000 })
  assert.deepEqual(texts(await popper.pop({ invisibleTime: 20_000 })), ['one', 'two'])
  return { it, popper }
}

/** A broker on this machine that has lost a table: as a slave that took over before it heard of the group, or one whose disk failed. */
async function withoutFile(it: PopMachine, path: string): Promise<Popper> {
  it.kill()
  for (const file of [path, `${path}.bak`]) if (it.disk.stat(file) !== undefined) it.disk.remove(file)
  await it.boot()
  return new Popper(it.client('later'))
}

async function until(it: PopMachine, popper: Popper): Promise<string[]> {
  const got: string[] = []
  for (let n = 0; n < 60 && got.length < 2; n++) {
    got.push(...texts(await popper.pop({ pollTime: 0 })))
    await it.settle(it.clock.advanceAsync(2000))
  }
  return got.sort()
}

describe('messages in flight', () => {
  test('of a group that is not known after a crash come again', async () => {
    const { it } = await machine()
    const popper = await withoutFile(it, groupFile)
    await it.settle(it.clock.advanceAsync(60_000))
    assert.deepEqual(await until(it, popper), ['one', 'two'])
  })

  test('of a group that may not be made wait until an operator makes it', async () => {
    const { it } = await machine()
    it.change({ autoCreateSubscriptionGroup: false })
    const popper = await withoutFile(it, groupFile)
    await it.settle(it.clock.advanceAsync(100_000))
    const told = it.events.filter(({ name }) => name === 'messages that were not acknowledged wait')
    assert.equal(told.length, 1)
    assert.match(String(told[0]!.fields['remark']), /group g is not known here.*autoCreateSubscriptionGroup/)
    const body = updateAndCreateSubscriptionGroup.body!.encode({ groupName: 'g', consumeEnable: true } as never)
    assert.equal((await popper.peer.ask(updateAndCreateSubscriptionGroup, {}, body)).code, 0)
    await it.settle(it.clock.advanceAsync(70_000))
    assert.deepEqual(await until(it, popper), ['one', 'two'])
  })

  test('of a topic that is not known wait until it is', async () => {
    const { it } = await machine()
    const popper = await withoutFile(it, topicFile)
    await it.settle(it.clock.advanceAsync(100_000))
    await popper.peer.send('T', 'three', { queueId: 1 })
    await it.settle(it.clock.advanceAsync(70_000))
    const got: string[] = []
    for (let n = 0; n < 30; n++) {
      for (const popped of await popper.pop({ pollTime: 0 })) {
        got.push(popped.text)
        await popper.ack(popped)
      }
      await it.settle(it.clock.advanceAsync(2000))
    }
    assert.deepEqual(got.sort(), ['one', 'three', 'two'])
  })

  for (const [how, end] of [
    ['a kill', (it: PopMachine) => it.kill()],
    ['a power cut', (it: PopMachine) => it.powerCut()],
  ] as const)
    for (const cleanOffset of [true, false])
      test(`of a deleted group do not come to one of its name, after ${how}; offsets deleted: ${cleanOffset}`, async () => {
        const { it, popper } = await machine({ flushDiskType: 'SYNC_FLUSH' })
        const header = { groupName: 'g', cleanOffset }
        assert.equal((await popper.peer.ask(deleteSubscriptionGroup, header)).code, 0)
        end(it)
        await it.boot()
        // What it gets of the topic itself is not theirs: only retries were in flight.
        const next = new Popper(it.client('next'))
        const got: string[] = []
        for (let n = 0; n < 40; n++) {
          for (const popped of await next.pop({ initMode: 1, pollTime: 0 })) {
            if (popped.message.reconsumeTimes > 0) got.push(popped.text)
            await next.ack(popped)
          }
          await it.settle(it.clock.advanceAsync(2000))
        }
        assert.deepEqual(got, [])
      })

  for (const isKilled of [false, true])
    test(`that a member takes while the disk has not taken the deletion are its own; killed: ${isKilled}`, async () => {
      const { it, popper } = await machine({ flushDiskType: 'SYNC_FLUSH' })
      for (const text of ['three', 'four']) await popper.peer.send('T', text, { queueId: 1 })
      it.disk.faults.slow({ on: 'sync', ms: 3000, path: 'subscriptionGroup' })
      const header = { groupName: 'g', cleanOffset: false }
      const deleting = popper.peer.remoting.request(it.address, deleteSubscriptionGroup, header, { timeoutMs: 60_000 })
      await it.settle(it.clock.advanceAsync(1000))
      assert.deepEqual(texts(await popper.pop({ invisibleTime: 20_000 })), ['four', 'three'])
      it.disk.faults.clear()
      assert.equal((await it.settle(deleting)).code, 0)
      if (isKilled) {
        it.kill()
        await it.boot()
      }
      const next = isKilled ? new Popper(it.client('next')) : popper
      await it.settle(it.clock.advanceAsync(10_000))
      assert.deepEqual(texts(await next.pop()), [])
      await it.settle(it.clock.advanceAsync(40_000))
      assert.deepEqual(await until(it, next), ['four', 'three'])
    })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  changeMessageInvisibleTime,
  deleteSubscriptionGroup,
  deleteTopicInBroker,
  getMaxOffset,
  invokeBrokerToResetOffset,
  parseExtraInfo,
  updateAndCreateTopic,
} from '@skua-mq/protocol'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

async function machine(config = {}) {
  const it = new PopMachine(3, config)
  await it.boot()
  return { it, popper: new Popper(it.client('member')) }
}

const reset = (offset: number) => ({ topic: 'T', group: 'g', timestamp: 0, isForce: true, queueId: 0, offset })

test('a reset that was answered outlives a kill right behind it', async () => {
  const { it, popper } = await machine()
  for (let n = 0; n < 4; n++) await popper.peer.send('T', `m${n}`)
  await it.clock.advanceAsync(6000)
  for (const one of await popper.pop()) await popper.ack(one)
  assert.equal((await popper.peer.ask(invokeBrokerToResetOffset, reset(1))).code, 0)
  it.kill()
  await it.boot()
  assert.deepEqual(texts(await new Popper(it.client('member')).pop()), ['m1', 'm2', 'm3'])
})

test('what a topic held before it was deleted and made again does not move its groups', async () => {
  for (const isKilledBefore of [false, true]) {
    const { it, popper } = await machine()
    for (let n = 0; n < 4; n++) await popper.peer.send('T', `old${n}`)
    await it.clock.advanceAsync(6000)
    const [, , , last] = await popper.pop({ invisibleTime: 20_000 })
    await popper.ack(last!)
    assert.equal((await popper.peer.ask(deleteTopicInBroker, { topic: 'T' })).code, 0)
    if (isKilledBefore) {
      it.kill()
      await it.boot()
    }
    const before = new Popper(it.client('member'))
    const config = {
      topic: 'T',
      readQueueNums: 4,
      writeQueueNums: 4,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      order: false,
    }
    await before.peer.ask(updateAndCreateTopic, { ...config, defaultTopic: 'TBW102', topicSysFlag: 0 } as never)
    for (let n = 0; n < 3; n++) await before.peer.send('T', `new${n}`)
    it.kill()
    await it.boot()
    const after = new Popper(it.client('member'))
    const popped = await after.pop()
    assert.deepEqual(texts(popped), ['new0', 'new1', 'new2'], `killed before: ${isKilledBefore}`)
    for (const one of popped) await after.ack(one)
    // Nor do its check points bring again what lies at their places now.
    await it.clock.advanceAsync(30_000)
    assert.deepEqual(texts(await after.pop()), [])
  }
})

test('two changes of one message in the same moment, popped twice after a reset, are both taken', async () => {
  const { it, popper } = await machine()
  for (let n = 0; n < 4; n++) await popper.peer.send('T', `m${n}`)
  const first = await popper.pop()
  await popper.peer.ask(invokeBrokerToResetOffset, reset(0))
  await it.clock.advanceAsync(2000)
  const second = await popper.pop()
  assert.equal(second.length, 4)
  const changes = [first[2]!, second[2]!].map(({ handle }) => {
    const { queueId, queueOffset } = parseExtraInfo(handle)!
    const place = { consumerGroup: 'g', topic: 'T', queueId, offset: queueOffset!, extraInfo: handle }
    return popper.peer.remoting.request(it.address, changeMessageInvisibleTime, { ...place, invisibleTime: 1000 })
  })
  // A pop that begins at just that message, too.
  await popper.peer.ask(invokeBrokerToResetOffset, reset(2))
  const answers = await it.settle(Promise.all(changes))
  assert.deepEqual(
    answers.map(({ code }) => code),
    [0, 0],
  )
  await it.clock.advanceAsync(3000)
  assert.equal(texts(await popper.pop()).filter(text => text === 'm2').length, 3)
})

test('a message that cannot be read when its time is over keeps no other from coming again', async () => {
  const { it, popper } = await machine({ mappedFileSizeCommitLog: 64 * 1024 })
  await popper.peer.send('T', 'bad', { queueId: 0 })
  for (let n = 0; n < 3; n++) await popper.peer.send('U', 'x'.repeat(40_000))
  for (const queueId of [1, 2, 3]) await popper.peer.send('T', `good${queueId}`, { queueId })
  assert.deepEqual(texts(await popper.pop({ invisibleTime: 3000, queueId: 0 })), ['bad'])
  assert.equal((await popper.pop({ invisibleTime: 3000 })).length, 3)
  it.kill()
  await it.boot()
  it.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog/00000000000000000000' })
  await it.clock.advanceAsync(10_000)
  const after = new Popper(it.client('member'))
  assert.deepEqual(texts(await after.pop()), ['good1', 'good2', 'good3'])
  it.disk.faults.clear()
  await it.clock.advanceAsync(10_000)
  assert.deepEqual(texts(await after.pop()), ['bad'])
})

test('a message that cannot be read when its time is over keeps none that was popped with it from coming again', async () => {
  const { it, popper } = await machine({ mappedFileSizeCommitLog: 64 * 1024 })
  await popper.peer.send('T', 'bad', { queueId: 0 })
  for (let n = 0; n < 3; n++) await popper.peer.send('U', 'x'.repeat(40_000))
  for (const n of [1, 2, 3]) await popper.peer.send('T', `good${n}`, { queueId: 0 })
  let popped = texts(await popper.pop({ invisibleTime: 3000, queueId: 0 }))
  assert.deepEqual(popped, ['bad', 'good1', 'good2', 'good3'])
  it.kill()
  await it.boot()
  it.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog/00000000000000000000' })
  await it.clock.advanceAsync(10_000)
  const after = new Popper(it.client('member'))
  popped = texts(await after.pop())
  assert.deepEqual(popped, ['good1', 'good2', 'good3'])
  it.disk.faults.clear()
  await it.clock.advanceAsync(10_000)
  assert.deepEqual(texts(await after.pop()), ['bad'])
})

test('a change of a message that is not of the last pop in order leaves nothing behind', async () => {
  const { it, popper } = await machine()
  for (let n = 0; n < 40; n++) await popper.peer.send('T', `m${n}`)
  const [one] = await popper.pop({ order: true, maxMsgNums: 1, queueId: 0 })
  const info = parseExtraInfo(one!.handle)!
  const ask = (offset: number) => {
    const place = { consumerGroup: 'g', topic: 'T', queueId: 0, offset, extraInfo: one!.handle }
    return popper.peer.ask(changeMessageInvisibleTime, { ...place, invisibleTime: 60_000 })
  }
  for (let offset = 0; offset < 40; offset++) await ask(offset)
  await it.clock.advanceAsync(6000)
  const file = it.disk.readFile('/store/config/consumerOrderInfo.json').toString()
  assert.deepEqual(
    [...file.matchAll(/"ot":\{([^}]*)\}/g)].map(([, text]) => text!.split(',').length),
    [1],
    file,
  )
  assert.equal(info.reviveQid, 999)
})

for (const what of ['group', 'topic'] as const)
  test(`a ${what} that is deleted while its messages come again gets no further ones`, async () => {
    const { it, popper } = await machine({ mappedFileSizeCommitLog: 64 * 1024 })
    for (let n = 0; n < 6; n++) await popper.peer.send('T', `m${n}${'x'.repeat(40_000)}`, { queueId: 0 })
    assert.equal((await popper.pop({ invisibleTime: 3000, queueId: 0 })).length, 6)
    it.kill()
    await it.boot()
    const after = new Popper(it.client('member'))
    it.disk.faults.slow({ on: 'read', ms: 400, path: 'commitlog' })
    await it.clock.advanceAsync(4000)
    const copies = async () =>
      (await after.peer.ask(getMaxOffset, { topic: '%RETRY%g_T', queueId: 0 })).header?.offset ?? 0
    const before = await copies()
    assert.ok(before > 0 && before < 5, `${before} copies`)
    const reply =
      what === 'group'
        ? await after.peer.ask(deleteSubscriptionGroup, { groupName: 'g', cleanOffset: true } as never)
        : await after.peer.ask(deleteTopicInBroker, { topic: 'T' })
    assert.equal(reply.code, 0, reply.remark)
    const left = await copies()
    assert.ok(left < 5, `${left} copies`)
    await it.clock.advanceAsync(20_000)
    assert.ok((await copies()) <= left, `${await copies()} copies`)
    await it.settle(it.broker.stop())
  })

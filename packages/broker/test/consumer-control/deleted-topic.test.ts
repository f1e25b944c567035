import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cloneGroupOffset,
  consumerOffsetFile,
  decodeRecords,
  deleteSubscriptionGroup,
  deleteTopicInBroker,
  invokeBrokerToResetOffset,
  pullMessage,
  queryConsumerOffset,
  updateAndCreateSubscriptionGroup,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import type { Store } from '@skua-mq/store'
import type { Furnished } from '../../src/features.ts'
import { groupConfig } from '../../src/group/group-table.ts'
import { insideOf, type Peer, World } from '../world.ts'

const queue = { consumerGroup: 'g', topic: 'T', queueId: 0 }
const pull = (peer: Peer, queueOffset: number, more: object = {}) =>
  peer.ask(pullMessage, {
    ...queue,
    queueOffset,
    maxMsgNums: 32,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: '*',
    subVersion: 1,
    ...more,
  })

async function resetTo(offset: number) {
  const world = await new World({ dialect: '4.9', defaultTopicQueueNums: 1 }).start()
  const [member, tool] = [world.client('member'), world.client('tool')]
  await tool.ask(updateAndCreateSubscriptionGroup, {}, groupConfig('g'))
  for (let i = 0; i < 10; i++) await member.send('T', `old${i}`)
  await member.consume('g', ['T'])
  await tool.ask(invokeBrokerToResetOffset, {
    topic: 'T',
    group: 'g',
    timestamp: -1,
    isForce: true,
    queueId: 0,
    offset,
  })
  return { world, member, tool }
}

test('a reset that nobody has heard of goes with its topic: the next one of the name is read from its beginning', async () => {
  const { world, member, tool } = await resetTo(7)
  await tool.ask(deleteTopicInBroker, { topic: 'T' })
  for (let i = 0; i < 10; i++) await member.send('T', `new${i}`)
  const found = await pull(member, 0)
  assert.deepEqual([found.code, [...decodeRecords(found.body ?? Buffer.alloc(0))].length], [0, 10])
  await member.ask(updateConsumerOffset, { ...queue, commitOffset: 10 })
  assert.equal((await member.ask(queryConsumerOffset, queue)).header.offset, 10)
  await world.stop()
})

test('and with its group, where the offsets go too', async () => {
  const { world, member, tool } = await resetTo(7)
  await tool.ask(deleteSubscriptionGroup, { groupName: 'g', removeOffset: true })
  await tool.ask(updateAndCreateSubscriptionGroup, {}, groupConfig('g'))
  await member.ask(updateConsumerOffset, { ...queue, commitOffset: 3 })
  assert.equal((await member.ask(queryConsumerOffset, queue)).header.offset, 3)
  assert.equal((await pull(member, 3)).code, 0)
  await world.stop()
})

test('a pull that is held hears that its topic is deleted, and misses nothing of the next one of the name', async () => {
  const world = await new World({ dialect: '4.9', defaultTopicQueueNums: 1 }).start()
  const [member, tool, sender] = [world.client('member'), world.client('tool'), world.client('sender')]
  for (let i = 0; i < 5; i++) await sender.send('T', `old${i}`)
  await member.consume('g', ['T'])
  const held = pull(member, 5, { sysFlag: 6, suspendTimeoutMillis: 20_000 })
  await tool.ask(deleteTopicInBroker, { topic: 'T' })
  await sender.send('T', 'new0')
  const told = await held
  assert.deepEqual([told.code, told.header.nextBeginOffset], [21, 0])
  assert.equal((await pull(member, 0)).code, 0)
  await world.stop()
})

test('what a consumer commits of a topic that is deleted counts nothing for the next one of the name', async () => {
  const world = await new World({ dialect: '4.9', defaultTopicQueueNums: 1 }).start()
  const [member, tool] = [world.client('member'), world.client('tool')]
  for (let i = 0; i < 10; i++) await member.send('T', `old${i}`)
  await member.consume('g', ['T'])
  await member.ask(updateConsumerOffset, { ...queue, commitOffset: 9 })
  await tool.ask(deleteTopicInBroker, { topic: 'T' })
  assert.equal((await member.ask(updateConsumerOffset, { ...queue, commitOffset: 10 })).code, 0)
  for (let i = 0; i < 20; i++) await member.send('T', `new${i}`)
  assert.equal((await member.ask(queryConsumerOffset, queue)).header.offset, 0)
  await world.stop()
})

test('that the offsets of a topic are gone, and those of a reset there, is on disk when it is answered', async () => {
  const { world, member, tool } = await resetTo(7)
  const saved = () => {
    const bytes = world.runtime.disk.readFile('/store/config/consumerOffset.json')
    return consumerOffsetFile.decode(bytes).offsetTable.get('T@g')?.get(0)
  }
  assert.equal(saved(), 7)
  await pull(member, 10)
  await member.ask(updateConsumerOffset, { ...queue, commitOffset: 9 })
  await world.pass(6000)
  assert.equal(saved(), 9)
  await tool.ask(cloneGroupOffset, { srcGroup: 'g', destGroup: 'h', topic: 'T', offline: true })
  await tool.ask(deleteTopicInBroker, { topic: 'T' })
  assert.equal(saved(), undefined)
  await world.stop()
})

test('a reset that is still looking for its place when topic or group goes leaves no offset behind', async () => {
  const gone = [
    { code: 17, remove: (peer: Peer) => peer.ask(deleteTopicInBroker, { topic: 'T' }) },
    { code: 26, remove: (peer: Peer) => peer.ask(deleteSubscriptionGroup, { groupName: 'g', cleanOffset: true }) },
  ]
  for (const { code, remove } of gone) {
    const { world, tool } = await resetTo(7)
    const { tables } = insideOf<{ tables: Furnished }>(world.broker)
    const { store } = insideOf<{ store: Store }>(world.broker)
    let go = () => {}
    store.offsetByTime = () => new Promise(resolve => (go = () => resolve(5)))
    const reset = tool.ask(invokeBrokerToResetOffset, { topic: 'T', group: 'g', timestamp: 1, isForce: true })
    await world.pass(100)
    await remove(world.client('other'))
    go()
    assert.equal((await reset).code, code)
    assert.equal(tables.offsets.find('g', 'T', 0), undefined)
    assert.equal(tables.resets.isPending('g', 'T', 0), false)
    await world.stop()
  }
})

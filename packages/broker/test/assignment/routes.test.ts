import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  getAllMessageRequestMode,
  messageRequestModeFile,
  type QueryAssignment,
  queryAssignment,
  setMessageRequestMode,
} from '@skua-mq/protocol'
import { PopMachine } from '../pop/pop-machine.ts'
import { type Peer, World } from '../world.ts'

async function world(config = {}) {
  const it = await new World(config).start()
  const member = it.client('b-member')
  await member.send('T', 'one')
  await member.consume('g', ['T'])
  return { it, member }
}

const wish = {
  topic: 'T',
  consumerGroup: 'g',
  clientId: 'b-member',
  strategyName: 'AVG',
  messageModel: 'CLUSTERING' as const,
}

async function assigned(peer: Peer, changes: Partial<QueryAssignment> = {}): Promise<string[] | undefined> {
  const reply = await peer.ask(queryAssignment, {}, { ...wish, ...changes })
  assert.equal(reply.code, 0)
  const { messageQueueAssignments } = queryAssignment.replyBody!.decode(reply.body!)
  return messageQueueAssignments?.map(({ mode, messageQueue }) => `${mode} ${messageQueue.queueId}`)
}

const pop = (popShareQueueNum: number) => ({ topic: 'T', consumerGroup: 'g', mode: 'POP' as const, popShareQueueNum })

test('queues are shared out among the members that are online, as the client would', async () => {
  const { it, member } = await world()
  assert.deepEqual(await assigned(member), ['PULL 0', 'PULL 1', 'PULL 2', 'PULL 3'])
  const others = ['a-member', 'c-member'].map(name => it.client(name))
  for (const other of others) await other.consume('g', ['T'])
  assert.deepEqual(await assigned(member), ['PULL 2'])
  assert.deepEqual(await assigned(member, { clientId: 'a-member' }), ['PULL 0', 'PULL 1'])
  assert.deepEqual(await assigned(member, { strategyName: 'AVG_BY_CIRCLE', clientId: 'a-member' }), [
    'PULL 0',
    'PULL 3',
  ])
  assert.deepEqual(await assigned(member, { messageModel: 'BROADCASTING' }), ['PULL 0', 'PULL 1', 'PULL 2', 'PULL 3'])
  assert.deepEqual(await assigned(member, { clientId: 'nobody' }), [])
  await it.stop()
})

test('where nothing is known the client is told nothing, and keeps what it has', async () => {
  const { it, member } = await world()
  assert.equal(await assigned(member, { topic: 'Nowhere' }), undefined)
  assert.equal(await assigned(member, { consumerGroup: 'nobody' }), undefined)
  assert.equal(await assigned(member, { strategyName: 'MACHINE_ROOM' }), undefined)
  await it.stop()
})

test('a group that pops has all queues, or those of its neighbours as well', async () => {
  const { it, member } = await world()
  assert.equal((await member.ask(setMessageRequestMode, {}, pop(0))).code, 0)
  assert.deepEqual(await assigned(member), ['POP -1'])
  for (const name of ['a-member', 'c-member', 'd-member']) await it.client(name).consume('g', ['T'])
  assert.deepEqual(await assigned(member), ['POP -1'])
  assert.equal((await member.ask(setMessageRequestMode, {}, pop(1))).code, 0)
  assert.deepEqual(await assigned(member), ['POP 1', 'POP 2'])
  assert.deepEqual(await assigned(member, { clientId: 'd-member' }), ['POP 3', 'POP 0'])
  assert.deepEqual(
    await assigned(member, { topic: '%RETRY%g', clientId: 'a-member' }),
    ['PULL 0'],
    'its retry topic is shared out, not popped',
  )
  await it.stop()
})

test('what a mode cannot be set for is refused', async () => {
  const { it, member } = await world({ autoCreateSubscriptionGroup: false })
  const code = async (changes: object) => (await member.ask(setMessageRequestMode, {}, { ...pop(0), ...changes })).code
  assert.equal(await code({ topic: '%RETRY%g', clientId: 'a-member' }), 16)
  assert.equal(await code({ topic: 'Nowhere' }), 17)
  assert.equal(await code({ consumerGroup: 'nobody' }), 26)
  await it.stop()
})

test('modes outlive a restart, in RocketMQ’s file', async () => {
  const machine = new PopMachine(1)
  await machine.boot()
  const peer = machine.client('tool')
  await peer.send('T', 'one')
  assert.equal((await peer.ask(setMessageRequestMode, {}, pop(3))).code, 0)
  machine.kill()
  await machine.boot()
  const reply = await machine.client('tool').ask(getAllMessageRequestMode, {})
  assert.equal(
    reply.body!.toString(),
    '{"messageRequestModeMap":{"T":{"g":{"consumerGroup":"g","mode":"POP","popShareQueueNum":3,"topic":"T"}}}}',
  )
  const text = messageRequestModeFile.encode({ messageRequestModeMap: new Map([['T', new Map([['g', pop(3)]])]]) })
  assert.match(text.toString(), /^\{\n\t"messageRequestModeMap":\{\n\t\t"T":\{\n\t\t\t"g":\{\n/)
  await machine.settle(machine.broker.stop())
})

test('of two modes that cannot be saved neither is taken', async () => {
  const { it, member } = await world()
  it.runtime.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'messageRequestMode' })
  const asked = [1, 2].map(share => member.ask(setMessageRequestMode, {}, pop(share)))
  for (const { code } of await Promise.all(asked)) assert.equal(code, 1)
  assert.deepEqual(await assigned(member), ['PULL 0', 'PULL 1', 'PULL 2', 'PULL 3'])
  await it.stop()
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  consumeMessageDirectly,
  decodeRecords,
  getConsumerRunningInfo,
  getConsumerStatusFromClient,
  getSubscriptionGroupConfig,
  type HeaderOf,
  invokeBrokerToGetConsumerStatus,
  invokeBrokerToResetOffset,
  type MessageQueue,
  pullMessage,
  queryConsumerOffset,
  resetConsumerClientOffset,
  updateAndCreateSubscriptionGroup,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { noReply, ok, type Route, route } from '@skua-mq/remoting'
import { groupConfig } from '../../src/group/group-table.ts'
import { type Peer, World } from '../world.ts'

const reset = (change: Partial<HeaderOf<typeof invokeBrokerToResetOffset>> = {}) => ({
  topic: 'T',
  group: 'g',
  timestamp: 0,
  isForce: true,
  ...change,
})
const queue: MessageQueue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }

const pull = (peer: Peer, queueOffset: number, more: object = {}) =>
  peer.ask(pullMessage, {
    consumerGroup: 'g',
    topic: 'T',
    queueId: 0,
    queueOffset,
    maxMsgNums: 32,
    sysFlag: 4,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: '*',
    subVersion: 1,
    ...more,
  })
const commit = (peer: Peer, commitOffset: number) =>
  peer.ask(updateConsumerOffset, { consumerGroup: 'g', topic: 'T', queueId: 0, commitOffset })
const committed = async (peer: Peer) =>
  (await peer.ask(queryConsumerOffset, { consumerGroup: 'g', topic: 'T', queueId: 0 })).header.offset

async function world(config: Record<string, unknown> = {}, routes: Route[] = []) {
  const world = await new World({ defaultTopicQueueNums: 1, ...config }).start()
  const member = world.client('member', routes)
  await member.ask(updateAndCreateSubscriptionGroup, {}, groupConfig('g'))
  for (let i = 0; i < 10; i++) {
    await member.send('T', `m${i}`)
    await world.pass(1000)
  }
  return { world, member, tool: world.client('tool') }
}

const offsetsOf = (body: Uint8Array | undefined) =>
  [...invokeBrokerToResetOffset.replyBody!.decode(body!).offsetTable].map(([{ queueId }, offset]) => [queueId, offset])

test('222 resets at the broker with nobody online: by time, to the newest, to an offset of one queue', async () => {
  const { world: at, member, tool } = await world()
  await commit(member, 9)
  const third = 1_767_225_600_000 + 2500
  const byTime = await tool.ask(invokeBrokerToResetOffset, reset({ timestamp: third }))
  assert.deepEqual(offsetsOf(byTime.body), [[0, await committed(member)]])
  assert.ok([2, 3].includes(await committed(member)))
  await tool.ask(invokeBrokerToResetOffset, reset({ timestamp: -1 }))
  assert.equal(await committed(member), 10)
  await tool.ask(invokeBrokerToResetOffset, reset({ queueId: 0, offset: 4 }))
  assert.equal(await committed(member), 4)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset({ queueId: 0, offset: 11 }))).code, 0)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset({ queueId: 0, offset: 12 }))).code, 1)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset({ queueId: 5 }))).code, 1)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset({ topic: 'None' }))).code, 17)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset({ group: 'nobody' }))).code, 26)
  assert.equal((await tool.ask(getSubscriptionGroupConfig, { group: 'nobody' })).code, 26)
  await at.stop()
})

test('a running consumer hears of a reset by its next pull, and what it commits until then counts nothing', async () => {
  const { world: at, member, tool } = await world()
  await member.consume('g', ['T'])
  await commit(member, 9)
  await tool.ask(invokeBrokerToResetOffset, reset({ timestamp: 0 }))
  assert.equal((await commit(member, 10)).code, 0)
  assert.equal(await committed(member), 0)
  const told = await pull(member, 9, { sysFlag: 5, commitOffset: 9 })
  assert.deepEqual(
    [told.code, told.remark, told.header.nextBeginOffset, told.header.maxOffset],
    [21, 'OFFSET_RESET', 0, 10],
  )
  assert.equal(await committed(member), 0)
  const next = await pull(member, 0)
  assert.equal([...decodeRecords(next.body!)].length, 10)
  await commit(member, 3)
  assert.equal(await committed(member), 3)
  await at.stop()
})

test('a reset to the end is told also to who has pulled everything, and its old offset counts nothing before', async () => {
  const { world: at, member, tool } = await world()
  await member.consume('g', ['T'])
  await commit(member, 5)
  await tool.ask(invokeBrokerToResetOffset, reset({ timestamp: -1 }))
  await commit(member, 6)
  assert.equal(await committed(member), 10)
  const told = await pull(member, 10)
  assert.deepEqual([told.code, told.header.nextBeginOffset], [21, 10])
  const held = await pull(member, 10)
  assert.equal(held.code, 19)
  assert.equal(await committed(member), 10)
  await at.stop()
})

for (const [where, place] of [
  ['back', 4],
  ['forward', 8],
  ['to where it stands', 6],
] as const)
  test(`a reset of one queue ${where}, as the tool of 5.x asks for it, reaches the consumer`, async () => {
    const { world: at, member, tool } = await world()
    await member.consume('g', ['T'])
    await commit(member, 6)
    await pull(member, 6)
    // The tool commits the place itself, and asks without isForce.
    await commit(tool, place)
    const done = await tool.ask(
      invokeBrokerToResetOffset,
      reset({ timestamp: -1, isForce: false, queueId: 0, offset: place }),
    )
    assert.deepEqual(offsetsOf(done.body), [[0, place]])
    await commit(member, 10)
    assert.equal(await committed(member), place)
    const told = await pull(member, 10)
    assert.deepEqual([told.code, told.header.nextBeginOffset], [21, place])
    await at.stop()
  })

test('a pull that is held hears of a reset at once', async () => {
  const { world: at, member, tool } = await world()
  await member.consume('g', ['T'])
  const held = member.remoting.request(
    at.address,
    pullMessage,
    {
      consumerGroup: 'g',
      topic: 'T',
      queueId: 0,
      queueOffset: 10,
      maxMsgNums: 32,
      sysFlag: 6,
      commitOffset: 0,
      suspendTimeoutMillis: 15_000,
      subscription: '*',
      subVersion: 1,
    },
    { timeoutMs: 20_000 },
  )
  await at.pass(100)
  assert.equal(at.broker.heldPulls, 1)
  const begun = at.runtime.clock.monotonic()
  await tool.ask(invokeBrokerToResetOffset, reset())
  const told = await at.settle(held)
  assert.deepEqual([told.code, told.header.nextBeginOffset], [21, 0])
  assert.ok(at.runtime.clock.monotonic() - begun < 100)
  await at.stop()
})

test('without isForce a reset goes back only', async () => {
  const { world: at, member, tool } = await world()
  await commit(member, 5)
  const kept = await tool.ask(invokeBrokerToResetOffset, reset({ timestamp: -1, isForce: false }))
  assert.deepEqual(offsetsOf(kept.body), [[0, 5]])
  assert.equal(await committed(member), 5)
  await tool.ask(invokeBrokerToResetOffset, reset({ timestamp: 0, isForce: false }))
  assert.equal(await committed(member), 0)
  await at.stop()
})

test('without useServerSideResetOffset the members are told by 220, each in the form that its language reads', async () => {
  const bodies: string[] = []
  const routes = [
    route(resetConsumerClientOffset, (_header, { body }) => {
      bodies.push(Buffer.from(body).toString())
      return noReply
    }),
  ]
  const { world: at, member, tool } = await world({ useServerSideResetOffset: false }, routes)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset())).code, 1)
  await commit(member, 5)
  assert.equal((await tool.ask(invokeBrokerToResetOffset, reset())).code, 206)
  await member.consume('g', ['T'])
  const told = await tool.ask(invokeBrokerToResetOffset, reset())
  assert.deepEqual(offsetsOf(told.body), [[0, 0]])
  await at.pass(100)
  assert.deepEqual(bodies, ['{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:0}}'])
  assert.equal(await committed(member), 5)
  await at.stop()
})

test('307 is handed to the client with all fields of the tool, and its answer back as it is', async () => {
  const seen: Record<string, string>[] = []
  const routes = [
    route(getConsumerRunningInfo, (_header, { command }) => {
      seen.push(command.extFields)
      return { ...ok({}, Buffer.from('{"info":1}')), remark: 'fine' }
    }),
  ]
  const { world: at, member, tool } = await world({}, routes)
  const wish = { consumerGroup: 'g', clientId: 'member', jstackEnable: true }
  const absent = await tool.ask(getConsumerRunningInfo, wish)
  assert.equal(absent.code, 1)
  assert.match(absent.remark ?? '', /<g> <member> not online/)
  await member.consume('g', ['T'])
  const reply = await tool.ask(getConsumerRunningInfo, wish, undefined, { AccessKey: 'me' })
  assert.deepEqual([reply.code, reply.remark, Buffer.from(reply.body!).toString()], [0, 'fine', '{"info":1}'])
  assert.deepEqual([seen[0]?.['AccessKey'], seen[0]?.['jstackEnable']], ['me', 'true'])
  await at.stop()
})

test('a client that does not answer is 207 after 10 s; one that is too old is not asked', async () => {
  const { world: at, member, tool } = await world()
  await member.consume('g', ['T'])
  at.runtime.network.partition('broker', 'member')
  const wish = { consumerGroup: 'g', clientId: 'member', jstackEnable: false }
  assert.equal((await tool.ask(getConsumerRunningInfo, wish)).code, 207)
  at.runtime.network.healAll()
  const old = at.client('old', [], 61)
  await old.consume('g', ['T'])
  const refused = await tool.ask(getConsumerRunningInfo, { ...wish, clientId: 'old' })
  assert.deepEqual([refused.code, refused.remark?.includes('61')], [1, true])
  await at.stop()
})

test('309 gives the client the stored message and the name of its broker', async () => {
  const given: [string | undefined, string][] = []
  const routes = [
    route(consumeMessageDirectly, ({ brokerName }, { body }) => {
      given.push([brokerName, [...decodeRecords(body)].map(message => Buffer.from(message.body).toString()).join()])
      return ok(
        {},
        consumeMessageDirectly.replyBody!.encode({
          order: false,
          autoCommit: true,
          consumeResult: 'CR_SUCCESS',
          remark: undefined,
          spentTimeMills: 3,
        }),
      )
    }),
  ]
  const { world: at, member, tool } = await world({}, routes)
  await member.consume('g', ['T'])
  const sent = await member.send('T', 'again')
  const wish = { consumerGroup: 'g', clientId: 'member', msgId: sent.header.msgId }
  const reply = await tool.ask(consumeMessageDirectly, wish)
  assert.equal(consumeMessageDirectly.replyBody!.decode(reply.body!).consumeResult, 'CR_SUCCESS')
  assert.deepEqual(given, [['broker-a', 'again']])
  assert.equal((await tool.ask(consumeMessageDirectly, { ...wish, msgId: 'no id' })).code, 1)
  await at.stop()
})

test('223 collects where the members stand', async () => {
  const routes = [
    route(getConsumerStatusFromClient, () =>
      ok(
        {},
        getConsumerStatusFromClient.replyBody!.encode({
          messageQueueTable: new Map([[queue, 42]]),
          consumerTable: new Map(),
        }),
      ),
    ),
  ]
  const { world: at, member, tool } = await world({}, routes)
  assert.equal((await tool.ask(invokeBrokerToGetConsumerStatus, { topic: 'T', group: 'g' })).code, 1)
  await member.consume('g', ['T'])
  const reply = await tool.ask(invokeBrokerToGetConsumerStatus, { topic: 'T', group: 'g', clientAddr: '' })
  const { consumerTable } = invokeBrokerToGetConsumerStatus.replyBody!.decode(reply.body!)
  assert.deepEqual(
    [...consumerTable].map(([id, table]) => [id, [...table.values()]]),
    [['member', [42]]],
  )
  assert.equal(
    (await tool.ask(invokeBrokerToGetConsumerStatus, { topic: 'T', group: 'g', clientAddr: 'other' })).code,
    1,
  )
  await at.stop()
})

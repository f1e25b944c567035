import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkClientConfig,
  decodeRecords,
  pullMessage,
  type SubscriptionData,
  subscriptionData,
  updateAndCreateTopic,
} from '@skua-mq/protocol'
import { type Peer, World } from '../world.ts'

const sql = (topic: string, expression: string, subVersion = 1): SubscriptionData =>
  subscriptionData({ topic, expression, type: 'SQL92', subVersion })!

async function pull(
  peer: Peer,
  wish: {
    group: string
    topic: string
    text?: { type: string; expression: string }
    subVersion?: number
    offset?: number
    suspendMs?: number
  },
) {
  const reply = await peer.ask(pullMessage, {
    consumerGroup: wish.group,
    topic: wish.topic,
    queueId: 0,
    queueOffset: wish.offset ?? 0,
    maxMsgNums: 32,
    sysFlag: (wish.text === undefined ? 0 : 4) + (wish.suspendMs === undefined ? 0 : 2),
    commitOffset: 0,
    suspendTimeoutMillis: wish.suspendMs ?? 0,
    subscription: wish.text?.expression,
    subVersion: wish.subVersion ?? 1,
    expressionType: wish.text?.type ?? 'TAG',
  })
  const bodies = [...decodeRecords(reply.body ?? Buffer.alloc(0))].map(message => Buffer.from(message.body).toString())
  return {
    code: reply.code,
    remark: reply.remark ?? '',
    bodies,
    next: reply.code === 0 || reply.code === 20 ? reply.header.nextBeginOffset : -1,
  }
}

async function filled(config: Record<string, unknown> = {}) {
  const world = await new World({ enablePropertyFilter: true, ...config }).start()
  const peer = world.client('client')
  for (let i = 0; i < 10; i++)
    await peer.send('T', `m${i}`, { properties: { n: String(i), TAGS: i % 2 === 0 ? 'even' : 'odd' } })
  return { world, peer }
}

test('SQL of a heartbeat chooses at the broker, and the next offset passes what was looked at', async () => {
  const { world, peer } = await filled()
  await peer.consume('g', [sql('T', "n BETWEEN 3 AND 5 OR TAGS = 'even' AND n > 7")])
  const found = await pull(peer, { group: 'g', topic: 'T' })
  assert.deepEqual(found, { code: 0, remark: 'FOUND', bodies: ['m3', 'm4', 'm5', 'm8'], next: 10 })
  await peer.consume('none', [sql('T', 'unknown > 3')])
  assert.deepEqual(await pull(peer, { group: 'none', topic: 'T' }), {
    code: 20,
    remark: 'NO_MATCHED_MESSAGE',
    bodies: [],
    next: 10,
  })
  await world.stop()
})

test('SQL of a pull chooses too; a syntax error is refused with its position and a hint', async () => {
  const { world, peer } = await filled()
  const ask = (expression: string) => pull(peer, { group: 'p', topic: 'T', text: { type: 'SQL92', expression } })
  assert.deepEqual((await ask('n > 7')).bodies, ['m8', 'm9'])
  const refused = await ask('n >> 7')
  assert.equal(refused.code, 23)
  assert.match(refused.remark, /position 3/)
  const other = await pull(peer, { group: 'p', topic: 'T', text: { type: 'XPATH', expression: '/' } })
  assert.deepEqual([other.code, other.remark.includes('XPATH')], [23, true])
  await world.stop()
})

test('tags choose by hash; text of bars only is refused, and * is everything', async () => {
  const { world, peer } = await filled()
  const ask = (expression: string) => pull(peer, { group: 'p', topic: 'T', text: { type: 'TAG', expression } })
  assert.deepEqual((await ask('odd || nobody')).bodies, ['m1', 'm3', 'm5', 'm7', 'm9'])
  assert.equal((await ask('*')).bodies.length, 10)
  assert.equal((await ask('||')).code, 23)
  await peer.consume('g', [subscriptionData({ topic: 'T', expression: 'even', subVersion: 1 })!])
  assert.equal((await pull(peer, { group: 'g', topic: 'T' })).bodies.length, 5)
  await world.stop()
})

test('without enablePropertyFilter SQL is refused, and the refusal names the setting', async () => {
  const { world, peer } = await filled({ enablePropertyFilter: false })
  const check = { clientId: 'c', group: 'g', subscriptionData: sql('T', 'n > 1') }
  const checked = await peer.ask(checkClientConfig, {}, check)
  const byText = await pull(peer, { group: 'p', topic: 'T', text: { type: 'SQL92', expression: 'n > 1' } })
  await peer.consume('g', [sql('T', 'n > 1')])
  const byGroup = await pull(peer, { group: 'g', topic: 'T' })
  for (const reply of [checked, byText, byGroup]) {
    assert.equal(reply.code, 1)
    assert.match(reply.remark ?? '', /enablePropertyFilter/)
  }
  await world.stop()
})

test('46 accepts what compiles and refuses what does not with 23', async () => {
  const { world, peer } = await filled()
  const check = (subscription: SubscriptionData) =>
    peer.ask(checkClientConfig, {}, { clientId: 'c', group: 'g', subscriptionData: subscription })
  assert.equal((await check(sql('T', 'n > 1'))).code, 0)
  assert.equal((await check({ ...sql('T', 'x'), expressionType: 'TAG', subString: '*' })).code, 0)
  const refused = await check(sql('T', 'n > '))
  assert.equal(refused.code, 23)
  assert.match(refused.remark ?? '', /position 4/)
  await world.stop()
})

test('a filter that is unknown is 27, a subscription that is older than the pull 25', async () => {
  const { world, peer } = await filled()
  await peer.consume('g', [sql('T', 'not sql at all', 1)])
  assert.equal((await pull(peer, { group: 'g', topic: 'T' })).code, 27)
  await peer.consume('h', [sql('T', 'n > 1', 1)])
  assert.equal((await pull(peer, { group: 'h', topic: 'T', subVersion: 2 })).code, 25)
  await world.stop()
})

test('a pull by tags whose subscription is still to be told gets everything, for the client compares tags itself', async () => {
  const { world, peer } = await filled()
  await peer.consume('g', [subscriptionData({ topic: 'T', expression: 'even', subVersion: 1 })!])
  const early = await pull(peer, { group: 'g', topic: 'T', subVersion: 2 })
  assert.deepEqual([early.code, early.bodies.length], [0, 10])
  await peer.consume('g', [subscriptionData({ topic: 'T', expression: 'odd', subVersion: 2 })!])
  assert.deepEqual((await pull(peer, { group: 'g', topic: 'T', subVersion: 2 })).bodies, ['m1', 'm3', 'm5', 'm7', 'm9'])
  const sqlNow = await peer.ask(pullMessage, {
    consumerGroup: 'g',
    topic: 'T',
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 32,
    sysFlag: 0,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subscription: undefined,
    subVersion: 3,
    expressionType: 'SQL92',
  })
  assert.equal(sqlNow.code, 25)
  await world.stop()
})

test('a pull that is held goes by the subscription of its end: what the former one passed over is not lost', async () => {
  const { world, peer } = await filled()
  const tags = (expression: string, subVersion: number) =>
    peer.consume('g', [subscriptionData({ topic: 'T', expression, subVersion })!])
  const send = (body: string, tag: string) => peer.send('T', body, { properties: { TAGS: tag } })
  for (const wakesUp of [true, false]) {
    await tags('A', wakesUp ? 1 : 3)
    const offset = wakesUp ? 10 : 13
    const held = pull(peer, { group: 'g', topic: 'T', offset, subVersion: wakesUp ? 1 : 3, suspendMs: 10_000 })
    await world.pass(100)
    assert.equal(world.broker.heldPulls, 1)
    await send('passed over', 'B')
    await world.pass(100)
    assert.equal(world.broker.heldPulls, 1)
    await tags('B', wakesUp ? 2 : 4)
    if (wakesUp) {
      await send('of nobody', 'C')
      await send('wakes up', 'B')
    }
    assert.deepEqual((await held).bodies, ['passed over'])
  }
  await world.stop()
})

test('under filterSupportRetry a retried message is asked what its group wants of the topic it came from', async () => {
  for (const filterSupportRetry of [false, true]) {
    const { world, peer } = await filled({ filterSupportRetry })
    const retryTopic = {
      topic: '%RETRY%g',
      defaultTopic: 'TBW102',
      readQueueNums: 1,
      writeQueueNums: 1,
      perm: 6,
      topicFilterType: 'SINGLE_TAG',
      order: false,
    }
    await peer.consume('g', [sql('T', 'n > 5'), '%RETRY%g'])
    await peer.ask(updateAndCreateTopic, retryTopic)
    for (const n of [4, 6]) await peer.send('%RETRY%g', `r${n}`, { properties: { n: String(n), RETRY_TOPIC: 'T' } })
    const { bodies } = await pull(peer, { group: 'g', topic: '%RETRY%g' })
    assert.deepEqual(bodies, filterSupportRetry ? ['r6'] : ['r4', 'r6'])
    await world.stop()
  }
})

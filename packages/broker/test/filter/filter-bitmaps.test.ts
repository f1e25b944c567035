import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeRecords, pullMessage, queryConsumeQueue, subscriptionData } from '@skua-mq/protocol'
import { type Peer, World } from '../world.ts'

const settings = { enablePropertyFilter: true, enableConsumeQueueExt: true, enableCalcFilterBitMap: true }
const wish = (expression: string, subVersion: number) =>
  subscriptionData({ topic: 'T', expression, type: 'SQL92', subVersion })!

async function send(peer: Peer, from: number, to: number) {
  for (let n = from; n < to; n++) await peer.send('T', `m${n}`, { properties: { n: String(n) } })
}

async function pull(peer: Peer, consumerGroup: string, subVersion: number) {
  const reply = await peer.ask(pullMessage, {
    consumerGroup,
    topic: 'T',
    queueId: 0,
    queueOffset: 0,
    maxMsgNums: 32,
    sysFlag: 0,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subVersion,
    expressionType: 'SQL92',
  })
  return [...decodeRecords(reply.body ?? Buffer.alloc(0))].map(message => Buffer.from(message.body).toString())
}

async function units(peer: Peer, consumerGroup: string) {
  const reply = await peer.ask(queryConsumeQueue, { topic: 'T', queueId: 0, index: 0, count: 100, consumerGroup })
  return queryConsumeQueue.replyBody!.decode(reply.body!).queueData
}

test('a message notes which SQL92 groups want it, and 321 shows the note', async () => {
  const world = await new World(settings).start()
  const peer = world.client('client')
  await send(peer, 0, 2)
  await peer.consume('low', [wish('n < 4', 1)])
  await peer.consume('high', [wish('n >= 4', 1)])
  await send(peer, 2, 6)
  const seen = await units(peer, 'low')
  assert.deepEqual(
    seen.map(unit => [unit.bitMap !== undefined, unit.eval]),
    [
      [false, true],
      [false, true],
      [true, true],
      [true, true],
      [true, false],
      [true, false],
    ],
  )
  assert.equal(seen[0]?.tagsCode, -(2n ** 63n))
  const ones = seen.slice(2).map(unit => unit.bitMap!.replace(/[^1]/g, '').length)
  assert.deepEqual(ones, [3, 3, 3, 3])
  assert.notEqual(seen[3]?.bitMap, seen[4]?.bitMap)
  const noted = JSON.parse(seen[3]!.extendDataJson!)
  assert.deepEqual([noted.size, noted.tagsCode, Buffer.from(noted.filterBitMap, 'base64').length], [34, 0, 14])
  assert.deepEqual(await pull(peer, 'low', 1), ['m0', 'm1', 'm2', 'm3'])
  assert.deepEqual(await pull(peer, 'high', 1), ['m4', 'm5'])
  await world.stop()
})

test('notes made for another expression are not believed', async () => {
  const world = await new World(settings).start()
  const peer = world.client('client')
  await peer.consume('g', [wish('n < 2', 1)])
  await send(peer, 0, 4)
  await peer.consume('g', [wish('n >= 2', 2)])
  assert.deepEqual(await pull(peer, 'g', 2), ['m2', 'm3'])
  await send(peer, 4, 5)
  await peer.consume('g', [wish('n < 2', 3)])
  assert.deepEqual(await pull(peer, 'g', 3), ['m0', 'm1'])
  await world.stop()
})

test('without SQL92 groups, or without extended entries, nothing is noted', async () => {
  for (const further of [{}, { enableConsumeQueueExt: false }]) {
    const world = await new World({ ...settings, ...further }).start()
    const peer = world.client('client')
    await peer.consume('tags', ['T'])
    if ('enableConsumeQueueExt' in further) await peer.consume('g', [wish('n < 2', 1)])
    await send(peer, 0, 2)
    assert.deepEqual(
      (await units(peer, 'tags')).map(unit => unit.bitMap),
      [undefined, undefined],
    )
    await world.stop()
  }
})

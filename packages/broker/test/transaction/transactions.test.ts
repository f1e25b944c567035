import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  checkTransactionState,
  endTransaction,
  getPendingTransactions,
  offsetMessageId,
  readRecord,
  resumeCheckHalfMessage,
  type StoredMessage,
} from '@skua-mq/protocol'
import { noReply, route } from '@skua-mq/remoting'
import { maxOffset } from '../delay/max-offset.ts'
import { type Peer, World } from '../world.ts'

const opTopic = 'RMQ_SYS_TRANS_OP_HALF_TOPIC'
const fast = { transactionTimeOut: 2000, transactionCheckInterval: 5000, transactionCheckMax: 2 }

interface Asked {
  readonly halfOffset: number
  readonly physicalOffset: number
  readonly message: StoredMessage
}

/** A producer of group `tx` that keeps what it is asked. */
function producer(world: World, name = 'producer') {
  const asked: Asked[] = []
  const peer = world.client(name, [
    route(checkTransactionState, (header, { body }) => {
      asked.push({
        halfOffset: header.tranStateTableOffset,
        physicalOffset: header.commitLogOffset,
        message: readRecord(body)!.message,
      })
      return noReply
    }),
  ])
  return { peer, asked }
}

async function half(peer: Peer, properties: Record<string, string> = {}) {
  const sent = await peer.send('T', 'pay', {
    queueId: 1,
    sysFlag: 4,
    properties: { TRAN_MSG: 'true', PGROUP: 'tx', UNIQ_KEY: 'id', TAGS: 'A', ...properties },
  })
  assert.equal(sent.code, 0, sent.remark)
  assert.equal(sent.header?.queueId, 1)
  return {
    halfOffset: Number(sent.header?.queueOffset),
    physicalOffset: Number.parseInt(sent.header!.msgId.slice(16), 16),
  }
}

const end = (
  peer: Peer,
  place: { halfOffset: number; physicalOffset: number },
  commitOrRollback: number,
  producerGroup = 'tx',
) =>
  peer.ask(endTransaction, {
    producerGroup,
    tranStateTableOffset: place.halfOffset,
    commitLogOffset: place.physicalOffset,
    commitOrRollback,
    fromTransactionCheck: false,
    msgId: 'id',
  })

describe('a transactional message', () => {
  test('is seen when it is committed, once, in the queue it was sent to', async () => {
    const world = await new World(fast).start()
    const { peer } = producer(world)
    const place = await half(peer)
    assert.equal(await maxOffset(peer, 'T', 1), 0)
    assert.equal((await end(peer, place, 8)).code, 0)
    assert.equal((await end(peer, place, 8)).code, 0)
    assert.equal(await maxOffset(peer, 'T', 1), 1)
    assert.equal(await maxOffset(peer, opTopic, 0), 1)
    await world.stop()
  })

  test('is never seen when it is rolled back, and nobody is asked about it', async () => {
    const world = await new World(fast).start()
    const { peer, asked } = producer(world)
    await peer.produce('tx')
    const place = await half(peer)
    await end(peer, place, 12)
    assert.equal((await end(peer, place, 12)).code, 0)
    assert.equal((await end(peer, place, 8)).code, 0)
    await world.pass(30_000)
    assert.equal(await maxOffset(peer, 'T', 1), 0)
    assert.deepEqual(asked, [])
    await world.stop()
  })

  test('that is delayed waits from its commit on', async () => {
    const world = await new World(fast).start()
    const { peer } = producer(world)
    const place = await half(peer, { DELAY: '1' })
    await world.pass(1500)
    assert.equal((await end(peer, place, 8)).code, 0)
    await world.pass(900)
    assert.equal(await maxOffset(peer, 'T', 1), 0)
    await world.pass(200)
    assert.equal(await maxOffset(peer, 'T', 1), 1)
    await world.stop()
  })

  test('whose properties leave no room for its checks is refused, and says so', async () => {
    const world = await new World(fast).start()
    const { peer } = producer(world)
    const filled = (filling: number) =>
      peer.send('T', 'x', { properties: { TRAN_MSG: 'true', PGROUP: 'tx', filling: 'x'.repeat(filling) } })
    const refused = await filled(32_600)
    assert.equal(refused.code, 13)
    assert.match(refused.remark ?? '', /leave less than 100 of 32767 bytes/)
    assert.equal((await filled(32_300)).code, 0)
    await world.stop()
  })

  test('is refused with 16 under rejectTransactionMessage', async () => {
    const world = await new World({ rejectTransactionMessage: true }).start()
    const sent = await world.client('p').send('T', 'x', { sysFlag: 4, properties: { TRAN_MSG: 'true', PGROUP: 'tx' } })
    assert.equal(sent.code, 16)
    await world.stop()
  })

  test('follows no verdict that names another group, place or message', async () => {
    const world = await new World(fast).start()
    const { peer } = producer(world)
    const place = await half(peer)
    const plain = await peer.send('T', 'plain', { queueId: 0 })
    const physicalOffset = Number.parseInt(plain.header!.msgId.slice(16), 16)
    assert.equal((await end(peer, place, 8, 'other')).code, 1)
    assert.equal((await end(peer, { ...place, halfOffset: 7 }, 8)).code, 1)
    assert.equal((await end(peer, { halfOffset: 0, physicalOffset }, 8)).code, 1)
    assert.equal((await end(peer, { halfOffset: 0, physicalOffset: 1_000_000 }, 8)).code, 1)
    assert.equal(await maxOffset(peer, 'T', 1), 0)
    await world.stop()
  })
})

describe('an undecided transaction', () => {
  test('is asked about after its time, with the message as it was sent, and committed by the answer', async () => {
    const world = await new World(fast).start()
    const { peer, asked } = producer(world)
    await peer.produce('tx')
    await half(peer)
    await world.pass(4500)
    assert.equal(asked.length, 0)
    await world.pass(1000)
    assert.equal(asked.length, 1)
    const [question] = asked
    assert.equal(question!.halfOffset, 1)
    assert.equal(question!.message.topic, 'T')
    assert.equal(question!.message.queueId, 1)
    assert.equal(Buffer.from(question!.message.body).toString(), 'pay')
    assert.equal(question!.message.properties.get('TRANSACTION_CHECK_TIMES'), '1')
    assert.equal((await end(peer, question!, 8)).code, 0)
    await world.pass(30_000)
    assert.equal(asked.length, 1)
    assert.equal(await maxOffset(peer, 'T', 1), 1)
    await world.stop()
  })

  test('that was asked about is ended as well by a verdict on its first copy', async () => {
    const world = await new World(fast).start()
    const { peer, asked } = producer(world)
    await peer.produce('tx')
    const place = await half(peer)
    await world.pass(5500)
    await end(peer, place, 8)
    await end(peer, asked[0]!, 8)
    await world.pass(30_000)
    assert.equal(await maxOffset(peer, 'T', 1), 1)
    assert.equal(asked.length, 1)
    await world.stop()
  })

  test('is given up after transactionCheckMax questions, also with nobody to ask, and both are told', async () => {
    const world = await new World(fast).start()
    const { peer } = producer(world)
    await half(peer)
    await world.pass(16_000)
    assert.equal(await maxOffset(peer, 'TRANS_CHECK_MAX_TIME_TOPIC', 0), 1)
    const names = world.events.map(event => event.name)
    assert.equal(names.filter(name => name === 'no producer to ask about a transaction').length, 2)
    assert.equal(names.filter(name => name === 'transaction given up').length, 1)
    assert.deepEqual(await world.settle(world.broker.pendingTransactions()), [])
    await world.stop()
  })

  test('with an immunity of its own is left alone as long, and holds up nobody', async () => {
    const world = await new World(fast).start()
    const { peer, asked } = producer(world)
    await peer.produce('tx')
    const immune = await half(peer, { CHECK_IMMUNITY_TIME_IN_SECONDS: '12', UNIQ_KEY: 'immune' })
    await half(peer)
    await world.pass(5500)
    assert.deepEqual(
      asked.map(each => each.message.properties.get('UNIQ_KEY')),
      ['id'],
    )
    await end(peer, asked[0]!, 12)
    // Decided by its first place, though it lies elsewhere by now.
    await end(peer, immune, 8)
    await world.pass(30_000)
    assert.equal(asked.length, 1)
    assert.equal(await maxOffset(peer, 'T', 1), 1)
    await world.stop()
  })

  test('is listed with its next check', async () => {
    const world = await new World(fast).start()
    const { peer } = producer(world)
    const begun = world.runtime.clock.now()
    const place = await half(peer)
    await end(peer, await half(peer, { UNIQ_KEY: 'other' }), 12)
    const pending = await world.settle(world.broker.pendingTransactions())
    assert.equal(pending.length, 1)
    const { nextCheckAtMs, bornAtMs, ...rest } = pending[0]!
    assert.deepEqual(rest, { ...place, producerGroup: 'tx', topic: 'T', msgId: 'id', checks: 0 })
    assert.ok(nextCheckAtMs > begun && nextCheckAtMs <= begun + 5000, String(nextCheckAtMs - begun))
    await world.stop()
  })
})

test('a transaction that was given up is asked about anew when a tool asks for it (323), and can be committed', async () => {
  const world = await new World(fast).start()
  const { peer, asked } = producer(world)
  const { physicalOffset } = await half(peer)
  await world.pass(60_000)
  assert.deepEqual((await pendingOf(peer)).transactions, [])
  await peer.produce('tx')
  const id = offsetMessageId(Uint8Array.of(10, 0, 0, 1, 0, 0, 0x2a, 0x9f), physicalOffset)
  assert.equal((await peer.ask(resumeCheckHalfMessage, { msgId: id })).code, 0)
  const { transactions } = await pendingOf(peer)
  assert.deepEqual(
    transactions.map(({ topic, producerGroup, msgId, checks }) => ({ topic, producerGroup, msgId, checks })),
    [{ topic: 'T', producerGroup: 'tx', msgId: 'id', checks: 0 }],
  )
  await world.pass(5000)
  assert.equal(asked.length, 1)
  assert.equal((await end(peer, asked[0]!, 8)).code, 0)
  assert.equal(await maxOffset(peer, 'T', 1), 1)
  assert.deepEqual((await pendingOf(peer)).transactions, [])
  await world.stop()
})

test('only half messages are asked about anew, each refusal says why', async () => {
  const world = await new World(fast).start()
  const { peer } = producer(world)
  await peer.send('Plain', 'x')
  const resume = async (msgId: string) => {
    const reply = await peer.ask(resumeCheckHalfMessage, { msgId })
    return `${reply.code} ${reply.remark}`
  }
  const host = Uint8Array.of(10, 0, 0, 1, 0, 0, 0x2a, 0x9f)
  assert.match(await resume('no id'), /^1 "no id" is no offset id/)
  assert.match(await resume(offsetMessageId(host, 999_999)), /^1 there is no message at physical offset 999999/)
  assert.match(await resume(offsetMessageId(host, 0)), /^1 .* is of topic Plain: only half messages/)
  await world.stop()
})

async function pendingOf(peer: Peer, limit = 1000) {
  const reply = await peer.ask(getPendingTransactions, { limit })
  return getPendingTransactions.replyBody!.decode(reply.body!)
}

test('a broker that starts again goes on where it was: decided ones stay decided, others are asked about', async () => {
  const world = await new World(fast).start()
  const first = producer(world, 'first')
  await end(first.peer, await half(first.peer, { UNIQ_KEY: 'done' }), 8)
  await half(first.peer, { UNIQ_KEY: 'open' })
  await world.pass(5500)
  await world.stop()
  await world.start()
  const second = producer(world, 'second')
  await second.peer.produce('tx')
  await world.pass(5500)
  assert.deepEqual(
    second.asked.map(each => each.message.properties.get('UNIQ_KEY')),
    ['open'],
  )
  await end(second.peer, second.asked[0]!, 8)
  await world.pass(20_000)
  assert.equal(await maxOffset(second.peer, 'T', 1), 2)
  assert.equal(second.asked.length, 1)
  await world.stop()
})

test('a committed message that an old client sends back for a retry is no new transaction', async () => {
  const world = await new World(fast).start()
  const peer = world.client('consumer')
  const properties = { TRAN_MSG: 'true', PGROUP: 'tx', DELAY: '1', RETRY_TOPIC: 'T' }
  const sent = await peer.send('%RETRY%g', 'again', { properties, reconsumeTimes: 1 })
  assert.equal(sent.code, 0)
  assert.equal(await maxOffset(peer, 'RMQ_SYS_TRANS_HALF_TOPIC', 0), 0)
  await world.pass(1100)
  assert.equal(await maxOffset(peer, '%RETRY%g', 0), 1)
  await world.stop()
})

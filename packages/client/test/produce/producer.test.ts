import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkTransactionState,
  draftRecord,
  encodeHost,
  endTransaction,
  parseProperties,
  ResponseCode,
  recordSize,
  writeRecord,
} from '@skua-mq/protocol'
import { noReply, route } from '@skua-mq/remoting'
import { Producer, type ProducerOptions } from '../../src/index.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

const message = { topic: 'T', body: 'x' }

async function started(at: World, options: Partial<ProducerOptions> = {}) {
  const { runtime, namesrvAddr } = at
  const producer = new Producer({ runtime, namesrvAddr, group: 'pg', ...options })
  await at.settle(producer.start())
  return producer
}

const tries = (at: World) => at.brokers.map(broker => broker.sends.length)

test('a broker that died is left for another one, and the caller sees no error', async () => {
  const at = await world(2)
  const producer = await started(at)
  for (let i = 0; i < 4; i++) await at.settle(producer.send(message))
  at.network.drop('b0', { announce: true })
  for (let i = 0; i < 4; i++) assert.equal((await at.settle(producer.send(message))).queue.brokerName, 'b1')
})

test('an address that does not answer costs a second, not the call', async () => {
  const at = await world(2)
  at.network.partition('client', 'b0')
  const producer = await started(at)
  const begun = at.clock.now()
  for (let i = 0; i < 2; i++) assert.equal((await at.settle(producer.send(message))).queue.brokerName, 'b1')
  assert.ok(at.clock.now() - begun < 3_000)
})

test('a broker that left the route is not asked again', async () => {
  const at = await world(2)
  const producer = await started(at)
  await at.settle(producer.send(message))
  at.network.drop('b0', { announce: true })
  at.topics.set('T', { ...routeOf(at.brokers), ...pickRoute(at, [1]) })
  // One round of the refresh.
  await at.clock.advanceAsync(31_000)
  for (let i = 0; i < 8; i++) assert.equal((await at.settle(producer.send(message))).queue.brokerName, 'b1')
})

function pickRoute(at: World, wanted: number[]) {
  const { queueDatas, brokerDatas } = routeOf(at.brokers)
  const keep = <E>(list: readonly E[]) => list.filter((_, i) => wanted.includes(i))
  return { queueDatas: keep(queueDatas), brokerDatas: keep(brokerDatas) }
}

test('codes after which another broker may help are tried there, up to three tries', async () => {
  const at = await world(2)
  const producer = await started(at)
  for (const broker of at.brokers) broker.onSend = () => ({ code: ResponseCode.systemBusy, remark: '[OVERLOAD]' })
  await assert.rejects(at.settle(producer.send(message)), { code: 'BROKER', responseCode: 2, retriable: true })
  assert.equal(tries(at)[0]! + tries(at)[1]!, 3)
  assert.ok(Math.min(...tries(at)) >= 1)
  const ids = at.brokers.flatMap(broker =>
    broker.sends.map(send => parseProperties(send.properties ?? '').get('UNIQ_KEY')),
  )
  assert.equal(new Set(ids).size, 1)
})

test('other codes are thrown at once', async () => {
  const at = await world(2)
  const producer = await started(at)
  for (const broker of at.brokers) broker.onSend = () => ({ code: ResponseCode.messageIllegal })
  await assert.rejects(at.settle(producer.send(message)), { responseCode: 13, retriable: false })
  assert.equal(tries(at)[0]! + tries(at)[1]!, 1)
})

test('a send to a chosen queue is tried once', async () => {
  const at = await world(2)
  const producer = await started(at)
  for (const broker of at.brokers) broker.onSend = () => ({ code: ResponseCode.systemBusy })
  await assert.rejects(at.settle(producer.send(message, { orderKey: 'k' })), { responseCode: 2 })
  assert.equal(tries(at)[0]! + tries(at)[1]!, 1)
})

test('stored but not as safe as wanted: the answer says so, or another broker is tried', async () => {
  const at = await world(2)
  for (const broker of at.brokers) broker.onSend = () => ({ code: ResponseCode.flushDiskTimeout })
  const producer = await started(at)
  assert.equal((await at.settle(producer.send(message))).sendStatus, 'FLUSH_DISK_TIMEOUT')
  assert.equal(tries(at)[0]! + tries(at)[1]!, 1)
  const careful = await started(at, { group: 'pg2', retryAnotherBrokerWhenNotStoreOK: true })
  assert.equal((await at.settle(careful.send(message))).sendStatus, 'FLUSH_DISK_TIMEOUT')
  assert.equal(tries(at)[0]! + tries(at)[1]!, 4)
})

test('sendMsgTimeout covers the whole call', async () => {
  const at = await world(1)
  const producer = await started(at)
  at.brokers[0]!.onSend = () => 'silence'
  const begun = at.clock.now()
  await assert.rejects(at.settle(producer.send(message)), { code: 'TIMEOUT' })
  const took = at.clock.now() - begun
  assert.ok(took >= 3_000 && took < 3_200, `${took} ms`)
})

test('a send that waits for the window gives up in time, too', async () => {
  const at = await world(1)
  const producer = await started(at, { maxInFlight: 1, retryTimesWhenSendFailed: 0 })
  at.brokers[0]!.onSend = () => 'silence'
  const first = producer.send(message, { timeoutMs: 10_000 })
  const second = producer.send(message, { timeoutMs: 1_000 })
  first.catch(() => {})
  await assert.rejects(at.settle(second), { code: 'TIMEOUT' })
  assert.equal(at.brokers[0]!.sends.length, 1)
})

test('a name server that does not answer is left for the next one', async () => {
  const at = await world(1, { nameServers: 2 })
  at.network.partition('client', 'ns0')
  const producer = await started(at)
  const begun = at.clock.now()
  await at.settle(producer.send(message))
  await at.settle(producer.fetchPublishMessageQueues('T'))
  assert.ok(at.clock.now() - begun < 3_000)
})

test('an unknown topic goes to the queues of the template', async () => {
  const at = await world(1)
  at.topics.set('TBW102', routeOf(at.brokers))
  const producer = await started(at)
  await at.settle(producer.send({ ...message, topic: 'New' }))
  const [sent] = at.brokers[0]!.sends
  assert.deepEqual([sent?.topic, sent?.defaultTopic, sent?.defaultTopicQueueNums], ['New', 'TBW102', 4])
})

test('producers say who they are at the start, and good-bye at the end; no timer stays behind', async () => {
  const at = await world(1)
  at.topics.set('TBW102', routeOf(at.brokers))
  const producer = await started(at)
  const [broker] = at.brokers
  assert.deepEqual(broker!.heartbeats[0]?.producerDataSet, [{ groupName: 'pg' }])
  assert.equal(broker!.heartbeats[0]?.clientID, producer.clientId)
  await at.clock.advanceAsync(61_000)
  assert.equal(broker!.heartbeats.length, 3)
  await at.settle(producer.close())
  assert.deepEqual(broker!.unregistered, ['pg'])
  await at.stop()
  await at.clock.advanceAsync(5_000)
  assert.equal(at.clock.nextInMs, undefined)
})

test('a broker whose connection was lost hears of its clients again within a second or so, as soon as it is there', async () => {
  const at = await world(1)
  at.topics.set('TBW102', routeOf(at.brokers))
  const producer = await started(at)
  const [broker] = at.brokers
  assert.equal(broker!.heartbeats.length, 1)
  broker!.connection!.close()
  await at.clock.advanceAsync(1100)
  assert.equal(broker!.heartbeats.length, 2)
  broker!.connection!.close()
  await at.clock.advanceAsync(10)
  at.network.partition('client', 'b0')
  await at.clock.advanceAsync(9000)
  assert.equal(broker!.heartbeats.length, 2)
  at.network.heal('client', 'b0')
  await at.clock.advanceAsync(6100)
  assert.equal(broker!.heartbeats.length, 3)
  await at.settle(producer.close())
  await at.stop()
  await at.clock.advanceAsync(5_000)
  assert.equal(at.clock.nextInMs, undefined)
})

test('a check of the broker gets the verdict of checkTransaction', async () => {
  const verdicts: number[] = []
  const end = route(endTransaction, ({ commitOrRollback, fromTransactionCheck, msgId }) => {
    assert.deepEqual([fromTransactionCheck, msgId], [true, 'ID'])
    verdicts.push(commitOrRollback)
    return noReply
  })
  const at = await world(1, { routes: [end] })
  at.topics.set('TBW102', routeOf(at.brokers))
  const asked: string[] = []
  const failed: string[] = []
  const answers: unknown[] = ['commit', 'comit', undefined, true]
  const producer = await started(at, {
    checkTransaction: half => {
      asked.push(half.text())
      return answers.shift() as 'commit'
    },
  })
  producer.on('transactionCheckFailed', ({ error }) => failed.push((error as Error).message))
  const properties = Buffer.from('PGROUP\u0001pg\u0002UNIQ_KEY\u0001ID\u0002TRAN_MSG\u0001true')
  const host = encodeHost('10.0.0.9', 10911)!
  const half = draftRecord({
    topic: Buffer.from('T'),
    body: Buffer.from('half'),
    properties,
    bornHost: host,
    storeHost: host,
  })
  const body = Buffer.alloc(recordSize(half))
  writeRecord(body, 0, half)
  const extFields = { tranStateTableOffset: '5', commitLogOffset: '64', transactionId: 'ID' }
  at.brokers[0]!.connection!.tell({ code: checkTransactionState.code, extFields, body })
  await at.clock.advanceAsync(100)
  assert.deepEqual([asked, verdicts, failed], [['half'], [8], []])
  while (answers.length > 0) {
    at.brokers[0]!.connection!.tell({ code: checkTransactionState.code, extFields, body })
    await at.clock.advanceAsync(100)
  }
  assert.deepEqual(verdicts, [8])
  const words = 'checkTransaction answers one of commit, rollback, unknown'
  assert.deepEqual(failed, [
    `${words}: "comit" was given; did you mean 'commit'?`,
    `${words}: undefined was given`,
    `${words}: boolean was given`,
  ])
})

test('one caller that gives up does not take the route from the others', async () => {
  const at = await world(1)
  const producer = await started(at)
  const abort = new AbortController()
  const gone = producer.send(message, { signal: abort.signal })
  const other = producer.send(message)
  gone.catch(() => {})
  // Both wait for the same answer of the name server now.
  await at.clock.advanceAsync(0)
  abort.abort(new Error('enough'))
  await assert.rejects(at.settle(gone), /enough/)
  assert.equal((await at.settle(other)).sendStatus, 'SEND_OK')
})

test('what is of the wrong type in a message is refused with its name, before anything is sent', async () => {
  const at = await world(1)
  const producer = await started(at)
  const wrong: [object, RegExp][] = [
    [{ properties: { n: 5 } }, /property "n" must be a text: number 5 was given/],
    [{ properties: { n: null } }, /property "n" must be a text: null/],
    [{ properties: { n: undefined } }, /property "n" must be a text: undefined/],
    [{ properties: { n: { a: 1 } } }, /property "n" must be a text: an object/],
    [{ keys: 5 }, /keys must be a text: number 5/],
    [{ tag: 5 }, /tag must be a text: number 5/],
    [{ topic: 5 }, /topic must be a text: number 5/],
    [{ flag: 1.5 }, /flag must be a whole number of 32 bits: 1.5/],
    [{ body: 5 }, /neither text nor bytes/],
  ]
  for (const [change, why] of wrong) {
    const sent = producer.send({ ...message, ...change } as never)
    await assert.rejects(at.settle(sent), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'ARGUMENT', error.message)
      assert.match(error.message, why)
      return true
    })
  }
  assert.deepEqual(tries(at), [0])
})

test('properties that no header can hold are refused by name, and are no reason to try another broker', async () => {
  const at = await world(2)
  const producer = await started(at)
  const sent = producer.send({ ...message, properties: { a: 'x'.repeat(300_000) } })
  await assert.rejects(at.settle(sent), (error: Error & { code?: string }) => {
    assert.deepEqual([error.code, error.name], ['ARGUMENT', 'ClientError'])
    return true
  })
  assert.deepEqual(tries(at), [0, 0])
})

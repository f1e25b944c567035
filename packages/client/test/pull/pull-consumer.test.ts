import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  consumerSendMsgBack,
  getMinOffset,
  type HeaderOf,
  ResponseCode,
  searchOffsetByTimestamp,
} from '@skua-mq/protocol'
import { ok, refuse, route } from '@skua-mq/remoting'
import { PullConsumer, type PullConsumerOptions } from '../../src/index.ts'
import { records } from '../records.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

const queue = (queueId: number, topic = 'T') => ({ topic, brokerName: 'b0', queueId })

async function cluster({ refuseBack = false } = {}) {
  const back: HeaderOf<typeof consumerSendMsgBack>[] = []
  const at = await world(1, {
    routes: [
      route(getMinOffset, () => ok({ offset: 2 })),
      route(searchOffsetByTimestamp, ({ timestamp }) => ok({ offset: timestamp })),
      route(consumerSendMsgBack, header => {
        back.push(header)
        return refuseBack ? refuse(ResponseCode.systemError, 'no') : ok({})
      }),
    ],
  })
  const broker = at.brokers[0]!
  return { at, broker, back }
}

const consumerOf = ({ runtime, namesrvAddr }: World, options: Partial<PullConsumerOptions> = {}) =>
  new PullConsumer({ runtime, namesrvAddr, group: 'cg', ...options })

describe('a pull', () => {
  test('finds what is there, and says where to go on', async () => {
    const { at, broker } = await cluster()
    broker.onPull = ({ queueOffset }) => ({
      code: ResponseCode.success,
      next: queueOffset + 3,
      body: records(queueOffset, queueOffset + 3),
    })
    const consumer = consumerOf(at)
    const result = await at.settle(consumer.pull(queue(0), 7))
    assert.deepEqual(
      [
        result.status,
        result.nextBeginOffset,
        result.minOffset,
        result.maxOffset,
        result.messages.map(m => m.queueOffset),
      ],
      ['FOUND', 10, 0, 100, [7, 8, 9]],
    )
    const [pull] = broker.pulls
    assert.deepEqual(
      [pull!.maxMsgNums, pull!.suspendTimeoutMillis, pull!.subscription, pull!.sysFlag, pull!.consumerGroup],
      [32, 0, '*', 4, 'cg'],
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('says what else there is: nothing new, nothing that fits, no such offset', async () => {
    const { at, broker } = await cluster()
    const consumer = consumerOf(at)
    for (const [code, status] of [
      [ResponseCode.pullNotFound, 'NO_NEW_MSG'],
      [ResponseCode.pullRetryImmediately, 'NO_MATCHED_MSG'],
      [ResponseCode.pullOffsetMoved, 'OFFSET_ILLEGAL'],
    ] as const) {
      broker.onPull = () => ({ code, next: 42 })
      const result = await at.settle(consumer.pull(queue(0), 7))
      assert.deepEqual([result.status, result.nextBeginOffset, result.messages], [status, 42, []])
    }
    broker.onPull = () => ({ code: ResponseCode.noPermission, next: 0 })
    await assert.rejects(at.settle(consumer.pull(queue(0), 7)), { code: 'BROKER', responseCode: 16 })
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that blocks is held by the broker as long as it says', async () => {
    const { at, broker } = await cluster()
    const consumer = consumerOf(at, { brokerSuspendMaxTimeMillis: 8000, consumerTimeoutMillisWhenSuspend: 12_000 })
    await at.settle(consumer.start())
    const begun = at.clock.monotonic()
    await assert.rejects(at.settle(consumer.pullBlockIfNotFound(queue(0), 7)), { code: 'TIMEOUT' })
    assert.ok(at.clock.monotonic() - begun >= 12_000)
    assert.deepEqual([broker.pulls[0]!.suspendTimeoutMillis, broker.pulls[0]!.sysFlag], [8000, 2 | 4])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('selects by tag here, too, since the broker compares hashes; by SQL only there', async () => {
    const { at, broker } = await cluster()
    broker.onPull = ({ queueOffset }) => ({
      code: ResponseCode.success,
      next: queueOffset + 2,
      body: Buffer.concat([
        records(0, 1, { properties: { TAGS: 'Aa' } }),
        records(1, 2, { properties: { TAGS: 'BB' } }),
      ]),
    })
    const consumer = consumerOf(at)
    const byTag = await at.settle(consumer.pull(queue(0), 0, { expression: 'Aa', maxNums: 5 }))
    assert.deepEqual(
      byTag.messages.map(message => message.tag),
      ['Aa'],
    )
    const bySql = await at.settle(consumer.pull(queue(0), 0, { expression: 'a = 1', type: 'SQL92' }))
    assert.equal(bySql.messages.length, 2)
    assert.deepEqual(
      broker.pulls.map(({ subscription, expressionType, maxMsgNums }) => [subscription, expressionType, maxMsgNums]),
      [
        ['Aa', 'TAG', 5],
        ['a = 1', 'SQL92', 32],
      ],
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('makes the topic known to its brokers first: without that they keep no offsets of the group', async () => {
    const { at, broker } = await cluster()
    at.topics.set('U', routeOf(at.brokers))
    broker.onPull = () => ({ code: ResponseCode.pullNotFound, next: 0 })
    const consumer = consumerOf(at)
    await at.settle(consumer.pull(queue(0), 0))
    await at.settle(consumer.pull(queue(0, 'U'), 0))
    const told = () => broker.heartbeats.at(-1)!.consumerDataSet[0]!.subscriptionDataSet.map(({ topic }) => topic)
    assert.deepEqual(told(), ['T', 'U'])
    const before = broker.heartbeats.length
    await at.settle(consumer.pull(queue(0, 'U'), 0))
    assert.equal(broker.heartbeats.length, before)
    await at.settle(consumer.close())
    assert.deepEqual(broker.unregistered, ['cg'])
    await at.stop()
  })
})

describe('offsets', () => {
  test('are remembered, written down every 5 s, by persist, and at the end', async () => {
    const { at, broker } = await cluster()
    const consumer = consumerOf(at)
    await at.settle(consumer.updateConsumeOffset(queue(0), 5))
    assert.equal(await at.settle(consumer.fetchConsumeOffset(queue(0))), 5)
    assert.equal(broker.commits.length, 0)
    await at.clock.advanceAsync(5100)
    assert.deepEqual(
      broker.commits.map(({ commitOffset }) => commitOffset),
      [5],
    )
    await at.settle(consumer.updateConsumeOffset(queue(0), 6))
    await at.settle(consumer.persist())
    assert.equal(broker.commits.at(-1)!.commitOffset, 6)
    await at.settle(consumer.updateConsumeOffset(queue(0), 7))
    await at.settle(consumer.close())
    assert.equal(broker.commits.at(-1)!.commitOffset, 7)
    await at.stop()
  })

  test('of the store are asked for where memory has none, or when it is wished', async () => {
    const { at, broker } = await cluster()
    broker.storedOffset = () => 30
    const consumer = consumerOf(at)
    assert.equal(await at.settle(consumer.fetchConsumeOffset(queue(0))), 30)
    await at.settle(consumer.updateConsumeOffset(queue(0), 35))
    assert.equal(await at.settle(consumer.fetchConsumeOffset(queue(0))), 35)
    assert.equal(await at.settle(consumer.fetchConsumeOffset(queue(0), { fromStore: true })), 30)
    broker.storedOffset = () => undefined
    assert.equal(await at.settle(consumer.fetchConsumeOffset(queue(1))), undefined)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that cannot be written are told, and the consumer goes on', async () => {
    const { at } = await cluster()
    const consumer = consumerOf(at)
    let failed = 0
    consumer.on('offsetCommitFailed', () => failed++)
    await at.settle(consumer.updateConsumeOffset(queue(0), 5))
    at.network.drop('b0', { announce: true })
    await at.clock.advanceAsync(11_000)
    assert.ok(failed >= 1)
    await at.settle(consumer.close())
  })

  test('of a queue’s ends and times are asked of its broker', async () => {
    const { at } = await cluster()
    const consumer = consumerOf(at)
    await at.settle(consumer.fetchSubscribeMessageQueues('T'))
    assert.equal(await at.settle(consumer.minOffset(queue(0))), 2)
    assert.equal(await at.settle(consumer.maxOffset(queue(0))), 0)
    assert.equal(await at.settle(consumer.searchOffset(queue(0), 777)), 777)
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('the queues of a topic', () => {
  test('are told under the name that the application knows', async () => {
    const { at } = await cluster()
    at.topics.set('ns%T', routeOf(at.brokers))
    const consumer = consumerOf(at, { namespace: 'ns' })
    assert.deepEqual(await at.settle(consumer.fetchSubscribeMessageQueues('T')), [queue(0), queue(1)])
    await assert.rejects(at.settle(consumer.fetchSubscribeMessageQueues('Nothing')), { code: 'NO_ROUTE' })
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that are this member’s share are told to listeners, at the start and after each change', async () => {
    const { at, broker } = await cluster()
    const consumer = consumerOf(at)
    const told: [string, number, number][] = []
    consumer.registerMessageQueueListener('T', (topic, { all, own }) => told.push([topic, all.length, own.length]))
    await at.settle(consumer.start())
    assert.deepEqual(told, [['T', 2, 2]])
    await at.settle(consumer.updateConsumeOffset(queue(0), 9))
    broker.members = () => ['!', broker.heartbeats.at(-1)!.clientID]
    broker.connection!.tell({ code: 40, extFields: { consumerGroup: 'cg' } })
    await at.clock.advanceAsync(100)
    assert.deepEqual(told.at(-1), ['T', 2, 1])
    // What was known of a queue that is another member's now is written down.
    assert.equal(broker.commits.at(-1)!.commitOffset, 9)
    await at.clock.advanceAsync(25_000)
    assert.equal(told.length, 2)
    await at.settle(consumer.close())
    await at.stop()
  })
})

test('a listener of queues that throws is told as an event, and the next one hears all the same', async () => {
  const { at } = await cluster()
  const consumer = consumerOf(at)
  const told: number[] = []
  const failed: string[] = []
  consumer.on('rebalanceFailed', ({ error }) => failed.push((error as Error).message))
  consumer.registerMessageQueueListener('T', () => {
    throw new Error('mine')
  })
  consumer.registerMessageQueueListener('T', (_topic, { own }) => told.push(own.length))
  await at.settle(consumer.start())
  assert.deepEqual([told, failed], [[2], ['mine']])
  await at.settle(consumer.close())
  await at.stop()
})

describe('a message that is given back', () => {
  test('comes again by the broker, at the level that is wished', async () => {
    const { at, broker, back } = await cluster()
    broker.onPull = () => ({ code: ResponseCode.success, next: 1, body: records(0, 1) })
    const consumer = consumerOf(at, { maxReconsumeTimes: 5 })
    const { messages } = await at.settle(consumer.pull(queue(0), 0))
    await at.settle(consumer.sendMessageBack(messages[0]!, 4))
    assert.deepEqual(
      back.map(({ group, delayLevel, originMsgId, maxReconsumeTimes }) => [
        group,
        delayLevel,
        originMsgId,
        maxReconsumeTimes,
      ]),
      [['cg', 4, 'ID0', 5]],
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that nobody takes is an error', async () => {
    const { at, broker } = await cluster({ refuseBack: true })
    broker.onPull = () => ({ code: ResponseCode.success, next: 1, body: records(0, 1) })
    const consumer = consumerOf(at)
    const { messages } = await at.settle(consumer.pull(queue(0), 0))
    await assert.rejects(at.settle(consumer.sendMessageBack(messages[0]!)), { code: 'BROKER', retriable: true })
    await at.settle(consumer.close())
    await at.stop()
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerSendMsgBack, parseExtraInfo } from '@skua-mq/protocol'
import { ok, refuse, route } from '@skua-mq/remoting'
import { PushConsumer, type PushConsumerOptions, type ReceivedMessage } from '../../src/index.ts'
import { type Answer, popCluster } from '../pop-cluster.ts'
import type { RecordWish } from '../records.ts'
import { routeOf, type World } from '../scripted-cluster.ts'

const consumerOf = ({ runtime, namesrvAddr }: World, options: Partial<PushConsumerOptions> = {}) =>
  new PushConsumer({ runtime, namesrvAddr, group: 'cg', consumeMode: 'POP', ...options }).subscribe('T')

/** A cluster whose broker has these messages once; further pops are held. */
async function withMessages(messages: readonly RecordWish[], backs: (code: number) => number = () => 0) {
  const back: number[] = []
  const routes = [
    route(consumerSendMsgBack, ({ delayLevel }) => {
      back.push(delayLevel)
      const code = backs(delayLevel)
      return code === 0 ? ok({}) : refuse(code as 1, 'no')
    }),
  ]
  const cluster = await popCluster(1, { routes })
  let left = [...messages]
  cluster.script.onPop = ({ topic, maxMsgNums }): Answer => {
    if (topic !== 'T' || left.length === 0) return 'held'
    const some = left.slice(0, maxMsgNums)
    left = left.slice(maxMsgNums)
    return { messages: some }
  }
  return { ...cluster, back }
}

const offsets = (acks: readonly { offset: number }[]) => acks.map(({ offset }) => offset).sort((a, b) => a - b)
const messages = (count: number): RecordWish[] => Array.from({ length: count }, (_, queueOffset) => ({ queueOffset }))

/** A handler that runs until it is told that it is done; of several runs the last one. */
function waiting() {
  let end = () => {}
  const handler = () =>
    new Promise<undefined>(resolve => {
      end = () => resolve(undefined)
    })
  return { handler, done: () => end() }
}

describe('a push consumer that pops', () => {
  test('takes messages of any queue, and acknowledges each that its handler is done with', async () => {
    const { at, pops, acks } = await withMessages([{ queueOffset: 1, queueId: 1 }, { queueOffset: 5 }])
    const got: string[] = []
    const consumer = consumerOf(at, { popBatchNums: 7, popInvisibleTime: 20_000, brokerSuspendMaxTimeMillis: 9000 })
    consumer.onMessage((message, { queue }) => void got.push(`${message.text()} ${message.topic} ${queue.queueId}`))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    assert.deepEqual(got, ['1 T 1', '5 T 0'])
    assert.deepEqual(offsets(acks), [1, 5])
    const { consumerGroup, queueId, maxMsgNums, invisibleTime, pollTime } = pops[0]!
    assert.deepEqual([consumerGroup, queueId, maxMsgNums, invisibleTime, pollTime], ['cg', -1, 7, 20_000, 9000])
    assert.ok(
      pops.every(({ topic }) => topic === 'T'),
      'it does not read the retry topic',
    )
    const [heard] = at.brokers[0]!.heartbeats
    const [data] = heard!.consumerDataSet
    assert.equal(data!.consumeType, 'CONSUME_POP')
    assert.deepEqual(
      data!.subscriptionDataSet.map(({ topic }) => topic),
      ['T'],
    )
    assert.deepEqual(consumer.queues, [])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('has each that failed brought again, later from try to try, or after the delay that it names', async () => {
    const { at, acks, changes } = await withMessages([
      { queueOffset: 0 },
      { queueOffset: 1, reconsumeTimes: 2 },
      { queueOffset: 2 },
      { queueOffset: 3 },
      { queueOffset: 4 },
    ])
    const consumer = consumerOf(at).onMessage(async (message: ReceivedMessage, context) => {
      if (message.queueOffset <= 1) throw new Error('no')
      if (message.queueOffset === 2) return 'RECONSUME_LATER'
      if (message.queueOffset === 3) await message.nack({ delay: 7000 })
      if (message.queueOffset === 4) context.delayLevelWhenNextConsume = 5
      return message.queueOffset === 4 ? 'RECONSUME_LATER' : undefined
    })
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    assert.deepEqual(
      changes.map(({ offset, invisibleTime }) => [offset, invisibleTime]).sort(),
      [
        [0, 10_000],
        [1, 60_000],
        [2, 10_000],
        [3, 7000],
        [4, 60_000],
      ].sort(),
    )
    assert.deepEqual(acks, [])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('makes a message a dead letter at its last try, and acknowledges it; where that fails it comes again', async () => {
    for (const code of [0, 1]) {
      const { at, acks, changes, back } = await withMessages([{ queueOffset: 0, reconsumeTimes: 3 }], () => code)
      const dead: number[] = []
      const consumer = consumerOf(at, { maxReconsumeTimes: 3 }).onMessage(() => 'RECONSUME_LATER')
      consumer.on('deadLetter', ({ tries }) => dead.push(tries))
      await at.settle(consumer.start())
      await at.clock.advanceAsync(100)
      assert.deepEqual(back, [-1])
      assert.deepEqual(dead, code === 0 ? [4] : [])
      assert.deepEqual([acks.length, changes.length], code === 0 ? [1, 0] : [0, 1])
      await at.settle(consumer.close())
      await at.stop()
    }
  })

  test('prolongs messages while their handler runs or they wait for one, until consumeTimeout', async () => {
    const { at, changes, acks } = await withMessages(messages(2))
    const late: string[] = []
    const { handler, done } = waiting()
    const options = { consumeThreadMax: 1, popInvisibleTime: 10_000, consumeTimeout: 0.5 }
    const consumer = consumerOf(at, options).onMessage(handler)
    consumer.on('consumeTimeout', ({ msgId }) => late.push(msgId))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(5100)
    assert.deepEqual(
      changes.map(({ offset, invisibleTime }) => [offset, invisibleTime]),
      [
        [0, 10_000],
        [1, 10_000],
      ],
    )
    await at.clock.advanceAsync(60_000)
    assert.equal(late.length, 2)
    assert.equal(changes.filter(({ offset }) => offset === 0).length, 5)
    const failed: string[] = []
    consumer.on('ackFailed', ({ error }) => failed.push((error as Error).message))
    done()
    await at.clock.advanceAsync(10)
    assert.equal(acks.length, 0)
    assert.match(failed[0]!, /is over: it comes again/)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('acknowledges by the receipt that it was prolonged with, and again where the broker is away for a moment', async () => {
    const { at, acks } = await withMessages(messages(1))
    const { handler, done } = waiting()
    const consumer = consumerOf(at, { popInvisibleTime: 20_000 }).onMessage(handler)
    await at.settle(consumer.start())
    await at.clock.advanceAsync(10_100)
    at.network.partition('client', 'b0')
    done()
    await at.clock.advanceAsync(4000)
    assert.equal(acks.length, 0)
    at.network.heal('client', 'b0')
    await at.clock.advanceAsync(6000)
    assert.ok(acks.length >= 1)
    assert.equal(parseExtraInfo(acks[0]!.extraInfo)!.reviveQid, 5)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('acknowledges behind a prolongation that is under way, by the receipt that this one brings', async () => {
    const { at, acks, changes, script } = await withMessages(messages(1))
    const { handler, done } = waiting()
    let changed = () => {}
    script.onChange = () =>
      new Promise(resolve => {
        changed = resolve
      })
    const consumer = consumerOf(at, { popInvisibleTime: 20_000 }).onMessage(handler)
    await at.settle(consumer.start())
    await at.clock.advanceAsync(10_100)
    assert.equal(changes.length, 1)
    done()
    await at.clock.advanceAsync(100)
    assert.equal(acks.length, 0)
    changed()
    await at.clock.advanceAsync(100)
    assert.deepEqual(
      acks.map(({ extraInfo }) => parseExtraInfo(extraInfo)!.reviveQid),
      [5],
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('pops no more than popThresholdForQueue, and goes on when some are settled', async () => {
    const { at, pops } = await withMessages(messages(20))
    const waiting: (() => void)[] = []
    const options = { popThresholdForQueue: 5, popBatchNums: 3 }
    const consumer = consumerOf(at, options).onMessage(
      () => new Promise<undefined>(resolve => waiting.push(() => resolve(undefined))),
    )
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    assert.equal(waiting.length, 5)
    assert.deepEqual(
      pops.map(({ maxMsgNums }) => maxMsgNums),
      [3, 2],
    )
    waiting.shift()!()
    await at.clock.advanceAsync(10)
    assert.equal(waiting.length, 5)
    for (const done of waiting) done()
    await at.settle(consumer.close())
    await at.stop()
  })

  test('gives back what it has not begun when it is closed, and waits for what runs', async () => {
    const { at, acks, changes } = await withMessages(messages(3))
    const { handler, done } = waiting()
    const consumer = consumerOf(at, { consumeThreadMax: 1 }).onMessage(handler)
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    const closing = consumer.close()
    await at.clock.advanceAsync(100)
    done()
    await at.settle(closing)
    assert.deepEqual(offsets(acks), [0])
    assert.deepEqual(
      changes.map(({ offset, invisibleTime }) => [offset, invisibleTime]),
      [
        [1, 100],
        [2, 100],
      ],
    )
    await at.stop()
  })

  test('hands batches of one queue to a handler of batches, and what ackIndex says is not done comes again', async () => {
    const { at, acks, changes } = await withMessages([
      { queueOffset: 0 },
      { queueOffset: 7, queueId: 1 },
      { queueOffset: 1 },
      { queueOffset: 2 },
    ])
    const got: number[][] = []
    const consumer = consumerOf(at, { consumeMessageBatchMaxSize: 8 }).onMessages((batch, context) => {
      got.push(batch.map(({ queueOffset }) => queueOffset))
      if (batch.length > 1) context.ackIndex = 1
      return 'CONSUME_SUCCESS'
    })
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    assert.deepEqual(got, [[0, 1, 2], [7]])
    assert.deepEqual(offsets(acks), [0, 1, 7])
    assert.deepEqual(offsets(changes), [2])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('is read by for await: a turn acknowledges, break gives back', async () => {
    const { at, acks, changes } = await withMessages(messages(3))
    const consumer = consumerOf(at)
    const read = async () => {
      let count = 0
      for await (const _message of consumer) if (++count === 2) break
    }
    await at.settle(read())
    await at.clock.advanceAsync(100)
    assert.deepEqual(offsets(acks), [0])
    assert.deepEqual(offsets(changes), [1])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('follows its topics: pops from all brokers, from new topics, and not from one that was unsubscribed; stands while suspended', async () => {
    const { at, pops } = await popCluster(2)
    const consumer = consumerOf(at, { brokerSuspendMaxTimeMillis: 1000 }).onMessage(() => {})
    at.topics.set('U', routeOf(at.brokers))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    const sources = () => [...new Set(pops.splice(0).map(({ topic }) => topic))].sort()
    assert.deepEqual(sources(), ['T'])
    consumer.subscribe('U')
    await at.clock.advanceAsync(3000)
    assert.deepEqual(sources(), ['T', 'U'])
    await at.settle(consumer.unsubscribe('T'))
    await at.clock.advanceAsync(2000)
    pops.splice(0)
    await at.clock.advanceAsync(3000)
    assert.deepEqual(sources(), ['U'])
    consumer.suspend()
    await at.clock.advanceAsync(3000)
    pops.splice(0)
    await at.clock.advanceAsync(3000)
    assert.deepEqual(sources(), [])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('says so where a broker has no POP or a topic is unknown, and tries again', async () => {
    const { at } = await popCluster(1, { hasPop: false })
    const told: string[] = []
    const consumer = consumerOf(at).onMessage(() => {})
    consumer.subscribe('Unknown')
    consumer.on('pullFailed', ({ error }) => told.push((error as Error).message))
    consumer.on('topicUnknown', ({ topic }) => told.push(topic))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(3500)
    assert.equal(told.filter(text => text === 'Unknown').length, 1)
    const failures = told.filter(text => text !== 'Unknown')
    assert.equal(failures.length, 2)
    assert.match(failures[0]!, /has no POP/)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('refuses what it has no meaning for', async () => {
    const { at } = await popCluster()
    for (const [options, message] of [
      [{ orderly: true }, /does not go with orderly/],
      [{ messageModel: 'BROADCASTING' }, /BROADCASTING/],
      [{ skipBacklogBeyond: 1 }, /skipBacklogBeyond/],
      [{ consumeFromWhere: 'CONSUME_FROM_TIMESTAMP' }, /CONSUME_FROM_TIMESTAMP/],
      [{ popBatchNums: 33 }, /popBatchNums/],
      [{ popInvisibleTime: 4999 }, /popInvisibleTime/],
      [{ popThresholdForQueue: 0 }, /popThresholdForQueue/],
      [{ consumeMode: 'PUSH' }, /consumeMode/],
    ] as const)
      assert.throws(() => consumerOf(at, options as never), { code: 'ARGUMENT', message })
    await at.stop()
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerSendMsgBack, type HeaderOf, ResponseCode } from '@skua-mq/protocol'
import { ok, route } from '@skua-mq/remoting'
import { LitePullConsumer, PullConsumer, PushConsumer, type ReceivedMessage, SimpleConsumer } from '../../src/index.ts'
import { records } from '../records.ts'
import { routeOf, world } from '../scripted-cluster.ts'

const queue = { topic: 'T', brokerName: 'b0', queueId: 0 }

/** Brokers that know `ns%T` and the retry topic of `ns%cg`, with one message in the first queue of each. */
async function cluster() {
  const back: HeaderOf<typeof consumerSendMsgBack>[] = []
  const at = await world(1, {
    routes: [
      route(consumerSendMsgBack, header => {
        back.push(header)
        return ok({})
      }),
    ],
  })
  at.topics.clear()
  at.topics.set('ns%T', routeOf(at.brokers))
  at.topics.set('%RETRY%ns%cg', routeOf(at.brokers))
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = ({ topic, queueId, queueOffset }) => {
    if (queueId !== 0 || queueOffset !== 0) return 'held'
    const properties: Record<string, string> = topic === 'ns%T' ? {} : { RETRY_TOPIC: 'ns%T', UNIQ_KEY: 'AGAIN' }
    return { code: ResponseCode.success, next: 1, body: records(0, 1, { topic, properties }) }
  }
  const { runtime, namesrvAddr } = at
  return { at, broker, back, base: { runtime, namesrvAddr, namespace: 'ns', group: 'cg' } }
}

describe('with a namespace', () => {
  test('a push consumer knows its names, the wire has others', async () => {
    const { at, broker, back, base } = await cluster()
    const seen: string[][] = []
    const consumer = new PushConsumer(base).subscribe('T').onMessage((message, { queue: { topic } }) => {
      seen.push([message.topic, topic, message.msgId])
      return 'RECONSUME_LATER'
    })
    const changed: string[] = []
    consumer.on('queuesChanged', ({ topic }) => changed.push(topic))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    assert.deepEqual(seen.sort(), [
      ['T', '%RETRY%cg', 'AGAIN'],
      ['T', 'T', 'ID0'],
    ])
    assert.deepEqual(back.map(({ group, originTopic }) => [group, originTopic]).sort(), [
      ['ns%cg', 'T'],
      ['ns%cg', 'T'],
    ])
    assert.deepEqual(consumer.queues.map(({ topic }) => topic).sort(), ['%RETRY%cg', '%RETRY%cg', 'T', 'T'])
    assert.deepEqual(changed.sort(), ['%RETRY%ns%cg', 'ns%T'])
    const told = broker.heartbeats.at(-1)!.consumerDataSet[0]!
    assert.deepEqual(
      [told.groupName, told.subscriptionDataSet.map(({ topic }) => topic).sort()],
      ['ns%cg', ['%RETRY%ns%cg', 'ns%T']],
    )
    await at.settle(consumer.unsubscribe('T'))
    assert.deepEqual([...new Set(consumer.queues.map(({ topic }) => topic))], ['%RETRY%cg'])
    await at.settle(consumer.close())
    assert.deepEqual(broker.unregistered, ['ns%cg'])
    await at.stop()
  })

  test('a pull consumer pulls, and keeps offsets, of the topic with it', async () => {
    const { at, broker, base } = await cluster()
    const consumer = new PullConsumer(base)
    assert.deepEqual((await at.settle(consumer.fetchSubscribeMessageQueues('T')))[0], queue)
    const { messages } = await at.settle(consumer.pull(queue, 0))
    assert.deepEqual(
      messages.map((message: ReceivedMessage) => message.topic),
      ['T'],
    )
    await at.settle(consumer.updateConsumeOffset(queue, 3))
    await at.settle(consumer.persist())
    assert.deepEqual(
      broker.commits.map(({ topic, consumerGroup, commitOffset }) => [topic, consumerGroup, commitOffset]),
      [['ns%T', 'ns%cg', 3]],
    )
    assert.deepEqual([broker.pulls[0]!.topic, broker.pulls[0]!.consumerGroup], ['ns%T', 'ns%cg'])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('a lite pull consumer assigns, polls and commits the topic with it', async () => {
    const { at, broker, base } = await cluster()
    const consumer = new LitePullConsumer(base)
    await at.settle(consumer.assign([queue]))
    const messages = await at.settle(consumer.poll())
    assert.deepEqual(
      messages.map(message => message.topic),
      ['T'],
    )
    assert.deepEqual(consumer.queues, [queue])
    await at.settle(consumer.commit())
    assert.deepEqual([broker.commits.at(-1)!.topic, broker.commits.at(-1)!.commitOffset], ['ns%T', 1])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('a simple consumer names it to the brokers', async () => {
    const { at, broker, base } = await cluster()
    const consumer = new SimpleConsumer(base)
    await consumer.subscribe('T')
    await at.settle(consumer.start())
    const told = broker.heartbeats.at(-1)!.consumerDataSet[0]!
    assert.deepEqual([told.groupName, told.subscriptionDataSet.map(({ topic }) => topic)], ['ns%cg', ['ns%T']])
    await at.settle(consumer.close())
    await at.stop()
  })
})

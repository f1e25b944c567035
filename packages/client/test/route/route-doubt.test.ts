import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import { Producer, PushConsumer } from '../../src/index.ts'
import { routeOf, type ScriptedBroker, type World, world } from '../scripted-cluster.ts'

const message = { topic: 'T', body: 'x' }

/** A master, and another one that becomes the master of its name. */
async function two() {
  const at = await world(2)
  const [first, second] = at.brokers as [ScriptedBroker, ScriptedBroker]
  const asked = { count: 0 }
  let isSecond = false
  let isNobody = false
  const get = at.topics.get.bind(at.topics)
  at.topics.get = topic => {
    if (topic === 'T') asked.count++
    if (topic !== 'T' && topic !== 'U') return get(topic)
    const { brokerDatas, ...rest } = routeOf([isSecond ? second : first])
    const slave = new Map([[1, first.address]])
    return { ...rest, brokerDatas: brokerDatas.map(each => (isNobody ? { ...each, brokerAddrs: slave } : each)) }
  }
  const elect = () => {
    isSecond = true
    isNobody = false
  }
  const forget = () => {
    isNobody = true
  }
  return { at, first, second, asked, elect, forget }
}

async function producing(at: World): Promise<Producer> {
  const { runtime, namesrvAddr } = at
  const producer = new Producer({ runtime, namesrvAddr, group: 'pg', retryTimesWhenSendFailed: 0 })
  await at.settle(producer.start())
  await at.settle(producer.send(message))
  return producer
}

describe('another broker becomes the master of a name', () => {
  test('and a producer that tries once learns of it within a second of the next failure', async () => {
    const { at, second, elect } = await two()
    const producer = await producing(at)
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(2500)
    elect()
    await assert.rejects(at.settle(producer.send(message)), { code: 'NETWORK' })
    await at.clock.advanceAsync(1500)
    await at.settle(producer.send(message))
    assert.equal(second.sends.length, 1)
    await at.settle(producer.close())
    await at.stop()
  })

  test('and a consumer whose pulls failed pulls there as soon as it knows, having said who it is', async () => {
    const { at, second, elect } = await two()
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg' }).subscribe('T').onMessage(() => {})
    await at.settle(consumer.start())
    second.onPull = () =>
      second.heartbeats.length === 0 ? { code: ResponseCode.subscriptionNotExist, next: 0 } : 'held'
    await at.settle(at.servers.get('b0')!.stop())
    // Its pulls have failed again a moment ago.
    await at.clock.advanceAsync(3500)
    elect()
    let waitedMs = 0
    for (; second.pulls.length === 0; waitedMs += 50) await at.clock.advanceAsync(50)
    assert.ok(waitedMs <= 1500, `${waitedMs} ms`)
    await at.clock.advanceAsync(100)
    // Each queue of T, and the one of its retry topic where there is one, was asked for once, and is held.
    const queues = second.pulls.map(({ topic, queueId }) => `${topic} ${queueId}`)
    assert.equal(new Set(queues).size, queues.length, queues.join(', '))
    await at.settle(consumer.close())
    await at.stop()
  })

  test('and one that sends nothing meanwhile knows it already', async () => {
    const { at, second, elect } = await two()
    const producer = await producing(at)
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(2500)
    elect()
    await at.clock.advanceAsync(1500)
    await at.settle(producer.send(message))
    assert.equal(second.sends.length, 1)
    await at.settle(producer.close())
    await at.stop()
  })

  test('late, when the name servers have known of no master for a while: it hears of its clients all the same', async () => {
    const { at, second, elect, forget } = await two()
    const producer = await producing(at)
    await at.clock.advanceAsync(31_000)
    forget()
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(8000)
    elect()
    await at.clock.advanceAsync(3000)
    assert.equal(second.heartbeats.length, 1)
    await at.settle(producer.close())
    await at.stop()
  })

  test('and all topics are known to be there', async () => {
    const { at, second, elect } = await two()
    const producer = await producing(at)
    await at.settle(producer.send({ topic: 'U', body: 'x' }))
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(2500)
    elect()
    await at.clock.advanceAsync(1500)
    for (const topic of ['U', 'T']) await at.settle(producer.send({ topic, body: 'x' }))
    assert.equal(second.sends.length, 2)
    await at.settle(producer.close())
    await at.stop()
  })

  for (const code of [ResponseCode.serviceNotAvailable, ResponseCode.noPermission] as const)
    test(`and the former one, which lives, answers with ${code} as a slave`, async () => {
      const { at, first, second, elect } = await two()
      const producer = await producing(at)
      elect()
      first.onSend = () => ({ code, remark: 'slave' })
      await assert.rejects(at.settle(producer.send(message)), { responseCode: code })
      await at.clock.advanceAsync(100)
      await at.settle(producer.send(message))
      assert.equal(second.sends.length, 1)
      await at.settle(producer.close())
      await at.stop()
    })

  test('and a consumer reads from it within seconds', async () => {
    const { at, second, elect } = await two()
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'g' })
    consumer.subscribe('T', '*')
    consumer.onMessage(async () => {})
    await at.settle(consumer.start())
    await at.clock.advanceAsync(40_000)
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(2500)
    elect()
    await at.clock.advanceAsync(4500)
    assert.ok(second.pulls.length > 0, 'the new master is asked for messages')
    await at.settle(consumer.close())
    await at.stop()
  })
})

test('the name servers are asked seldom about a broker that stays away, and not about others than brokers', async () => {
  const { at, asked } = await two()
  const producer = await producing(at)
  await at.settle(at.servers.get('b0')!.stop())
  asked.count = 0
  await at.clock.advanceAsync(600_000)
  // 20 of them are the regular ones.
  assert.ok(asked.count >= 25 && asked.count <= 55, `${asked.count}`)
  await at.settle(producer.close())
  await at.stop()
})

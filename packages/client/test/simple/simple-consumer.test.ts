import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseExtraInfo, ResponseCode, SysFlag } from '@skua-mq/protocol'
import { type ReceivedMessage, SimpleConsumer, type SimpleConsumerOptions } from '../../src/index.ts'
import { type Answer, popCluster } from '../pop-cluster.ts'
import { record } from '../records.ts'
import { routeOf, type World } from '../scripted-cluster.ts'

async function started(at: World, options: Partial<SimpleConsumerOptions> = {}) {
  const { runtime, namesrvAddr } = at
  const consumer = new SimpleConsumer({ runtime, namesrvAddr, group: 'cg', ...options })
  await consumer.subscribe('T')
  await at.settle(consumer.start())
  return consumer
}

const end = async (at: World, consumer: SimpleConsumer) => {
  await at.settle(consumer.close())
  await at.stop()
}

describe('receiving', () => {
  test('asks for messages of any queue, for as long and as many as is wished', async () => {
    const { at, pops, script } = await popCluster()
    const consumer = await started(at, { awaitMs: 9000, invisibleMs: 30_000, maxNums: 4 })
    script.onPop = () => ({ messages: [{ queueOffset: 1, queueId: 1 }, { queueOffset: 5 }] })
    const messages = await at.settle(consumer.receive())
    assert.deepEqual(
      messages.map(message => [message.text(), message.topic, message.queue.queueId, message.queue.brokerName]),
      [
        ['1', 'T', 1, 'b0'],
        ['5', 'T', 0, 'b0'],
      ],
    )
    await at.settle(consumer.receive({ awaitMs: 1, invisibleMs: 5000, maxNums: 32 }))
    assert.deepEqual(
      pops.map(({ consumerGroup, topic, queueId, maxMsgNums, invisibleTime, pollTime, initMode, exp, order }) => [
        ...[consumerGroup, topic, queueId, maxMsgNums, invisibleTime, pollTime],
        ...[initMode, exp, order],
      ]),
      [
        ['cg', 'T', -1, 4, 30_000, 9000, 1, '*', false],
        ['cg', 'T', -1, 32, 5000, 1, 1, '*', false],
      ],
    )
    await end(at, consumer)
  })

  test('begins where the group shall begin', async () => {
    const { at, pops } = await popCluster()
    const consumer = await started(at, { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
    await at.settle(consumer.receive())
    assert.equal(pops[0]!.initMode, 0)
    await end(at, consumer)
  })

  test('of nothing is empty, by whichever code the broker says it', async () => {
    const { at, script } = await popCluster()
    const consumer = await started(at)
    const { pollingTimeout, pollingFull, pullNotFound, pullRetryImmediately } = ResponseCode
    for (const code of [pollingTimeout, pollingFull, pullNotFound, pullRetryImmediately]) {
      script.onPop = () => ({ code })
      assert.deepEqual(await at.settle(consumer.receive()), [])
    }
    script.onPop = () => ({ code: ResponseCode.noPermission })
    await assert.rejects(at.settle(consumer.receive()), { code: 'BROKER', responseCode: 16 })
    await end(at, consumer)
  })

  test('asks one broker of one topic after another, so that none waits for ever', async () => {
    const { at, pops } = await popCluster(2)
    at.topics.set('U', routeOf(at.brokers.slice(0, 1)))
    const consumer = await started(at)
    await at.settle(consumer.subscribe('U', 'A'))
    for (let n = 0; n < 6; n++) await at.settle(consumer.receive())
    const counts = new Map<string, number>()
    for (const { topic, exp } of pops) counts.set(`${topic} ${exp}`, (counts.get(`${topic} ${exp}`) ?? 0) + 1)
    assert.deepEqual([...counts].sort(), [
      ['T *', 4],
      ['U A', 2],
    ])
    await end(at, consumer)
  })

  test('without a subscription, or after the end, is refused', async () => {
    const { at } = await popCluster()
    const { runtime, namesrvAddr } = at
    const consumer = new SimpleConsumer({ runtime, namesrvAddr, group: 'cg' })
    await assert.rejects(at.settle(consumer.receive()), { code: 'STATE', message: /subscribe\(topic\) first/ })
    await at.settle(consumer.subscribe('T'))
    await at.settle(consumer.unsubscribe('T'))
    await assert.rejects(at.settle(consumer.receive()), { code: 'STATE' })
    await at.settle(consumer.close())
    await assert.rejects(at.settle(consumer.receive()), { code: 'STATE', message: /is closed/ })
    await at.stop()
  })

  test('from a broker without POP says so, and what to use instead', async () => {
    const { at } = await popCluster(1, { hasPop: false })
    const consumer = await started(at)
    await assert.rejects(at.settle(consumer.receive()), {
      code: 'BROKER',
      responseCode: 3,
      message: /has no POP.*PushConsumer/,
    })
    await end(at, consumer)
  })

  test('of an unknown topic says so', async () => {
    const { at } = await popCluster()
    const { runtime, namesrvAddr } = at
    const consumer = new SimpleConsumer({ runtime, namesrvAddr, group: 'cg' })
    await consumer.subscribe('Nothing')
    await assert.rejects(at.settle(consumer.receive()), { code: 'NO_ROUTE' })
    await end(at, consumer)
  })

  test('leaves out what cannot be read, which is told and not acknowledged, and gives the others', async () => {
    const { at, script, acks } = await popCluster()
    const consumer = await started(at)
    const told: number[] = []
    consumer.on('messageUnreadable', ({ queueOffset }) => told.push(queueOffset))
    script.onPop = () => ({
      messages: [
        { queueOffset: 1 },
        { queueOffset: 2, sysFlag: SysFlag.compressed, body: 'no zlib' },
        { queueOffset: 3 },
      ],
    })
    const messages = await at.settle(consumer.receive())
    assert.deepEqual(
      messages.map(message => message.text()),
      ['1', '3'],
    )
    assert.deepEqual([told, acks.length], [[2], 0])
    await end(at, consumer)
  })

  test('leaves out what only has the hash of the wanted tag, and acknowledges it for the group', async () => {
    const { at, script, acks } = await popCluster()
    const consumer = await started(at)
    await at.settle(consumer.subscribe('T', 'Aa'))
    script.onPop = () => ({
      messages: [
        { queueOffset: 1, properties: { TAGS: 'Aa' } },
        { queueOffset: 2, properties: { TAGS: 'BB' } },
      ],
    })
    // That the broker does not take it now is no reason to lose the others: it comes again.
    for (const code of [ResponseCode.success, ResponseCode.systemError]) {
      script.onAck = () => code
      assert.deepEqual(
        (await at.settle(consumer.receive())).map(message => message.tag),
        ['Aa'],
      )
    }
    assert.deepEqual(
      acks.map(({ offset }) => offset),
      [2, 2],
    )
    await end(at, consumer)
  })

  test('that nobody waits for any more ends with the reason of its signal; what comes yet is given back soon', async () => {
    const { at, script, changes } = await popCluster()
    const consumer = await started(at)
    let go: (told: Answer) => void = () => {}
    script.onPop = () =>
      new Promise<Answer>(resolve => {
        go = resolve
      })
    const abort = new AbortController()
    const given = assert.rejects(consumer.receive({ signal: abort.signal }), /enough/)
    await at.clock.advanceAsync(50)
    abort.abort(new Error('enough'))
    await at.settle(given)
    go({ messages: [{ queueOffset: 1 }, { queueOffset: 2 }] })
    await at.clock.advanceAsync(50)
    assert.deepEqual(
      changes.map(({ offset, invisibleTime }) => [offset, invisibleTime]),
      [
        [1, 100],
        [2, 100],
      ],
    )
    await end(at, consumer)
  })
})

describe('acknowledging', () => {
  async function one(options: Partial<SimpleConsumerOptions> = {}) {
    const all = await popCluster()
    const consumer = await started(all.at, options)
    all.script.onPop = () => ({ messages: [{ queueOffset: 7, queueId: 1 }] })
    const [message] = await all.at.settle(consumer.receive())
    return { ...all, consumer, message: message! }
  }

  test('names the message by what came with it, and is done once', async () => {
    const { at, acks, consumer, message } = await one()
    await at.settle(consumer.ack(message))
    const [ack] = acks
    assert.deepEqual([ack!.consumerGroup, ack!.topic, ack!.queueId, ack!.offset], ['cg', 'T', 1, 7])
    const info = parseExtraInfo(ack!.extraInfo)!
    assert.deepEqual(
      [
        info.startOffset,
        info.invisibleTime,
        info.reviveQid,
        info.mark,
        info.brokerName,
        info.queueId,
        info.queueOffset,
      ],
      [7, 60_000, 3, '0', 'b0', 1, 7],
    )
    await assert.rejects(at.settle(consumer.ack(message)), { code: 'STATE', message: /acknowledged already/ })
    await end(at, consumer)
  })

  test('that the broker refuses may be tried again', async () => {
    const { at, acks, script, consumer, message } = await one()
    script.onAck = () => ResponseCode.systemError
    await assert.rejects(at.settle(consumer.ack(message)), { code: 'BROKER' })
    script.onAck = () => ResponseCode.success
    await at.settle(consumer.ack(message))
    assert.equal(acks.length, 2)
    await end(at, consumer)
  })

  test('comes too late when the time of the message is over, which is said before it is asked', async () => {
    const { at, acks, consumer, message } = await one({ invisibleMs: 5000 })
    await at.clock.advanceAsync(5001)
    await assert.rejects(at.settle(consumer.ack(message)), {
      code: 'STATE',
      message: /is over: it comes again.*invisibleMs/,
    })
    await assert.rejects(at.settle(consumer.changeInvisibleMs(message, 5000)), { code: 'STATE' })
    assert.equal(acks.length, 0)
    await end(at, consumer)
  })

  test('of what this consumer did not receive is refused', async () => {
    const { at, consumer, message } = await one()
    const other = { ...message } as ReceivedMessage
    await assert.rejects(at.settle(consumer.ack(other)), {
      code: 'STATE',
      message: /not one that this consumer received/,
    })
    await end(at, consumer)
  })

  test('goes by the new receipt when its time was changed', async () => {
    const { at, acks, changes, consumer, message } = await one({ invisibleMs: 5000 })
    await at.clock.advanceAsync(4000)
    await at.settle(consumer.changeInvisibleMs(message, 20_000))
    assert.deepEqual([changes[0]!.offset, changes[0]!.invisibleTime], [7, 20_000])
    await at.clock.advanceAsync(15_000)
    await at.settle(consumer.ack(message))
    const info = parseExtraInfo(acks[0]!.extraInfo)!
    assert.deepEqual([info.reviveQid, info.invisibleTime, info.startOffset], [5, 20_000, 7])
    await end(at, consumer)
  })

  test('while its time is being changed leaves nothing behind to acknowledge', async () => {
    const { at, acks, consumer, message } = await one()
    const changing = consumer.changeInvisibleMs(message, 20_000)
    const acking = consumer.ack(message)
    await at.settle(Promise.all([changing, acking]))
    assert.equal(acks.length, 1)
    await assert.rejects(at.settle(consumer.ack(message)), { code: 'STATE' })
    await end(at, consumer)
  })

  test('is done once, also where the answer of a change comes behind it', async () => {
    const { at, acks, script, consumer, message } = await one()
    script.onChange = () => new Promise(resolve => at.clock.after(1000, resolve))
    const changing = consumer.changeInvisibleMs(message, 20_000)
    await at.clock.advanceAsync(10)
    await at.settle(consumer.ack(message))
    await at.settle(changing)
    await assert.rejects(at.settle(consumer.ack(message)), { code: 'STATE', message: /acknowledged already/ })
    assert.equal(acks.length, 1)
    await end(at, consumer)
  })

  test('has the time of a change from when it was asked for: the broker counts from before its answer', async () => {
    const { at, acks, script, consumer, message } = await one()
    script.onChange = () => new Promise(resolve => at.clock.after(2000, resolve))
    await at.settle(consumer.changeInvisibleMs(message, 5000))
    await at.clock.advanceAsync(3500)
    await assert.rejects(at.settle(consumer.ack(message)), { code: 'STATE', message: /is over/ })
    assert.equal(acks.length, 0)
    await end(at, consumer)
  })

  test('of a message that came again goes to the retry topic in which it lies, and the message has its own', async () => {
    const { at, acks, script, consumer } = await one()
    script.onPop = () => ({
      messages: [
        {
          topic: '%RETRY%cg_T',
          queueOffset: 4,
          reconsumeTimes: 2,
          properties: { RETRY_TOPIC: 'T', POP_CK: '4 1767225600000 60000 2 1 b0 0 4' },
        },
      ],
    })
    const [message] = await at.settle(consumer.receive())
    assert.deepEqual([message!.topic, message!.reconsumeTimes], ['T', 2])
    await at.settle(consumer.ack(message!))
    assert.deepEqual([acks[0]!.topic, acks[0]!.offset, acks[0]!.queueId], ['%RETRY%cg_T', 4, 0])
    await end(at, consumer)
  })
})

describe('a simple consumer', () => {
  test('tells brokers who it is, and what it wants, also later; and says good-bye', async () => {
    const { at } = await popCluster()
    const consumer = await started(at)
    const told = () => at.brokers[0]!.heartbeats.at(-1)!.consumerDataSet[0]!
    assert.deepEqual(
      [told().groupName, told().consumeType, told().messageModel, told().subscriptionDataSet.map(({ topic }) => topic)],
      ['cg', 'CONSUME_POP', 'CLUSTERING', ['T']],
    )
    at.topics.set('U', routeOf(at.brokers))
    await at.settle(consumer.subscribe('U', 'a > 1', { type: 'SQL92' }))
    assert.deepEqual(
      told().subscriptionDataSet.map(({ topic, expressionType }) => [topic, expressionType]),
      [
        ['T', 'TAG'],
        ['U', 'SQL92'],
      ],
    )
    await at.settle(consumer.unsubscribe('T'))
    assert.equal(told().subscriptionDataSet.length, 1)
    await at.settle(consumer.close())
    assert.deepEqual(at.brokers[0]!.unregistered, ['cg'])
    await at.stop()
    await at.clock.advanceAsync(60_000)
    assert.equal(at.clock.nextInMs, undefined)
  })

  test('closes though a receive is held, which ends with it', async () => {
    const { at, script } = await popCluster()
    const consumer = await started(at)
    script.onPop = () => 'held'
    const waiting = assert.rejects(consumer.receive())
    await at.clock.advanceAsync(50)
    const begun = at.clock.monotonic()
    await at.settle(consumer.close())
    await at.settle(waiting)
    assert.ok(at.clock.monotonic() - begun < 2000)
    await at.stop()
  })

  test('answers operators: it has no queues, and takes no message by hand', async () => {
    const { at } = await popCluster()
    const consumer = await started(at)
    const { connection } = at.brokers[0]!
    const info = await at.settle(connection!.call({ code: 307, extFields: { consumerGroup: 'cg', clientId: 'x' } }))
    assert.equal(info.code, 0)
    assert.match(Buffer.from(info.body!).toString(), /CONSUME_POP/)
    const direct = { consumerGroup: 'cg', clientId: 'x', msgId: 'm', brokerName: 'b0' }
    const handed = await at.settle(connection!.call({ code: 309, extFields: direct, body: record({ queueOffset: 1 }) }))
    assert.equal(handed.code, 1)
    await end(at, consumer)
  })

  test('refuses settings that no broker would take', async () => {
    const { at } = await popCluster()
    const { runtime, namesrvAddr } = at
    const base = { runtime, namesrvAddr, group: 'cg' }
    for (const wrong of [{ awaitMs: 30_001 }, { awaitMs: -1 }, { invisibleMs: 4999 }, { maxNums: 0 }, { maxNums: 33 }])
      assert.throws(() => new SimpleConsumer({ ...base, ...wrong }), { code: 'ARGUMENT' }, JSON.stringify(wrong))
    const consumer = await started(at)
    await assert.rejects(at.settle(consumer.receive({ maxNums: 33 })), { code: 'ARGUMENT' })
    await assert.rejects(consumer.subscribe('T', '||'), { code: 'ARGUMENT' })
    await end(at, consumer)
  })
})

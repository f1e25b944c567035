import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResponseCode, sendBatchMessage } from '@skua-mq/protocol'
import { answer, refuse, route } from '@skua-mq/remoting'
import { type BufferOptions, Producer } from '../../src/index.ts'
import { routeOf, world } from '../scripted-cluster.ts'

async function buffered(options: BufferOptions = {}, { refuses = () => false as boolean } = {}) {
  const batches: { count: number; queueId: number; topic: string }[] = []
  let next = 100
  const at = await world(1, {
    routes: [
      route(sendBatchMessage, ({ queueId, topic }, { body }) => {
        let count = 0
        for (let place = 0; place < body.length; place += Buffer.from(body).readInt32BE(place)) count++
        batches.push({ count, queueId, topic })
        if (refuses()) return refuse(ResponseCode.messageIllegal, 'no')
        const first = next
        next += count
        const msgId = Array.from({ length: count }, (_, n) => `PLACE${first + n}`).join(',')
        return answer(ResponseCode.success, { msgId, queueId, queueOffset: first })
      }),
    ],
  })
  at.topics.set('U', routeOf(at.brokers))
  const { runtime, namesrvAddr } = at
  const producer = new Producer({ runtime, namesrvAddr, group: 'pg', logger: false })
  await at.settle(producer.start())
  const buffer = producer.buffer(options)
  const end = async () => {
    await at.settle(buffer.close())
    await at.settle(producer.close())
    await at.stop()
  }
  return { at, batches, buffer, producer, end }
}

const message = (body: string, topic = 'T') => ({ topic, body })

describe('a buffer of sends', () => {
  test('sends together what comes within its time, and each gets its own id and place', async () => {
    const { at, batches, buffer, end } = await buffered({ lingerMs: 20 })
    const sends = ['a', 'b', 'c'].map(body => buffer.send(message(body)))
    await at.clock.advanceAsync(19)
    assert.equal(batches.length, 0)
    const results = await at.settle(Promise.all(sends))
    assert.deepEqual(
      batches.map(({ count }) => count),
      [3],
    )
    assert.deepEqual(
      results.map(({ offsetMsgId, queueOffset }) => [offsetMsgId, queueOffset]),
      [
        ['PLACE100', 100],
        ['PLACE101', 101],
        ['PLACE102', 102],
      ],
    )
    assert.equal(new Set(results.map(({ msgId }) => msgId)).size, 3)
    for (const { msgId, transactionId } of results) assert.equal(transactionId, msgId)
    await end()
  })

  test('goes out at once when it has enough bytes, or messages', async () => {
    for (const [options, count, sign = 'x'] of [
      [{ maxMessages: 4 }, 4],
      [{ maxBytes: 1000 }, 2],
      [{ maxBytes: 3000 }, 2, '一'],
    ] as const) {
      const { at, batches, buffer, end } = await buffered({ lingerMs: 60_000, ...options })
      const sends = Array.from({ length: count }, () => buffer.send(message(sign.repeat(500))))
      await at.settle(Promise.all(sends))
      assert.deepEqual(
        batches.map(batch => batch.count),
        [count],
      )
      await end()
    }
  })

  test('keeps topics apart, and sends what is alone as a plain message, as it does with what is delayed', async () => {
    const { at, batches, buffer, end } = await buffered()
    await at.settle(
      Promise.all([
        buffer.send(message('1')),
        buffer.send(message('2', 'U')),
        buffer.send(message('3', 'U')),
        buffer.send({ ...message('4'), delayLevel: 3 }),
      ]),
    )
    assert.deepEqual(
      batches.map(({ topic, count }) => [topic, count]),
      [['U', 2]],
    )
    assert.deepEqual(at.brokers[0]!.sends.map(({ topic }) => topic).sort(), ['T', 'T'])
    await end()
  })

  test('tells each of a batch that was refused', async () => {
    const { at, buffer, end } = await buffered({}, { refuses: () => true })
    const sends = ['a', 'b'].map(body => assert.rejects(buffer.send(message(body)), { responseCode: 13 }))
    await at.settle(Promise.all(sends))
    await end()
  })

  test('of messages that cannot be sent tells who sent them, and sends the others', async () => {
    const { at, buffer, batches, end } = await buffered()
    const good = [buffer.send(message('a'))]
    const wrong = [
      { ...message('b'), properties: { UNIQ_KEY: 'x' } },
      { topic: 'T', body: null },
      { topic: 'U', body: new Uint8Array(5_000_000) },
      { topic: '', body: 'x' },
      undefined,
    ].map(one => assert.rejects(buffer.send(one as never), { code: 'ARGUMENT' }))
    good.push(buffer.send(message('c')))
    await at.settle(Promise.all([...wrong, ...good]))
    assert.deepEqual(
      batches.map(({ count }) => count),
      [2],
    )
    await end()
  })

  test('of what is more than a batch may be sends several, and each is told of its own', async () => {
    let sends = 0
    const { at, buffer, batches, end } = await buffered({ maxBytes: 1_048_576 }, { refuses: () => ++sends === 2 })
    // Their bodies would be one batch; with their properties they are more.
    const told = Array.from({ length: 6 }, () =>
      buffer.send({ ...message('x'.repeat(174_000)), properties: { p: 'y'.repeat(1_000) } }),
    )
    const kept = await at.settle(Promise.allSettled([...told, buffer.send(message('end'))]))
    assert.deepEqual(
      batches.map(({ count }) => count),
      [5, 2],
    )
    assert.deepEqual(
      kept.map(({ status }) => status),
      [...new Array(5).fill('fulfilled'), 'rejected', 'rejected'],
    )
    await end()
  })

  test('sends what waits when it is flushed or closed, and takes nothing after that', async () => {
    const { at, batches, buffer, end } = await buffered({ lingerMs: 60_000 })
    const first = [buffer.send(message('a')), buffer.send(message('b'))]
    await at.settle(buffer.flush())
    await at.settle(Promise.all(first))
    const second = [buffer.send(message('c')), buffer.send(message('d'))]
    await at.settle(buffer.close())
    await at.settle(Promise.all(second))
    assert.equal(batches.length, 2)
    await assert.rejects(buffer.send(message('e')), { code: 'STATE' })
    await at.clock.advanceAsync(61_000)
    assert.equal(batches.length, 2)
    await end()
  })

  test('refuses bounds that cannot be', async () => {
    const { producer, end } = await buffered()
    for (const wrong of [{ lingerMs: -1 }, { maxBytes: 0 }, { maxBytes: 2_000_000 }, { maxMessages: 0 }])
      assert.throws(() => producer.buffer(wrong), { code: 'ARGUMENT' })
    await end()
  })
})

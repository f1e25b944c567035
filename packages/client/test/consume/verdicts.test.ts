import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  ackMessage,
  changeMessageInvisibleTime,
  consumerSendMsgBack,
  lockBatchMq,
  popMessage,
  ResponseCode,
  unlockBatchMq,
} from '@skua-mq/protocol'
import { answer, ok, route } from '@skua-mq/remoting'
import { levelFor } from '../../src/consume/verdicts.ts'
import {
  type BodyCodec,
  LitePullConsumer,
  PullConsumer,
  PushConsumer,
  type PushConsumerOptions,
  SimpleConsumer,
} from '../../src/index.ts'
import { record, records } from '../records.ts'
import { type World, world } from '../scripted-cluster.ts'

/** A broker with `count` messages in the first queue, and what is given back to it. */
async function withMessages(count: number, bodies?: readonly string[]) {
  const back: [string, number][] = []
  const settled: string[] = []
  const body =
    bodies === undefined
      ? records(0, count)
      : Buffer.concat(bodies.map((text, n) => record({ queueOffset: n, body: text })))
  const at = await world(1, {
    routes: [
      route(consumerSendMsgBack, ({ originMsgId, delayLevel }) => {
        back.push([originMsgId ?? '', delayLevel])
        return ok({})
      }),
      route(lockBatchMq, (_header, { body }) => {
        const { mqSet } = lockBatchMq.body!.decode(body)
        return ok({}, lockBatchMq.replyBody!.encode({ lockOKMQSet: mqSet }))
      }),
      route(unlockBatchMq, () => ok({})),
      route(popMessage, ({ invisibleTime }) => {
        const startOffsetInfo = Array.from({ length: count }, (_, n) => `0 0 ${n}`).at(0)!
        const header = { popTime: 1, invisibleTime, reviveQid: 0, restNum: 0, startOffsetInfo }
        return { ...answer(ResponseCode.success, header), body }
      }),
      route(ackMessage, ({ offset }) => {
        settled.push(`ack ${offset}`)
        return ok({})
      }),
      route(changeMessageInvisibleTime, ({ offset, invisibleTime }) => {
        settled.push(`${offset} again after ${invisibleTime}`)
        return ok({ popTime: 2, invisibleTime, reviveQid: 0 })
      }),
    ],
  })
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = ({ topic, queueId, queueOffset }) =>
    topic === 'T' && queueId === 0 && queueOffset === 0 ? { code: ResponseCode.success, next: count, body } : 'held'
  const { runtime, namesrvAddr } = at
  return { at, broker, back, settled, base: { runtime, namesrvAddr, group: 'cg', logger: false as const } }
}

const pushOf = (base: PushConsumerOptions, options: Partial<PushConsumerOptions> = {}) =>
  new PushConsumer({ ...base, ...options }).subscribe('T')

async function run(at: World, consumer: PushConsumer, ms = 100): Promise<void> {
  await at.settle(consumer.start())
  await at.clock.advanceAsync(ms)
  await at.settle(consumer.close())
  await at.stop()
}

test('a wish in milliseconds is the shortest level that is not shorter', () => {
  assert.deepEqual([0, 1, 1000, 1001, 30_000, 30_001, 7_200_000, 99_999_999].map(levelFor), [1, 1, 1, 2, 4, 5, 18, 18])
})

describe('in a handler', () => {
  test('nack brings the message again after its time, though the handler returns well', async () => {
    const { at, base, back, broker } = await withMessages(3)
    const consumer = pushOf(base).onMessage(async message => {
      if (message.msgId === 'ID1') await message.nack({ delay: 31_000 })
      if (message.msgId === 'ID2') await message.nack()
    })
    await run(at, consumer)
    assert.deepEqual(back.sort(), [
      ['ID1', 5],
      ['ID2', 0],
    ])
    assert.equal(broker.commits.findLast(({ topic }) => topic === 'T')?.commitOffset !== undefined, true)
  })

  test('of a batch each message has its own verdict, whatever ackIndex and the answer say', async () => {
    const { at, base, back } = await withMessages(4)
    const consumer = pushOf(base, { consumeMessageBatchMaxSize: 4 }).onMessages(
      async ([first, second, _third, fourth], context) => {
        context.delayLevelWhenNextConsume = 7
        await first!.ack()
        await second!.nack({ delay: 0 })
        await fourth!.ack()
        return 'RECONSUME_LATER' as const
      },
    )
    await run(at, consumer)
    assert.deepEqual(back.sort(), [
      ['ID1', 1],
      ['ID2', 7],
    ])
  })

  test('what was said of an earlier run does not count for the next', async () => {
    const { at, base, back } = await withMessages(1)
    let runs = 0
    const consumer = pushOf(base, { orderly: true, suspendCurrentQueueTimeMillis: 10 }).onMessage(async message => {
      if (++runs < 3) await message.nack({ delay: 200 })
    })
    await at.settle(consumer.start())
    const begun = at.clock.monotonic()
    while (runs < 3) await at.clock.advanceAsync(10)
    const took = at.clock.monotonic() - begun
    // In order: it comes itself again, after the wished time.
    assert.ok(took >= 400 && took < 600, `${took} ms`)
    await at.clock.advanceAsync(1000)
    assert.deepEqual([runs, back], [3, []])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('a delay that is none is refused', async () => {
    const { at, base } = await withMessages(1)
    const errors: unknown[] = []
    const consumer = pushOf(base).onMessage(async message => {
      for (const delay of [-1, Number.NaN, 50_000_000])
        await message.nack({ delay }).catch(error => errors.push(error.code))
    })
    await run(at, consumer)
    assert.deepEqual(errors, ['ARGUMENT', 'ARGUMENT', 'ARGUMENT'])
  })
})

describe('what a consumer is told', () => {
  test('when a message becomes a dead letter, by its tries or at once', async () => {
    const { at, base } = await withMessages(2)
    const told: unknown[] = []
    const consumer = pushOf(base, { maxReconsumeTimes: 0 }).onMessage((message, context) => {
      if (message.msgId === 'ID1') context.delayLevelWhenNextConsume = -1
      return 'RECONSUME_LATER'
    })
    consumer.on('deadLetter', fields => told.push(fields))
    await run(at, consumer)
    assert.deepEqual(told, [
      { group: 'cg', topic: 'T', msgId: 'ID0', tries: 1 },
      { group: 'cg', topic: 'T', msgId: 'ID1', tries: 1 },
    ])
    const second = await withMessages(1)
    const alive = pushOf(second.base).onMessage(() => 'RECONSUME_LATER')
    alive.on('deadLetter', fields => told.push(fields))
    await run(second.at, alive)
    assert.equal(told.length, 2)
  })

  test('when its handler answers what nobody knows: that counts as a failure, and is said', async () => {
    for (const [answer, expected] of [
      ['RECONSUME_LATERR', /"RECONSUME_LATERR" was given/],
      [false, /boolean was given/],
      [{ ok: 1 }, /object was given/],
    ] as const) {
      const { at, base, back } = await withMessages(1)
      const told: string[] = []
      const consumer = pushOf(base).onMessages((() => answer) as never)
      consumer.on('handlerFailed', ({ error }) => told.push((error as Error).message))
      await run(at, consumer)
      assert.equal(told.length, 1)
      assert.match(told[0]!, expected)
      assert.deepEqual(back, [['ID0', 0]])
    }
  })

  test('when its codec cannot read a body: not the handler failed', async () => {
    const { at, base } = await withMessages(1)
    const told: string[] = []
    const codec = {
      encode: () => Buffer.alloc(1),
      decode: () => {
        throw new Error('no number')
      },
    }
    const consumer = pushOf(base, { codec } as never).onMessage(() => {})
    consumer.on('handlerFailed', ({ error }) => told.push((error as Error).message))
    await run(at, consumer)
    assert.deepEqual(told, ['the codec cannot read message ID0: no number'])
  })
})

describe('in a loop', () => {
  test('ack and nack count at once; a turn or a break after them changes nothing', async () => {
    const { at, base, back } = await withMessages(4)
    const consumer = pushOf(base)
    const seen: string[] = []
    const loop = (async () => {
      for await (const message of consumer) {
        seen.push(message.msgId)
        if (seen.length === 1) await message.nack({ delay: 5000 })
        if (seen.length === 2) await message.ack()
        if (seen.length === 4) {
          await message.ack()
          break
        }
      }
    })()
    await at.settle(loop)
    await at.clock.advanceAsync(50)
    assert.deepEqual(back, [[seen[0], 2]])
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('of a simple consumer', () => {
  test('ack acknowledges at the broker; nack brings the message again soon, or after its time', async () => {
    const { at, base, settled } = await withMessages(3)
    const consumer = new SimpleConsumer(base)
    await consumer.subscribe('T')
    const [first, second, third] = await at.settle(consumer.receive())
    await at.settle(first!.ack())
    await at.settle(second!.nack())
    await at.settle(third!.nack({ delay: 7000 }))
    assert.deepEqual(settled, ['ack 0', '1 again after 100', '2 again after 7000'])
    await assert.rejects(at.settle(first!.ack()), { code: 'STATE' })
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('of a consumer that goes by offsets', () => {
  test('a message cannot be acknowledged by itself, which is said', async () => {
    const { at, base } = await withMessages(1)
    const consumer = new PullConsumer(base)
    const { messages } = await at.settle(consumer.pull({ topic: 'T', brokerName: 'b0', queueId: 0 }, 0))
    await assert.rejects(messages[0]!.ack(), { code: 'STATE', message: /its consumer commits offsets/ })
    await assert.rejects(messages[0]!.nack(), { code: 'STATE' })
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('a codec', () => {
  const numbers: BodyCodec<number> = {
    encode: value => Buffer.from(`${value}`),
    decode: body => {
      const value = Number(Buffer.from(body).toString())
      if (Number.isNaN(value)) throw new Error('no number')
      return value
    },
  }
  const bodies = ['1', 'x', '3']

  test('of a pull consumer makes values; what it cannot read is left out and told', async () => {
    const { at, base } = await withMessages(3, bodies)
    const consumer = new PullConsumer<number>({ ...base, codec: numbers })
    const told: number[] = []
    consumer.on('messageUnreadable', ({ queueOffset }) => told.push(queueOffset))
    const { messages } = await at.settle(consumer.pull({ topic: 'T', brokerName: 'b0', queueId: 0 }, 0))
    const values: number[] = messages.map(({ value }) => value)
    assert.deepEqual([values, told], [[1, 3], [1]])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of a lite pull consumer, too', async () => {
    const { at, base } = await withMessages(3, bodies)
    const consumer = new LitePullConsumer<number>({ ...base, codec: numbers })
    const told: number[] = []
    consumer.on('messageUnreadable', ({ queueOffset }) => told.push(queueOffset))
    await at.settle(consumer.assign([{ topic: 'T', brokerName: 'b0', queueId: 0 }]))
    const values: number[] = (await at.settle(consumer.poll())).map(({ value }) => value)
    assert.deepEqual([values, told], [[1, 3], [1]])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of a simple consumer, which does not acknowledge what cannot be read', async () => {
    const { at, base, settled } = await withMessages(3, bodies)
    const consumer = new SimpleConsumer<number>({ ...base, codec: numbers })
    await consumer.subscribe('T')
    const values: number[] = (await at.settle(consumer.receive())).map(({ value }) => value)
    assert.deepEqual([values, settled], [[1, 3], []])
    await at.settle(consumer.close())
    await at.stop()
  })
})

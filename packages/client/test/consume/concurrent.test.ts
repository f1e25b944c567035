import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { consumerSendMsgBack, type HeaderOf, ResponseCode } from '@skua-mq/protocol'
import { ok, refuse, route } from '@skua-mq/remoting'
import { PushConsumer, type PushConsumerOptions, type ReceivedMessage, type TracedConsume } from '../../src/index.ts'
import { records } from '../records.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

type Back = HeaderOf<typeof consumerSendMsgBack>

/** A broker with `count` messages in queue 0 of T; what is given back to it is kept. */
async function withMessages(count: number, { perPull = count, refuseBack = false } = {}) {
  const back: Back[] = []
  const at = await world(1, {
    routes: [
      route(consumerSendMsgBack, header => {
        back.push(header)
        return refuseBack ? refuse(ResponseCode.systemError, 'no') : ok({})
      }),
    ],
  })
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = ({ topic, queueId, queueOffset }) => {
    if (topic !== 'T' || queueId !== 0 || queueOffset >= count) return 'held'
    const next = Math.min(count, queueOffset + perPull)
    return { code: ResponseCode.success, next, body: records(queueOffset, next) }
  }
  const committed = () =>
    broker.commits.filter(commit => commit.topic === 'T' && commit.queueId === 0).at(-1)?.commitOffset
  return { at, broker, back, committed }
}

const consumerOf = <T = undefined>({ runtime, namesrvAddr }: World, options: Partial<PushConsumerOptions<T>> = {}) =>
  new PushConsumer<T>({ runtime, namesrvAddr, group: 'cg', ...options }).subscribe('T')

/** Starts it, lets `ms` pass, and closes it. */
async function run<T>(at: World, consumer: PushConsumer<T>, ms: number): Promise<void> {
  await at.settle(consumer.start())
  await at.clock.advanceAsync(ms)
  await at.settle(consumer.close())
  await at.stop()
}

describe('a handler', () => {
  test('gets each message once, with its place, and all are committed', async () => {
    const { at, committed } = await withMessages(10, { perPull: 4 })
    const seen: string[] = []
    const consumer = consumerOf(at).onMessage((message, context) => {
      seen.push(`${message.text()} ${context.queue.topic} ${context.queue.brokerName} ${context.queue.queueId}`)
    })
    await run(at, consumer, 100)
    assert.deepEqual(
      seen.sort(),
      Array.from({ length: 10 }, (_, n) => `${n} T b0 0`),
    )
    assert.equal(committed(), 10)
  })

  test('that says later, or throws, has its message brought again; the others are done', async () => {
    const { at, back, committed } = await withMessages(4)
    const failed: string[][] = []
    const consumer = consumerOf(at).onMessage(message => {
      if (message.text() === '1') return 'RECONSUME_LATER'
      if (message.text() === '2') throw new Error('down')
      return undefined
    })
    consumer.on('handlerFailed', ({ msgIds, group, topic }) => failed.push([group, topic, ...msgIds]))
    await run(at, consumer, 100)
    assert.deepEqual(back.map(({ originMsgId }) => originMsgId).sort(), ['ID1', 'ID2'])
    assert.deepEqual(
      back.map(({ group, delayLevel, maxReconsumeTimes, originTopic, unitMode }) => [
        ...[group, delayLevel, maxReconsumeTimes],
        ...[originTopic, unitMode],
      ]),
      [
        ['cg', 0, 16, 'T', false],
        ['cg', 0, 16, 'T', false],
      ],
    )
    assert.deepEqual(failed, [['cg', 'T', 'ID2']])
    assert.equal(committed(), 4)
  })

  test('chooses when its message comes again', async () => {
    const { at, back } = await withMessages(2)
    const consumer = consumerOf(at, { maxReconsumeTimes: 3 }).onMessage((message, context) => {
      context.delayLevelWhenNextConsume = message.text() === '0' ? 5 : -1
      return 'RECONSUME_LATER'
    })
    await run(at, consumer, 100)
    assert.deepEqual(
      back.map(({ originMsgId, delayLevel, maxReconsumeTimes }) => [originMsgId, delayLevel, maxReconsumeTimes]).sort(),
      [
        ['ID0', 5, 3],
        ['ID1', -1, 3],
      ],
    )
  })

  test('of batches gets as many as it wants of one queue, and says how far it came', async () => {
    const { at, back, committed } = await withMessages(10)
    const sizes: number[] = []
    const consumer = consumerOf(at, { consumeMessageBatchMaxSize: 4 }).onMessages((messages, context) => {
      sizes.push(messages.length)
      context.ackIndex = 1
    })
    await run(at, consumer, 100)
    assert.deepEqual(sizes, [4, 4, 2])
    assert.deepEqual(back.map(({ originMsgId }) => originMsgId).sort(), ['ID2', 'ID3', 'ID6', 'ID7'])
    assert.equal(committed(), 10)
  })

  test('of batches that says later has nothing done, whatever its ackIndex', async () => {
    const { at, back } = await withMessages(3)
    const consumer = consumerOf(at, { consumeMessageBatchMaxSize: 3 }).onMessages((_messages, context) => {
      context.ackIndex = 2
      return 'RECONSUME_LATER'
    })
    await run(at, consumer, 100)
    assert.equal(back.length, 3)
  })

  test('whose ackIndex lies behind the batch is done with all of it', async () => {
    const { at, back, committed } = await withMessages(3)
    const consumer = consumerOf(at, { consumeMessageBatchMaxSize: 3 }).onMessages((_messages, context) => {
      context.ackIndex = 100
    })
    await run(at, consumer, 100)
    assert.deepEqual([back.length, committed()], [0, 3])
  })

  test('runs as often at a time as consumeThreadMax says', async () => {
    const { at } = await withMessages(20)
    let running = 0
    let most = 0
    const release: (() => void)[] = []
    const consumer = consumerOf(at, { consumeThreadMax: 3 }).onMessage(async () => {
      running++
      most = Math.max(most, running)
      await new Promise<void>(resolve => release.push(resolve))
      running--
    })
    await at.settle(consumer.start())
    for (let n = 0; n < 30; n++) {
      await at.clock.advanceAsync(10)
      release.shift()?.()
    }
    assert.equal(most, 3)
    for (const one of release.splice(0)) one()
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that holds the loop is named', async () => {
    const { at } = await withMessages(1)
    const blocked: [string, number][] = []
    const consumer = consumerOf(at, { handlerBlockedMs: 50 }).onMessage(function slowHandler() {
      at.clock.block(80)
    })
    consumer.on('handlerBlocked', ({ handler, blockedMs }) => blocked.push([handler, blockedMs]))
    await run(at, consumer, 100)
    assert.deepEqual(blocked, [['slowHandler', 80]])
  })

  test('gets the value that the codec makes; what it cannot read comes again', async () => {
    const { at, back } = await withMessages(3)
    const values: number[] = []
    const codec = {
      encode: (value: number) => Buffer.from(`${value}`),
      decode: (body: Uint8Array) => {
        const value = Number(Buffer.from(body).toString())
        if (value === 1) throw new Error('no number')
        return value * 10
      },
    }
    const consumer = consumerOf<number>(at, { codec }).onMessage(message => void values.push(message.value))
    await run(at, consumer, 100)
    assert.deepEqual(values.sort(), [0, 20])
    assert.deepEqual(
      back.map(({ originMsgId }) => originMsgId),
      ['ID1'],
    )
  })

  test('is run by the tracer', async () => {
    const { at } = await withMessages(2)
    const traced: string[] = []
    const tracer = {
      send: () => () => {},
      consume: async <R>({ topic, group, messages }: TracedConsume, call: () => Promise<R>) => {
        traced.push(`begin ${topic} ${group} ${messages.map(({ msgId }) => msgId)}`)
        try {
          return await call()
        } finally {
          traced.push('end')
        }
      },
    }
    await run(
      at,
      consumerOf(at, { tracer, consumeMessageBatchMaxSize: 2 }).onMessages(() => {}),
      100,
    )
    assert.deepEqual(traced, ['begin T cg ID0,ID1', 'end'])
  })

  test('must be given before the start', async () => {
    const { at } = await withMessages(1)
    const consumer = consumerOf(at).onMessage(() => {})
    await at.settle(consumer.start())
    assert.throws(() => consumer.onMessage(() => {}), { code: 'STATE' })
    assert.throws(() => consumer.messages(), { code: 'STATE', message: /has a handler/ })
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('broadcasting', () => {
  test('takes all queues, whoever else is there; what fails is dropped and told', async () => {
    const { at, back, broker } = await withMessages(2)
    broker.members = () => ['a', 'b', 'c']
    const dropped: string[] = []
    const offsets = new Map<string, number>()
    const offsetStore = {
      read: async () => 0,
      write: async (all: readonly (readonly [{ queueId: number }, number])[]) => {
        for (const [{ queueId }, offset] of all) offsets.set(`${queueId}`, offset)
      },
    }
    const consumer = consumerOf(at, { messageModel: 'BROADCASTING', offsetStore }).onMessage(({ msgId }) =>
      msgId === 'ID0' ? 'RECONSUME_LATER' : undefined,
    )
    consumer.on('messageDropped', ({ msgId, why }) => dropped.push(`${msgId} ${why}`))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    assert.equal(consumer.queues.length, 2)
    assert.equal(
      consumer.queues.some(({ topic }) => topic.startsWith('%RETRY%')),
      false,
    )
    await at.settle(consumer.close())
    assert.deepEqual([dropped, back.length], [['ID0 broadcasting has no retries'], 0])
    assert.equal(offsets.get('0'), 2)
    assert.equal(broker.commits.length, 0)
    await at.stop()
  })
})

describe('a consumer that closes', () => {
  test('waits for the handlers that run, and commits what they did', async () => {
    const { at, committed } = await withMessages(1)
    let finish = () => {}
    const consumer = consumerOf(at).onMessage(
      () =>
        new Promise<void>(resolve => {
          finish = resolve
        }),
    )
    await at.settle(consumer.start())
    await at.clock.advanceAsync(50)
    let isClosed = false
    const closing = consumer.close().then(() => {
      isClosed = true
    })
    await at.clock.advanceAsync(1000)
    assert.equal(isClosed, false)
    finish()
    await at.settle(closing)
    assert.equal(committed(), 1)
    await at.stop()
  })

  test('does not wait longer than it says, and does not commit what is not done', async () => {
    const { at, committed } = await withMessages(2)
    const consumer = consumerOf(at, { awaitTerminationMillisWhenShutdown: 2000 }).onMessage(({ msgId }) =>
      msgId === 'ID0' ? new Promise<void>(() => {}) : undefined,
    )
    await at.settle(consumer.start())
    await at.clock.advanceAsync(50)
    const begun = at.clock.monotonic()
    await at.settle(consumer.close())
    const took = at.clock.monotonic() - begun
    assert.ok(took >= 2000 && took < 3000, `${took} ms`)
    assert.equal(committed() ?? 0, 0)
    await at.stop()
  })

  test('tells its handlers by their signal', async () => {
    const { at } = await withMessages(1)
    let isAborted = false
    const consumer = consumerOf(at).onMessage(
      (_message, { signal }) =>
        new Promise<void>(resolve =>
          signal.addEventListener('abort', () => {
            isAborted = true
            resolve()
          }),
        ),
    )
    await at.settle(consumer.start())
    await at.clock.advanceAsync(50)
    const begun = at.clock.monotonic()
    await at.settle(consumer.close())
    assert.ok(isAborted && at.clock.monotonic() - begun < 1000)
    await at.stop()
  })

  test('hands nothing more to its handler', async () => {
    const { at } = await withMessages(50)
    let runs = 0
    const consumer = consumerOf(at, { consumeThreadMax: 1 }).onMessage(async () => {
      runs++
      await new Promise<void>(resolve => at.clock.after(100, resolve))
    })
    await at.settle(consumer.start())
    await at.clock.advanceAsync(250)
    await at.settle(consumer.close())
    const before = runs
    assert.ok(before <= 4)
    await at.clock.advanceAsync(5000)
    assert.equal(runs, before)
    await at.stop()
  })
})

describe('a queue that another member takes', () => {
  test('is not committed any more by what still ran on it, and nothing is given back', async () => {
    const { at, broker, back } = await withMessages(3)
    let finish = () => {}
    const consumer = consumerOf(at).onMessage(({ msgId }) =>
      msgId === 'ID0'
        ? new Promise<'RECONSUME_LATER'>(resolve => (finish = () => resolve('RECONSUME_LATER')))
        : undefined,
    )
    await at.settle(consumer.start())
    await at.clock.advanceAsync(50)
    // Two members, of which the other one gets the first queue.
    broker.members = () => ['!', consumer.clientId!]
    broker.connection!.tell({ code: 40, extFields: { consumerGroup: 'cg' } })
    await at.clock.advanceAsync(100)
    assert.deepEqual(
      consumer.queues.filter(({ topic }) => topic === 'T').map(({ queueId }) => queueId),
      [1],
    )
    const before = broker.commits.length
    finish()
    await at.clock.advanceAsync(100)
    assert.deepEqual([broker.commits.length, back.length], [before, 0])
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('subscriptions', () => {
  test('that are added later are told to the brokers, and their queues are taken; those that are given up are not pulled', async () => {
    const { at, broker } = await withMessages(0)
    at.topics.set('U', routeOf(at.brokers))
    const consumer = consumerOf(at).onMessage(() => {})
    await at.settle(consumer.start())
    consumer.subscribe('U', 'X')
    await at.clock.advanceAsync(1500)
    assert.deepEqual([...new Set(consumer.queues.map(({ topic }) => topic))].sort(), ['T', 'U'])
    const told = broker.heartbeats.at(-1)!.consumerDataSet[0]!.subscriptionDataSet
    assert.equal(told.find(({ topic }) => topic === 'U')?.subString, 'X')
    await at.settle(consumer.unsubscribe('T'))
    assert.deepEqual([...new Set(consumer.queues.map(({ topic }) => topic))], ['U'])
    assert.equal(
      broker.heartbeats.at(-1)!.consumerDataSet[0]!.subscriptionDataSet.some(({ topic }) => topic === 'T'),
      false,
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('whose tags only look alike to the broker are filtered here', async () => {
    const { at, broker, committed } = await withMessages(0)
    // "Aa" and "BB" have the same hash.
    broker.onPull = ({ topic, queueId, queueOffset }) =>
      topic === 'T' && queueId === 0 && queueOffset === 0
        ? {
            code: ResponseCode.success,
            next: 2,
            body: Buffer.concat([
              records(0, 1, { properties: { TAGS: 'Aa' } }),
              records(1, 2, { properties: { TAGS: 'BB' } }),
            ]),
          }
        : 'held'
    const seen: string[] = []
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg' })
      .subscribe('T', 'Aa')
      .onMessage((message: ReceivedMessage) => void seen.push(message.tag!))
    await run(at, consumer, 100)
    assert.deepEqual(seen, ['Aa'])
    // What is filtered here is passed over by the next answer, as with Java.
    assert.equal(committed(), 1)
  })

  test('in SQL are checked by a broker before the start, whose refusal is thrown', async () => {
    const { at } = await withMessages(0)
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg' })
      .subscribe('T', 'a > 1', { type: 'SQL92' })
      .onMessage(() => {})
    await assert.rejects(at.settle(consumer.start()), { code: 'BROKER', responseCode: 3 })
    assert.deepEqual(at.brokers[0]!.unregistered, ['cg'])
    await at.stop()
  })
})

describe('backlog', () => {
  test('beyond a number is skipped, and told', async () => {
    const { at, broker } = await withMessages(0)
    broker.onPull = ({ topic, queueId, queueOffset }) => {
      if (topic !== 'T' || queueId !== 0) return 'held'
      // The last offset is 100 (scripted).
      return queueOffset < 100
        ? { code: ResponseCode.success, next: queueOffset + 1, body: records(queueOffset, queueOffset + 1) }
        : 'held'
    }
    const seen: number[] = []
    const skipped: unknown[] = []
    const consumer = consumerOf(at, { skipBacklogBeyond: 10 }).onMessage(message => void seen.push(message.queueOffset))
    consumer.on('backlogSkipped', ({ from, to, why }) => skipped.push([from, to, why]))
    await run(at, consumer, 500)
    assert.deepEqual(skipped, [[0, 90, 'count']])
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      [90, 91, 92, 93, 94, 95, 96, 97, 98, 99],
    )
  })
})

describe('suspending', () => {
  test('stops the pulls; resuming begins again', async () => {
    const { at, broker } = await withMessages(0)
    broker.onPull = ({ queueOffset }) => ({ code: ResponseCode.pullRetryImmediately, next: queueOffset })
    const slow = at.clock
    const consumer = consumerOf(at, { pullInterval: 0 }).onMessage(() => {})
    await at.settle(consumer.start())
    await slow.advanceAsync(20)
    consumer.suspend()
    await slow.advanceAsync(20)
    const before = broker.pulls.length
    assert.ok(before > 0)
    await slow.advanceAsync(3000)
    assert.equal(broker.pulls.length, before)
    consumer.resume()
    await slow.advanceAsync(1100)
    assert.ok(broker.pulls.length > before)
    await at.settle(consumer.close())
    await at.stop()
  })
})

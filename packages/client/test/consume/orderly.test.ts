import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type HeaderOf, lockBatchMq, parseProperties, ResponseCode, unlockBatchMq } from '@skua-mq/protocol'
import { ok, route } from '@skua-mq/remoting'
import { PushConsumer, type PushConsumerOptions } from '../../src/index.ts'
import { records } from '../records.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

interface Locks {
  /** Whether locks are given now. */
  granted: boolean
  /** Each ask and each unlock, with the queues' ids. */
  readonly log: string[]
}

/** A broker that gives locks, with `count` messages in queue 0 of T. */
async function withMessages(count: number, perPull = count) {
  const locks: Locks = { granted: true, log: [] }
  const lock = route(lockBatchMq, (_header, { body }) => {
    const { mqSet } = lockBatchMq.body!.decode(body)
    locks.log.push(`lock ${mqSet.map(({ topic, queueId }) => `${topic}${queueId}`)}`)
    return ok({}, lockBatchMq.replyBody!.encode({ lockOKMQSet: locks.granted ? mqSet : [] }))
  })
  const unlock = route(unlockBatchMq, (_header, { body }) => {
    const { mqSet } = unlockBatchMq.body!.decode(body)
    locks.log.push(`unlock ${mqSet.map(({ topic, queueId }) => `${topic}${queueId}`)}`)
    return ok({})
  })
  const at = await world(1, { routes: [lock, unlock] })
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = ({ topic, queueId, queueOffset }) => {
    if (topic !== 'T' || queueId !== 0 || queueOffset >= count) return 'held'
    const next = Math.min(count, queueOffset + perPull)
    return { code: ResponseCode.success, next, body: records(queueOffset, next) }
  }
  const committed = () =>
    broker.commits.filter(commit => commit.topic === 'T' && commit.queueId === 0).at(-1)?.commitOffset
  return { at, broker, locks, committed }
}

const consumerOf = ({ runtime, namesrvAddr }: World, options: Partial<PushConsumerOptions> = {}) =>
  new PushConsumer({ runtime, namesrvAddr, group: 'cg', orderly: true, ...options }).subscribe('T')

async function run(at: World, consumer: PushConsumer, ms: number): Promise<void> {
  await at.settle(consumer.start())
  await at.clock.advanceAsync(ms)
  await at.settle(consumer.close())
  await at.stop()
}

describe('messages in order', () => {
  test('come one behind the other, never two of a queue at a time', async () => {
    const { at, committed } = await withMessages(20, 7)
    const seen: string[] = []
    let running = 0
    const consumer = consumerOf(at).onMessage(async message => {
      assert.equal(++running, 1)
      await new Promise<void>(resolve => at.clock.after(Number(message.text()) % 3, resolve))
      seen.push(message.text())
      running--
    })
    await run(at, consumer, 500)
    assert.deepEqual(
      seen,
      Array.from({ length: 20 }, (_, n) => `${n}`),
    )
    assert.equal(committed(), 20)
  })

  test('that fail come again themselves after a pause, before those behind them', async () => {
    const { at, committed } = await withMessages(3)
    const seen: [string, number, number][] = []
    const consumer = consumerOf(at, { suspendCurrentQueueTimeMillis: 500 }).onMessage(message => {
      seen.push([message.text(), message.reconsumeTimes, at.clock.monotonic()])
      if (message.text() === '1' && message.reconsumeTimes < 2) return 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
      return undefined
    })
    await run(at, consumer, 2000)
    assert.deepEqual(
      seen.map(([text, times]) => [text, times]),
      [
        ['0', 0],
        ['1', 0],
        ['1', 1],
        ['1', 2],
        ['2', 0],
      ],
    )
    const gaps = [seen[2]![2] - seen[1]![2], seen[3]![2] - seen[2]![2]]
    for (const gap of gaps) assert.ok(gap >= 500 && gap < 600, `${gap} ms`)
    assert.equal(committed(), 3)
  })

  test('whose handler throws are suspended as well', async () => {
    const { at } = await withMessages(2)
    const seen: string[] = []
    const consumer = consumerOf(at, { suspendCurrentQueueTimeMillis: 100 }).onMessage(message => {
      seen.push(message.text())
      if (seen.length === 1) throw new Error('down')
    })
    await run(at, consumer, 500)
    assert.deepEqual(seen, ['0', '0', '1'])
  })

  test('are suspended for as long as the handler says', async () => {
    const { at } = await withMessages(1)
    const times: number[] = []
    const consumer = consumerOf(at).onMessage((_message, context) => {
      times.push(at.clock.monotonic())
      context.suspendCurrentQueueTimeMillis = times.length === 1 ? 50 : 1_000_000
      return times.length <= 2 ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : undefined
    })
    await run(at, consumer, 31_000)
    const gaps = times.slice(1).map((time, n) => time - times[n]!)
    assert.ok(gaps[0]! >= 50 && gaps[0]! < 150, `${gaps}`)
    // Java's longest.
    assert.ok(gaps[1]! >= 30_000 && gaps[1]! < 30_200, `${gaps}`)
  })

  test('that were tried often enough are given to the broker as dead letters, and the queue goes on', async () => {
    const { at, broker, committed } = await withMessages(3)
    at.topics.set('%RETRY%cg', routeOf(at.brokers))
    const seen: string[] = []
    const consumer = consumerOf(at, { maxReconsumeTimes: 2, suspendCurrentQueueTimeMillis: 10 }).onMessage(message => {
      seen.push(message.text())
      return message.text() === '1' ? 'SUSPEND_CURRENT_QUEUE_A_MOMENT' : undefined
    })
    await run(at, consumer, 1000)
    assert.deepEqual(seen, ['0', '1', '1', '1', '2'])
    const dead: HeaderOf<typeof import('@skua-mq/protocol').sendMessageV2>[] = broker.sends
    assert.equal(dead.length, 1)
    assert.deepEqual([dead[0]!.topic, dead[0]!.reconsumeTimes, dead[0]!.maxReconsumeTimes], ['%RETRY%cg', 2, 2])
    assert.equal(parseProperties(dead[0]!.properties ?? '').get('ORIGIN_MESSAGE_ID'), 'ID1')
    assert.equal(committed(), 3)
  })

  test('are tried without end where nothing else is said', async () => {
    const { at, broker } = await withMessages(1)
    let runs = 0
    const consumer = consumerOf(at, { suspendCurrentQueueTimeMillis: 10 }).onMessage(() => {
      runs++
      return 'SUSPEND_CURRENT_QUEUE_A_MOMENT'
    })
    await run(at, consumer, 2000)
    assert.ok(runs > 50, `${runs} runs`)
    assert.equal(broker.sends.length, 0)
  })
})

describe('commits by hand', () => {
  test('move the offset only with COMMIT; ROLLBACK brings all of it again', async () => {
    const { at, committed } = await withMessages(2)
    const answers = ['ROLLBACK', 'SUCCESS', 'COMMIT'] as const
    const seen: string[] = []
    const consumer = consumerOf(at, { suspendCurrentQueueTimeMillis: 10 }).onMessages((messages, context) => {
      context.autoCommit = false
      const answer = answers[Math.min(seen.length, 2)]!
      seen.push(`${messages.map(message => message.text())} ${answer}`)
      return answer
    })
    await run(at, consumer, 500)
    assert.deepEqual(seen, ['0 ROLLBACK', '0 SUCCESS', '1 COMMIT'])
    assert.equal(committed(), 2)
  })
})

describe('locks', () => {
  test('are asked for all queues at once, and renewed every 20 s', async () => {
    const { at, locks } = await withMessages(0)
    at.topics.set('%RETRY%cg', routeOf(at.brokers))
    const consumer = consumerOf(at).onMessage(() => {})
    await at.settle(consumer.start())
    assert.deepEqual(locks.log.slice(0, 2).sort(), ['lock %RETRY%cg0,%RETRY%cg1', 'lock T0,T1'])
    const before = locks.log.length
    await at.clock.advanceAsync(19_000)
    assert.equal(locks.log.length, before)
    await at.clock.advanceAsync(2000)
    assert.deepEqual(locks.log.slice(before).length, 1)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that were lost at the broker stop the queue until it is locked again', async () => {
    const { at, locks } = await withMessages(100, 1)
    const times: number[] = []
    const consumer = consumerOf(at).onMessage(async () => {
      times.push(at.clock.monotonic())
      await new Promise<void>(resolve => at.clock.after(1000, resolve))
    })
    await at.settle(consumer.start())
    await at.clock.advanceAsync(15_000)
    locks.granted = false
    await at.clock.advanceAsync(30_000)
    const before = times.length
    await at.clock.advanceAsync(10_000)
    assert.equal(times.length, before)
    locks.granted = true
    await at.clock.advanceAsync(30_000)
    assert.ok(times.length > before)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that cannot be renewed because the broker is away run out after 30 s', async () => {
    const { at } = await withMessages(100, 1)
    const times: number[] = []
    const consumer = consumerOf(at).onMessage(async () => {
      times.push(at.clock.monotonic())
      await new Promise<void>(resolve => at.clock.after(500, resolve))
    })
    await at.settle(consumer.start())
    await at.clock.advanceAsync(5000)
    at.network.partition('client', 'b0')
    await at.clock.advanceAsync(60_000)
    // What was pulled before goes on while the lock holds.
    assert.ok(times.at(-1)! < 36_000, `${times.at(-1)} ms`)
    at.network.healAll()
    await at.settle(consumer.close())
    await at.stop()
  })

  test('are given back with the queue, after its running batch', async () => {
    const { at, broker, locks } = await withMessages(2)
    let finish = () => {}
    const consumer = consumerOf(at).onMessage(
      ({ msgId }) =>
        new Promise<void>(resolve => {
          if (msgId === 'ID0') finish = resolve
          else resolve()
        }),
    )
    await at.settle(consumer.start())
    await at.clock.advanceAsync(50)
    broker.members = () => ['!', consumer.clientId!]
    broker.connection!.tell({ code: 40, extFields: { consumerGroup: 'cg' } })
    await at.clock.advanceAsync(2500)
    assert.equal(
      locks.log.some(line => line === 'unlock T0'),
      false,
    )
    finish()
    await at.clock.advanceAsync(3000)
    assert.equal(
      locks.log.some(line => line === 'unlock T0'),
      true,
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that are not given leave the queue to others, and the next round asks again', async () => {
    const { at, broker, locks } = await withMessages(5)
    locks.granted = false
    const seen: string[] = []
    const consumer = consumerOf(at).onMessage(message => void seen.push(message.text()))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(3500)
    assert.deepEqual([consumer.queues.length, broker.pulls.length, seen.length], [0, 0, 0])
    assert.ok(locks.log.length >= 3)
    locks.granted = true
    await at.clock.advanceAsync(1500)
    assert.deepEqual([consumer.queues.length, seen.length], [2, 5])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('are none of broadcasting', async () => {
    const { at, locks } = await withMessages(3)
    const offsetStore = { read: async () => 0, write: async () => {} }
    const seen: string[] = []
    const consumer = consumerOf(at, { messageModel: 'BROADCASTING', offsetStore }).onMessage(
      message => void seen.push(message.text()),
    )
    await run(at, consumer, 25_000)
    assert.deepEqual([seen, locks.log], [['0', '1', '2'], []])
  })
})

describe('an orderly consumer that closes', () => {
  test('commits what its running batch did, and unlocks behind it', async () => {
    const { at, locks, committed } = await withMessages(3)
    const consumer = consumerOf(at).onMessage(() => new Promise<void>(resolve => at.clock.after(1500, resolve)))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(50)
    await at.settle(consumer.close())
    assert.equal(committed(), 1)
    assert.ok(locks.log.includes('unlock T0'))
    await at.stop()
    await at.clock.advanceAsync(60_000)
    assert.equal(at.clock.nextInMs, undefined)
  })
})

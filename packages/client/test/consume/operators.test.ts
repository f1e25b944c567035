import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getConsumerRunningInfo, getConsumerStatusFromClient, ResponseCode } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { ConsumeStats } from '../../src/consume/consume-stats.ts'
import { consumeDirectly } from '../../src/consume/direct.ts'
import type { ConsumeContext, RunOutcome } from '../../src/consume/handler.ts'
import { Offsets } from '../../src/consume/offset-store/offsets.ts'
import { MemoryOffsetStorage } from '../../src/consume/offset-store/storage.ts'
import type { Process } from '../../src/consume/owned-queues.ts'
import { ProcessQueue } from '../../src/consume/process-queue.ts'
import { pushSettings } from '../../src/consume/push-options.ts'
import type { HandlerRun } from '../../src/consume/run.ts'
import { runningInfo } from '../../src/consume/running-info.ts'
import { parseConsumeTimestamp } from '../../src/consume/start-offset.ts'
import { Subscriptions } from '../../src/consume/subscriptions.ts'
import { type ConsumeFromWhere, PushConsumer } from '../../src/index.ts'
import { records } from '../records.ts'
import { world } from '../scripted-cluster.ts'

const queue = { topic: 'T', brokerName: 'b', queueId: 1 }
const message = (queueOffset: number, bytes = 10) => ({ queueOffset, body: { length: bytes } }) as never

describe('what an operator sees of a consumer', () => {
  function info() {
    const clock = new SimClock()
    clock.advance(5000)
    const process = new ProcessQueue(clock.monotonic()) as Process
    const offsets = new Offsets(new MemoryOffsetStorage())
    const subscriptions = new Subscriptions()
    subscriptions.set('T', { expression: 'A', subVersion: 1 })
    const of = () =>
      runningInfo({
        clock,
        settings: {
          orderly: true,
          concurrency: 7,
          messageModel: 'CLUSTERING',
          consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
        },
        nameServers: ['a:1', 'b:2'],
        startedAtMs: 123,
        consumeType: 'CONSUME_PASSIVELY',
        subscriptions,
        stats: new ConsumeStats(clock),
        offsets,
        owned: [[queue, process]],
      })
    return { clock, process, offsets, of }
  }

  test('is how it is set up', () => {
    const { properties, subscriptionSet } = info().of()
    assert.deepEqual(Object.fromEntries(properties), {
      PROP_NAMESERVER_ADDR: 'a:1;b:2;',
      PROP_CONSUME_TYPE: 'CONSUME_PASSIVELY',
      PROP_CONSUMEORDERLY: 'true',
      PROP_THREADPOOL_CORE_SIZE: '7',
      PROP_CLIENT_VERSION: 'V4_9_8',
      PROP_CONSUMER_START_TIMESTAMP: '123',
      messageModel: 'CLUSTERING',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    assert.deepEqual(
      subscriptionSet.map(({ topic, subString }) => [topic, subString]),
      [['T', 'A']],
    )
  })

  test('is what each queue has cached, and where it stands', () => {
    const { process, offsets, of } = info()
    const empty = [...of().mqTable.values()][0]!
    assert.deepEqual(
      [
        empty.cachedMsgCount,
        empty.cachedMsgMinOffset,
        empty.cachedMsgMaxOffset,
        empty.commitOffset,
        empty.locked,
        empty.lastLockTimestamp,
      ],
      [0, 0, 0, 0, false, 0],
    )
    process.put([message(5, 1024 * 1024), message(9, 2 * 1024 * 1024)])
    offsets.update(queue, 5)
    const full = [...of().mqTable.values()][0]!
    assert.deepEqual(
      [
        full.cachedMsgCount,
        full.cachedMsgMinOffset,
        full.cachedMsgMaxOffset,
        full.cachedMsgSizeInMiB,
        full.commitOffset,
      ],
      [2, 5, 9, 3, 5],
    )
  })

  test('is told in wall-clock time, also when that clock was set', () => {
    const { clock, process, of } = info()
    const pulledAt = clock.now()
    process.lastPullAtMs = clock.monotonic()
    process.locked = true
    process.lastLockAtMs = clock.monotonic()
    clock.advance(2000)
    const one = [...of().mqTable.values()][0]!
    assert.deepEqual([one.lastPullTimestamp, one.lastLockTimestamp], [pulledAt, pulledAt])
    clock.step(3_600_000)
    assert.equal([...of().mqTable.values()][0]!.lastPullTimestamp, pulledAt + 3_600_000)
  })
})

describe('a message that an operator hands over', () => {
  const outcomeOf = (status: RunOutcome['status'], error?: unknown) =>
    consumeDirectly(
      { topic: 'T', queueId: 1, properties: new Map(), body: Buffer.from('x'), sysFlag: 0 } as never,
      'b',
      {
        run: {
          run: async () => ({
            status,
            context: { autoCommit: true } as ConsumeContext,
            ...(error === undefined ? {} : { error }),
          }),
        } as unknown as HandlerRun,
        namespace: '',
        group: 'g',
        orderly: true,
        clock: new SimClock(),
      },
    )

  test('has the result that Java’s tool knows', async () => {
    for (const [status, expected] of [
      ['CONSUME_SUCCESS', 'CR_SUCCESS'],
      ['SUCCESS', 'CR_SUCCESS'],
      ['COMMIT', 'CR_COMMIT'],
      ['ROLLBACK', 'CR_ROLLBACK'],
      ['RECONSUME_LATER', 'CR_LATER'],
      ['SUSPEND_CURRENT_QUEUE_A_MOMENT', 'CR_LATER'],
      ['ABANDONED', 'CR_LATER'],
    ] as const)
      assert.deepEqual([(await outcomeOf(status)).consumeResult, (await outcomeOf(status)).order], [expected, true])
    const failed = await outcomeOf('RECONSUME_LATER', new Error('bad'))
    assert.deepEqual([failed.consumeResult, failed.remark], ['CR_THROW_EXCEPTION', 'bad'])
  })
})

describe('a running consumer', () => {
  test('tells its offsets by queue, and what it has consumed', async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    broker.storedOffset = () => 0
    broker.onPull = ({ topic, queueId, queueOffset }) =>
      topic === 'T' && queueId === 0 && queueOffset === 0
        ? { code: ResponseCode.success, next: 4, body: records(0, 4) }
        : 'held'
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg' })
      .subscribe('T')
      .onMessage(({ queueOffset }) => (queueOffset === 2 ? 'RECONSUME_LATER' : undefined))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(100)
    const ask = async (code: number, extFields: Record<string, string>) =>
      (await at.settle(broker.connection!.call({ code, extFields }))).body!
    const status = getConsumerStatusFromClient.replyBody!.decode(
      await ask(getConsumerStatusFromClient.code, { group: 'cg', topic: 'T', clientAddr: '' }),
    )
    const offsets = [...status.messageQueueTable].map(([{ queueId }, offset]) => [queueId, offset])
    assert.ok(
      offsets.some(([queueId, offset]) => queueId === 0 && (offset === 2 || offset === 4)),
      JSON.stringify(offsets),
    )
    const running = getConsumerRunningInfo.replyBody!.decode(
      await ask(getConsumerRunningInfo.code, { consumerGroup: 'cg', clientId: consumer.clientId! }),
    )
    assert.equal(running.statusTable.get('T')?.consumeFailedMsgs, 1)
    assert.ok(running.statusTable.get('T')!.pullTPS > 0)
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('options of a push consumer', () => {
  const base = { group: 'g', namesrvAddr: 'a:1' }

  test('have the defaults of Java', () => {
    const settings = pushSettings(base)
    assert.deepEqual(
      [
        ...[settings.messageModel, settings.orderly, settings.consumeFromWhere, settings.concurrency],
        ...[settings.consumeMessageBatchMaxSize, settings.consumeTimeoutMs, settings.maxReconsumeTimes],
        ...[settings.perQueue, settings.perTopic, settings.maxSpan, settings.pullBatchSize, settings.suspendMs],
      ],
      [
        ...['CLUSTERING', false, 'CONSUME_FROM_LAST_OFFSET', 20, 1, 900_000, -1],
        ...[{ count: 1000, bytes: 100 * 1024 * 1024 }, { count: -1, bytes: -1 }, 2000, 32, 15_000],
      ],
    )
    assert.equal(settings.strategy.name, 'AVG')
  })

  test('of orderly consumption know no span', () => {
    assert.equal(pushSettings({ ...base, orderly: true, consumeConcurrentlyMaxSpan: 5 }).maxSpan, undefined)
  })

  test('are refused outside of what can be', () => {
    for (const wrong of [
      { consumeThreadMax: 0 },
      { consumeThreadMax: 1001 },
      { consumeMessageBatchMaxSize: 0 },
      { consumeMessageBatchMaxSize: 1025 },
      { consumeTimeout: 0 },
      { maxReconsumeTimes: -2 },
      { suspendCurrentQueueTimeMillis: 9 },
      { pullThresholdForQueue: 0 },
      { pullThresholdSizeForQueue: 1025 },
      { pullThresholdForTopic: -2 },
      { consumeConcurrentlyMaxSpan: 0 },
      { pullBatchSize: 1025 },
      { pullInterval: -1 },
      { consumeTimestamp: '2026' },
    ])
      assert.throws(() => pushSettings({ ...base, ...wrong }), { code: 'ARGUMENT' }, JSON.stringify(wrong))
  })

  test('of topics are MiB, and none where it is -1', () => {
    const { perTopic } = pushSettings({ ...base, pullThresholdForTopic: 500, pullThresholdSizeForTopic: 3 })
    assert.deepEqual(perTopic, { count: 500, bytes: 3 * 1024 * 1024 })
  })

  test('of time are local to the second, or milliseconds', () => {
    assert.equal(pushSettings({ ...base, consumeTimestamp: 77 }).consumeTimestampMs, 77)
    const text = '20260131235958'
    const parsed = new Date(parseConsumeTimestamp(text)!)
    assert.deepEqual(
      [
        parsed.getFullYear(),
        parsed.getMonth(),
        parsed.getDate(),
        parsed.getHours(),
        parsed.getMinutes(),
        parsed.getSeconds(),
      ],
      [2026, 0, 31, 23, 59, 58],
    )
    for (const wrong of ['', '2026013123595', '202601312359580', '2026-01-31 23:59', 'now'])
      assert.equal(parseConsumeTimestamp(wrong), undefined)
  })

  test('of where to begin take what the broker knows', async () => {
    for (const [consumeFromWhere, expected] of [
      ['CONSUME_FROM_FIRST_OFFSET', 0],
      ['CONSUME_FROM_LAST_OFFSET', 40],
    ] as [ConsumeFromWhere, number][]) {
      const at = await world(1)
      const { runtime, namesrvAddr } = at
      const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', consumeFromWhere })
        .subscribe('T')
        .onMessage(() => {})
      const broker = at.brokers[0]!
      broker.storedOffset = () => undefined
      broker.endOffset = () => 40
      await at.settle(consumer.start())
      await at.clock.advanceAsync(50)
      assert.deepEqual(
        broker.pulls.filter(({ topic }) => topic === 'T').map(({ queueOffset }) => queueOffset),
        [expected, expected],
      )
      const told = broker.heartbeats.at(-1)!.consumerDataSet[0]!
      assert.equal(told.consumeFromWhere, consumeFromWhere)
      await at.settle(consumer.close())
      await at.stop()
    }
  })
})

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import type { Process } from '../../src/consume/owned-queues.ts'
import { ProcessQueue } from '../../src/consume/process-queue.ts'
import { Inbox } from '../../src/litepull/inbox.ts'
import { litePullSettings } from '../../src/litepull/options.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'
import { routeOf } from '../scripted-cluster.ts'
import { consumerOf, queue, texts, withMessages } from './lite-cluster.ts'

describe('a poll', () => {
  test('starts the consumer, and gives batches of one queue each', async () => {
    const { at } = await withMessages(12)
    const consumer = consumerOf(at).subscribe('T')
    const seen: string[] = []
    for (let n = 0; n < 4; n++) {
      const batch = await at.settle(consumer.poll())
      assert.equal(new Set(batch.map(message => message.queue.queueId)).size, 1)
      seen.push(...texts(batch))
    }
    assert.equal(seen.length, 24)
    assert.equal(new Set(seen).size, 24)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of nothing waits as long as it says, and is empty', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at).subscribe('T')
    await at.settle(consumer.start())
    for (const [timeoutMs, expected] of [
      [700, 700],
      [0, 0],
      [undefined, 5000],
    ] as const) {
      const begun = at.clock.monotonic()
      assert.deepEqual(await at.settle(consumer.poll({ timeoutMs })), [])
      const took = at.clock.monotonic() - begun
      assert.ok(took >= expected && took < expected + 100, `${took} ms instead of ${expected}`)
    }
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that nobody waits for ends with the reason of its signal, and the messages go to the next', async () => {
    const { at, broker } = await withMessages(0)
    const consumer = consumerOf(at).subscribe('T')
    await at.settle(consumer.start())
    void broker
    const abort = new AbortController()
    const given = assert.rejects(consumer.poll({ timeoutMs: 60_000, signal: abort.signal }), /enough/)
    await at.clock.advanceAsync(50)
    abort.abort(new Error('enough'))
    await at.settle(given)
    await assert.rejects(at.settle(consumer.poll({ signal: abort.signal })), /enough/)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that waits when the consumer closes is empty', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at).subscribe('T')
    await at.settle(consumer.start())
    const waiting = consumer.poll({ timeoutMs: 2000 })
    await at.clock.advanceAsync(50)
    await at.settle(consumer.close())
    assert.deepEqual(await at.settle(waiting), [])
    await at.stop()
  })

  test('asks by 361, and by 11 where the broker does not know it', async () => {
    for (const lite of [true, false]) {
      const { at, pulls } = await withMessages(3, { lite })
      const consumer = consumerOf(at).subscribe('T', 'A || B')
      await at.settle(consumer.start())
      await at.clock.advanceAsync(100)
      assert.deepEqual([...new Set(pulls.map(({ code }) => code))], [lite ? 361 : 11])
      // Lite pull, with the expression, held; it commits nothing by itself.
      for (const { sysFlag, subscription } of pulls) assert.deepEqual([sysFlag, subscription], [2 | 4 | 16, 'A || B'])
      await at.settle(consumer.close())
      await at.stop()
    }
  })
})

describe('positions', () => {
  const committed = (
    broker: { commits: { queueId: number; commitOffset: number; topic: string }[] },
    queueId: number,
  ) => broker.commits.filter(commit => commit.topic === 'T' && commit.queueId === queueId).at(-1)?.commitOffset

  test('of what a poll gave are committed by a later one, not before', async () => {
    const { at, broker } = await withMessages(5)
    const consumer = consumerOf(at, { autoCommitIntervalMillis: 1000 }).subscribe('T')
    const [first] = await at.settle(consumer.poll())
    const { queueId } = first!.queue
    await at.clock.advanceAsync(10_000)
    assert.equal(committed(broker, queueId) ?? 0, 0)
    await at.settle(consumer.poll())
    await at.clock.advanceAsync(1100)
    await at.settle(consumer.poll({ timeoutMs: 0 }))
    await at.clock.advanceAsync(6000)
    assert.equal(committed(broker, queueId), 5)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('are committed at once by commit, with what the last poll gave', async () => {
    const { at, broker } = await withMessages(5)
    const consumer = consumerOf(at, { autoCommit: false }).subscribe('T')
    const [first] = await at.settle(consumer.poll())
    const { queueId } = first!.queue
    await at.clock.advanceAsync(20_000)
    assert.equal(committed(broker, queueId) ?? 0, 0)
    await at.settle(consumer.commit())
    assert.equal(committed(broker, queueId), 5)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of the last poll stay open at the end: it may not have been worked on', async () => {
    const { at, broker } = await withMessages(5)
    const consumer = consumerOf(at).subscribe('T')
    const [first] = await at.settle(consumer.poll())
    const [second] = await at.settle(consumer.poll())
    assert.notEqual(first!.queue.queueId, second!.queue.queueId)
    await at.settle(consumer.close())
    assert.deepEqual([committed(broker, first!.queue.queueId), committed(broker, second!.queue.queueId) ?? 0], [5, 0])
    await at.stop()
  })

  test('that the store has are told', async () => {
    const { at, broker } = await withMessages(5)
    broker.storedOffset = queueId => (queueId === 0 ? 3 : undefined)
    const consumer = consumerOf(at).subscribe('T')
    await at.settle(consumer.start())
    assert.equal(await at.settle(consumer.committed(queue(0))), 3)
    assert.equal(await at.settle(consumer.committed(queue(1))), undefined)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('are moved by seek, within the queue, for queues of this consumer', async () => {
    const { at, pulls } = await withMessages(0)
    const consumer = consumerOf(at).subscribe('T')
    await at.settle(consumer.start())
    await assert.rejects(at.settle(consumer.seek(queue(0), 5)), { code: 'OFFSET', message: /holds 0 to 0/ })
    await assert.rejects(at.settle(consumer.seek(queue(0), -1)), { code: 'OFFSET' })
    await assert.rejects(at.settle(consumer.seek(queue(9), 0)), { code: 'STATE' })
    await at.clock.advanceAsync(50)
    const before = pulls.filter(({ queueId }) => queueId === 0).length
    await at.settle(consumer.seekToBegin(queue(0)))
    await at.settle(consumer.seekToEnd(queue(0)))
    await at.clock.advanceAsync(50)
    assert.equal(pulls.filter(({ queueId }) => queueId === 0).length, before + 2)
    assert.equal(await at.settle(consumer.offsetForTimestamp(queue(0), 1234)), 1234)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('that are moved drop what was pulled and not polled', async () => {
    const { at } = await withMessages(30)
    const consumer = consumerOf(at)
    await at.settle(consumer.assign([queue(0)]))
    assert.deepEqual(texts(await at.settle(consumer.poll())).slice(0, 2), ['0:0', '0:1'])
    await at.clock.advanceAsync(100)
    await at.settle(consumer.seekToBegin(queue(0)))
    assert.deepEqual(texts(await at.settle(consumer.poll())).slice(0, 2), ['0:0', '0:1'])
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('queues', () => {
  test('that are assigned are pulled, and no others; a further assignment replaces them', async () => {
    const { at, pulls } = await withMessages(5)
    const consumer = consumerOf(at)
    await at.settle(consumer.assign([queue(1)]))
    assert.deepEqual(texts(await at.settle(consumer.poll())), ['1:0', '1:1', '1:2', '1:3', '1:4'])
    assert.deepEqual(consumer.queues, [queue(1)])
    await at.settle(consumer.assign([queue(0)]))
    assert.deepEqual(consumer.queues, [queue(0)])
    pulls.length = 0
    assert.deepEqual(texts(await at.settle(consumer.poll())), ['0:0', '0:1', '0:2', '0:3', '0:4'])
    await at.clock.advanceAsync(100)
    assert.deepEqual([...new Set(pulls.map(({ queueId }) => queueId))], [0])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of an unknown topic cannot be assigned', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at)
    await at.settle(consumer.assign([]))
    await at.settle(consumer.start())
    await assert.rejects(at.settle(consumer.assign([queue(0, 'Nothing')])), { code: 'NO_ROUTE' })
    await at.settle(consumer.close())
    await at.stop()
  })

  test('are assigned or shared, not both', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at).subscribe('T')
    await assert.rejects(consumer.assign([queue(0)]), { code: 'STATE', message: /not both/ })
    const other = consumerOf(at, { group: 'other' })
    await at.settle(other.assign([queue(0)]))
    assert.throws(() => other.subscribe('T'), { code: 'STATE' })
    await at.settle(consumer.close())
    await at.settle(other.close())
    await at.stop()
  })

  test('that pause are not pulled until they resume', async () => {
    const { at, pulls } = await withMessages(0)
    const consumer = consumerOf(at)
    consumer.pause([queue(0)])
    await at.settle(consumer.assign([queue(0), queue(1)]))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(3000)
    assert.deepEqual([...new Set(pulls.map(({ queueId }) => queueId))], [1])
    consumer.resume([queue(0)])
    await at.clock.advanceAsync(1100)
    assert.ok(pulls.some(({ queueId }) => queueId === 0))
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of a topic that changes are told', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at, { topicMetadataCheckIntervalMillis: 10_000 }).subscribe('T')
    await at.settle(consumer.start())
    const told: number[] = []
    const end = await at.settle(
      consumer.registerTopicMessageQueueChangeListener('T', queues => told.push(queues.length)),
    )
    await at.clock.advanceAsync(11_000)
    assert.deepEqual(told, [])
    const { queueDatas, ...rest } = routeOf(at.brokers)
    at.topics.set('T', { ...rest, queueDatas: queueDatas.map(data => ({ ...data, readQueueNums: 5 })) })
    await at.clock.advanceAsync(10_000)
    assert.deepEqual(told, [5])
    end()
    at.topics.set('T', routeOf(at.brokers))
    await at.clock.advanceAsync(30_000)
    assert.deepEqual(told, [5])
    assert.equal((await at.settle(consumer.fetchMessageQueues('T'))).length, 2)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('of a topic that is given up are not pulled any more, and its group is not told of it', async () => {
    const { at, broker } = await withMessages(0)
    at.topics.set('U', routeOf(at.brokers))
    const consumer = consumerOf(at).subscribe('T').subscribe('U')
    await at.settle(consumer.start())
    assert.equal(consumer.queues.length, 4)
    await at.settle(consumer.unsubscribe('T'))
    assert.deepEqual([...new Set(consumer.queues.map(({ topic }) => topic))], ['U'])
    const told = broker.heartbeats.at(-1)!.consumerDataSet[0]!
    assert.deepEqual(
      [told.consumeType, told.subscriptionDataSet.map(({ topic }) => topic)],
      ['CONSUME_ACTIVELY', ['U']],
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('are not pulled while more waits for polls than the limits say', async () => {
    for (const limits of [{ pullThresholdForAll: 5 }, { pullThresholdForQueue: 5 }, { consumeMaxSpan: 5 }]) {
      const { at, pulls } = await withMessages(1000)
      const consumer = consumerOf(at, limits)
      await at.settle(consumer.assign([queue(0)]))
      await at.settle(consumer.start())
      await at.clock.advanceAsync(1000)
      assert.equal(pulls.length, 1, JSON.stringify(limits))
      await at.settle(consumer.poll())
      await at.clock.advanceAsync(100)
      assert.equal(pulls.length, 2, JSON.stringify(limits))
      await at.settle(consumer.close())
      await at.stop()
    }
  })
})

describe('what waits for polls', () => {
  const batch = (process: Process, count: number) => ({
    queue: queue(0),
    process,
    messages: Array.from({ length: count }, () => ({})) as unknown as ReceivedMessage[],
  })
  const process = () => new ProcessQueue(0) as Process

  test('goes in its order, one batch to each who waits', async () => {
    const clock = new SimClock()
    const inbox = new Inbox(clock)
    const [a, b] = [batch(process(), 1), batch(process(), 2)]
    const polls = [inbox.take(1000), inbox.take(1000)]
    inbox.put(a)
    inbox.put(b)
    assert.deepEqual(await clock.until(Promise.all(polls)), [a, b])
    assert.equal(inbox.size, 0)
  })

  test('of a queue that was given up is passed over', async () => {
    const clock = new SimClock()
    const inbox = new Inbox(clock)
    const gone = process()
    const kept = batch(process(), 1)
    inbox.put(batch(gone, 3))
    inbox.put(kept)
    gone.dropped = true
    assert.equal(await clock.until(inbox.take(1000)), kept)
    assert.equal(inbox.size, 0)
  })

  test('is discarded with its queue, and counts no more', () => {
    const inbox = new Inbox(new SimClock())
    const [gone, kept] = [process(), process()]
    inbox.put(batch(gone, 3))
    inbox.put(batch(kept, 4))
    inbox.put(batch(gone, 5))
    assert.equal(inbox.size, 12)
    inbox.discard(gone)
    assert.equal(inbox.size, 4)
  })
})

test('options are checked, and have the defaults of Java', () => {
  const base = { group: 'g', namesrvAddr: 'a:1' }
  const { autoCommit, autoCommitMs, pullBatchSize, pollTimeoutMs, limits, suspendMs } = litePullSettings(base)
  assert.deepEqual(
    [autoCommit, autoCommitMs, pullBatchSize, pollTimeoutMs, limits, suspendMs],
    [true, 5000, 10, 5000, { count: 1000, bytes: 100 * 1024 * 1024, span: 2000 }, 20_000],
  )
  assert.equal(litePullSettings({ ...base, autoCommitIntervalMillis: 1 }).autoCommitMs, 1000)
  for (const wrong of [
    { pullBatchSize: 0 },
    { pullThresholdForQueue: 0 },
    { consumeMaxSpan: 0 },
    { pullThresholdForAll: 0 },
  ])
    assert.throws(() => litePullSettings({ ...base, ...wrong }), { code: 'ARGUMENT' })
  assert.throws(() => litePullSettings({ ...base, consumeTimestamp: 'yesterday' }), /is not yyyyMMddHHmmss/)
  assert.equal(litePullSettings({ ...base, consumeTimestamp: 5 }).consumeTimestampMs, 5)
})

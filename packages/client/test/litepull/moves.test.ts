import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import type { Process } from '../../src/consume/owned-queues.ts'
import { ProcessQueue } from '../../src/consume/process-queue.ts'
import { Inbox } from '../../src/litepull/inbox.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'
import { routeOf } from '../scripted-cluster.ts'
import { consumerOf, queue, texts, withMessages } from './lite-cluster.ts'

/** Longer than rebalance takes to look again. */
const roundMs = 45_000

const offsetsOf = (commits: readonly { topic: string; queueId: number; commitOffset: number }[], queueId: number) =>
  commits.filter(commit => commit.topic === 'T' && commit.queueId === queueId).map(({ commitOffset }) => commitOffset)

describe('a queue of a group that is moved by seek', () => {
  for (const autoCommit of [true, false])
    test(`stays where it is over rebalance, ${autoCommit ? 'with' : 'without'} autoCommit`, async () => {
      const { at, broker } = await withMessages(40)
      broker.members = () => [broker.heartbeats.at(-1)!.clientID]
      const consumer = consumerOf(at, { autoCommit }).subscribe('T')
      await at.settle(consumer.start())
      consumer.pause([queue(1)])
      // Queue 1 had its first pull before it was paused.
      await at.settle(consumer.seek(queue(1), 0))
      await at.settle(consumer.seek(queue(0), 0))
      const seen: string[] = []
      const poll = async () => seen.push(...texts(await at.settle(consumer.poll({ timeoutMs: 100 }))))
      await poll()
      await at.settle(consumer.seek(queue(0), 0))
      await poll()
      assert.deepEqual(new Set(seen), new Set(Array.from({ length: 10 }, (_, n) => `0:${n}`)))
      await at.clock.advanceAsync(roundMs)
      seen.length = 0
      for (let n = 0; n < 4; n++) await poll()
      assert.deepEqual(
        seen,
        Array.from({ length: 30 }, (_, n) => `0:${n + 10}`),
      )
      await at.settle(consumer.close())
      await at.stop()
    })

  test('counts from there for what is committed, also where a poll was under way', async () => {
    const { at, broker } = await withMessages(20)
    const consumer = consumerOf(at)
    await at.settle(consumer.assign([queue(0)]))
    await at.settle(consumer.poll())
    await at.settle(consumer.poll())
    await at.settle(consumer.seek(queue(0), 0))
    await at.settle(consumer.commit())
    assert.equal(offsetsOf(broker.commits, 0).at(-1), 0)
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('an assignment', () => {
  test('that replaces another writes down how far the queues were that go', async () => {
    const { at, broker } = await withMessages(5)
    const consumer = consumerOf(at)
    await at.settle(consumer.assign([queue(0)]))
    await at.settle(consumer.poll())
    await at.settle(consumer.poll({ timeoutMs: 0 }))
    await at.settle(consumer.assign([queue(1)]))
    assert.deepEqual(offsetsOf(broker.commits, 0), [5])
    await at.settle(consumer.close())
    assert.deepEqual(offsetsOf(broker.commits, 0), [5])
    await at.stop()
  })

  test('writes nothing down by itself without autoCommit, but what commit said', async () => {
    const { at, broker } = await withMessages(5)
    const consumer = consumerOf(at, { autoCommit: false })
    await at.settle(consumer.assign([queue(0)]))
    await at.settle(consumer.poll())
    await at.settle(consumer.poll({ timeoutMs: 0 }))
    await at.settle(consumer.assign([queue(1)]))
    assert.deepEqual(
      offsetsOf(broker.commits, 0).filter(offset => offset > 0),
      [],
    )
    await at.settle(consumer.close())
    await at.stop()
  })

  test('is the last one, where several are made at once or behind one another', async () => {
    for (let laterMs = 0; laterMs <= 8; laterMs++) {
      const { at, pulls } = await withMessages(0)
      const consumer = consumerOf(at)
      await at.settle(consumer.assign([]))
      await at.settle(consumer.start())
      const first = consumer.assign([queue(0)])
      await at.clock.advanceAsync(laterMs)
      await at.settle(Promise.all([first, consumer.assign([queue(1)])]))
      assert.deepEqual(consumer.queues, [queue(1)], `${laterMs} ms later`)
      await at.clock.advanceAsync(100)
      pulls.length = 0
      await at.clock.advanceAsync(60_000)
      assert.deepEqual([...new Set(pulls.map(({ queueId }) => queueId))], [1])
      await at.settle(consumer.close())
      await at.stop()
    }
  })

  test('made while the consumer starts is the one that counts', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at)
    await consumer.assign([queue(0)])
    const starting = consumer.start()
    await at.clock.advanceAsync(1)
    const later = consumer.assign([queue(1)])
    await at.settle(Promise.all([starting, later]))
    await at.clock.advanceAsync(1000)
    assert.deepEqual(consumer.queues, [queue(1)])
    await at.settle(consumer.close())
    await at.stop()
  })

  test('with an unknown topic changes nothing', async () => {
    const { at } = await withMessages(0)
    const consumer = consumerOf(at)
    await at.settle(consumer.assign([queue(0)]))
    await at.settle(consumer.start())
    await assert.rejects(at.settle(consumer.assign([queue(1), queue(0, 'Nothing')])), { code: 'NO_ROUTE' })
    assert.deepEqual(consumer.queues, [queue(0)])
    at.topics.set('Nothing', routeOf(at.brokers))
    await at.settle(consumer.assign([queue(1), queue(0, 'Nothing')]))
    assert.equal(consumer.queues.length, 2)
    await at.settle(consumer.close())
    await at.stop()
  })
})

test('a start that fails at its assignment leaves nothing running, and may be tried again', async () => {
  const { at, broker, pulls } = await withMessages(3)
  const consumer = consumerOf(at)
  await consumer.assign([queue(0), queue(0, 'Nothing')])
  await assert.rejects(at.settle(consumer.start()), { code: 'NO_ROUTE' })
  await at.clock.advanceAsync(100)
  const [beats, asked] = [broker.heartbeats.length, pulls.length]
  await at.clock.advanceAsync(120_000)
  assert.deepEqual([broker.heartbeats.length, pulls.length], [beats, asked])
  await consumer.assign([queue(0)])
  assert.deepEqual(texts(await at.settle(consumer.poll())), ['0:0', '0:1', '0:2'])
  await at.settle(consumer.close())
  await assert.rejects(consumer.assign([queue(1)]), { code: 'STATE', message: /closed/ })
  await at.stop()
})

test('a seek that is under way when the consumer closes begins no pull', async () => {
  const { at, pulls } = await withMessages(0)
  const consumer = consumerOf(at)
  let failed = 0
  consumer.on('pullFailed', () => failed++)
  await consumer.assign([queue(0)])
  await at.settle(consumer.start())
  const seeking = consumer.seek(queue(0), 0).catch(() => {})
  const closing = consumer.close()
  await at.settle(Promise.all([seeking, closing]))
  const asked = pulls.length
  await at.clock.advanceAsync(60_000)
  assert.deepEqual([pulls.length, failed], [asked, 0])
  await at.stop()
})

describe('polls at a time', () => {
  const batch = (process: Process) => ({
    queue: queue(0),
    process,
    messages: [{}] as unknown as ReceivedMessage[],
  })

  test('one that ends by its signal just as a batch comes leaves it to the next at once', async () => {
    const clock = new SimClock()
    const inbox = new Inbox(clock)
    const abort = new AbortController()
    const [first, second] = [inbox.take(60_000, abort.signal), inbox.take(60_000)]
    const given = assert.rejects(first, /enough/)
    const pulled = batch(new ProcessQueue(0) as Process)
    inbox.put(pulled)
    abort.abort(new Error('enough'))
    await given
    const begunMs = clock.monotonic()
    assert.equal(await clock.until(second), pulled)
    assert.equal(clock.monotonic(), begunMs)
  })

  test('settle what all of them were given, not only the last', async () => {
    const { at, broker } = await withMessages(5)
    const consumer = consumerOf(at, { autoCommitIntervalMillis: 1000 }).subscribe('T')
    await at.settle(consumer.start())
    const given = await at.settle(Promise.all([consumer.poll(), consumer.poll()]))
    assert.deepEqual(
      given.map(messages => messages.length),
      [5, 5],
    )
    for (let n = 0; n < 3; n++) {
      await at.settle(consumer.poll({ timeoutMs: 0 }))
      await at.clock.advanceAsync(1100)
    }
    await at.clock.advanceAsync(6000)
    assert.deepEqual([offsetsOf(broker.commits, 0).at(-1), offsetsOf(broker.commits, 1).at(-1)], [5, 5])
    await at.settle(consumer.close())
    await at.stop()
  })
})

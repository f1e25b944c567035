import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getConsumerConnectionList, ResponseCode, type SubscriptionData } from '@skua-mq/protocol'
import { ok, refuse, route } from '@skua-mq/remoting'
import { SimClock } from '@skua-mq/runtime'
import { ClientEvents } from '../src/events.ts'
import { type ClientLogger, Producer, PushConsumer, type PushConsumerOptions } from '../src/index.ts'
import { Notices } from '../src/notices.ts'
import { records } from './records.ts'
import { type World, world } from './scripted-cluster.ts'

/** A logger that keeps what it is told. */
function keeping() {
  const lines: string[] = []
  const of = (level: string) => (fields: object, text: string) => {
    lines.push(`${level} ${(fields as { event: string }).event}: ${text}`)
  }
  const logger: ClientLogger = { debug: of('debug'), info: of('info'), warn: of('warn'), error: of('error') }
  return { lines, logger }
}

/** Runs `work`, and gives what was warned of by the process meanwhile. */
async function warnings(work: () => unknown): Promise<string[]> {
  const seen: string[] = []
  const listen = (warning: Error & { code?: string }) => {
    if (warning.name === 'SkuaWarning') seen.push(`${warning.code}: ${warning.message}`)
  }
  process.on('warning', listen)
  await work()
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', listen)
  return seen
}

const failure = (reason: string) => ({ topic: 'T', error: new Error(reason) })

describe('what goes wrong', () => {
  test('is told once for each cause, again when the cause is another, or when it was gone for a minute', () => {
    const clock = new SimClock()
    const { lines, logger } = keeping()
    const notices = new Notices(logger, clock)
    const tell = (reason: string) =>
      notices.tell('routeRefreshFailed', failure(reason), { level: 'warn', isHeard: false })
    for (let n = 0; n < 10; n++) {
      tell('no name server answers')
      clock.advance(30_000)
    }
    assert.equal(lines.length, 1)
    tell('another reason')
    tell('another reason')
    tell('no name server answers')
    assert.equal(lines.length, 3)
    clock.advance(60_000)
    tell('no name server answers')
    assert.equal(lines.length, 4)
    assert.equal(lines[0], 'warn routeRefreshFailed: the route of T could not be asked for: no name server answers')
  })

  test('of messages is one cause, though each has another id', () => {
    const { lines, logger } = keeping()
    const notices = new Notices(logger, new SimClock())
    for (let n = 0; n < 50; n++) {
      const fields = { group: 'g', topic: 'T', msgIds: [`ID${n}`], error: new Error('down') }
      notices.tell('handlerFailed', fields, { level: 'warn', isHeard: false })
      notices.tell(
        'messageDropped',
        { group: 'g', msgId: `ID${n}`, why: 'broadcasting has no retries' },
        { level: 'warn', isHeard: false },
      )
    }
    assert.equal(lines.length, 2)
    assert.match(
      lines[0]!,
      /the handler of group g failed for message ID0 of T, which comes again until the tries are over: down/,
    )
  })

  test('is kept in mind for a thousand causes, no more', () => {
    const notices = new Notices(keeping().logger, new SimClock())
    for (let n = 0; n < 5000; n++)
      notices.tell(
        'heartbeatFailed',
        { address: `b${n}:1`, error: new Error('away') },
        { level: 'warn', isHeard: false },
      )
    assert.equal((notices as unknown as { told: Map<string, unknown> }).told.size, 1000)
  })

  test('is a warning of the process where no logger is given, but for what the application listens to itself', async () => {
    const clock = new SimClock()
    const events = new ClientEvents({ emit: () => {} }, new Notices(undefined, clock))
    const seen = await warnings(() => {
      events.emit('routeRefreshFailed', failure('one'))
      events.emit('offsetsReset', { group: 'g', topic: 'T', queues: 1 })
      const off = events.on('routeRefreshFailed', () => {})
      events.emit('routeRefreshFailed', failure('two'))
      off()
      events.emit('routeRefreshFailed', failure('three'))
    })
    assert.deepEqual(seen, [
      'routeRefreshFailed: the route of T could not be asked for: one',
      'routeRefreshFailed: the route of T could not be asked for: three',
    ])
  })

  test('is not told at all where logger is false', async () => {
    const events = new ClientEvents({ emit: () => {} }, new Notices(false, new SimClock()))
    assert.deepEqual(await warnings(() => events.emit('routeRefreshFailed', failure('one'))), [])
  })

  test('and what is only news goes to a logger with its fields, each time', () => {
    const { lines, logger } = keeping()
    const notices = new Notices(logger, new SimClock())
    for (let n = 0; n < 2; n++)
      notices.tell('offsetsReset', { group: 'g', topic: 'T', queues: n }, { level: 'info', isHeard: true })
    assert.deepEqual(lines, [
      'info offsetsReset: an operator moved the offsets of 0 queues of T for group g',
      'info offsetsReset: an operator moved the offsets of 1 queues of T for group g',
    ])
  })
})

describe('a consumer is not silent', () => {
  const consumerOf = ({ runtime, namesrvAddr }: World, options: Partial<PushConsumerOptions> = {}) =>
    new PushConsumer({ runtime, namesrvAddr, group: 'cg', ...options }).subscribe('T', 'A')

  test('about a handler that always throws, once', async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    broker.storedOffset = () => 0
    broker.onPull = ({ topic, queueId, queueOffset }) =>
      topic === 'T' && queueId === 0 && queueOffset === 0
        ? { code: ResponseCode.success, next: 9, body: records(0, 9, { properties: { TAGS: 'A' } }) }
        : 'held'
    const { lines, logger } = keeping()
    const consumer = consumerOf(at, { logger }).onMessage(() => {
      throw new Error('no database')
    })
    await at.settle(consumer.start())
    await at.clock.advanceAsync(200)
    assert.equal(lines.filter(line => line.startsWith('warn handlerFailed')).length, 1)
    assert.match(lines.join('\n'), /no database/)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('about a broker that is away, with its address', async () => {
    const at = await world(1)
    const { lines, logger } = keeping()
    const consumer = consumerOf(at, { logger }).onMessage(() => {})
    await at.settle(consumer.start())
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(40_000)
    const warned = lines.filter(line => line.startsWith('warn'))
    assert.ok(
      warned.some(line => line.includes(at.brokers[0]!.address)),
      warned.join('\n'),
    )
    assert.ok(warned.length <= 6, warned.join('\n'))
    await at.settle(consumer.close())
    await at.stop()
  })

  test('about having no handler, unless somebody reads it', async () => {
    const at = await world(1)
    const told: string[] = []
    const silent = consumerOf(at)
    silent.on('noHandler', ({ group }) => told.push(group))
    await at.settle(silent.start())
    await at.clock.advanceAsync(900)
    assert.equal(told.length, 0)
    await at.clock.advanceAsync(200)
    assert.deepEqual(told, ['cg'])
    await at.settle(silent.close())
    const read = consumerOf(at)
    read.on('noHandler', ({ group }) => told.push(group))
    const next = read.messages().next()
    await at.clock.advanceAsync(10_000)
    assert.deepEqual(told, ['cg'])
    await at.settle(read.close())
    await at.settle(next)
    await at.stop()
  })

  test('about a loop that was left, unless somebody reads on or it is closed', async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    broker.storedOffset = () => 0
    broker.onPull = ({ topic, queueId, queueOffset }) =>
      topic === 'T' && queueId === 0 && queueOffset === 0
        ? { code: ResponseCode.success, next: 2, body: records(0, 2, { properties: { TAGS: 'A' } }) }
        : 'held'
    const told: { group: string; queues: number }[] = []
    const consumer = consumerOf(at)
    consumer.on('loopLeft', fields => told.push(fields))
    const takeOne = async () => {
      for await (const message of consumer) {
        consumer.ack(message)
        break
      }
    }
    await at.settle(takeOne())
    await at.clock.advanceAsync(4000)
    await at.settle(takeOne())
    await at.clock.advanceAsync(4000)
    assert.deepEqual(told, [])
    await at.clock.advanceAsync(2000)
    assert.deepEqual(told, [{ group: 'cg', queues: consumer.queues.length }])
    assert.ok(consumer.queues.length > 0)
    const reading = consumer.messages()
    const next = reading.next()
    await at.clock.advanceAsync(10_000)
    await at.settle(consumer.close())
    assert.deepEqual(await next, { done: true, value: undefined })
    assert.equal(told.length, 1)
    await at.stop()
  })

  test('about handlers that a close did not wait for', async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    broker.storedOffset = () => 0
    broker.onPull = ({ topic, queueId, queueOffset }) =>
      topic === 'T' && queueId === 0 && queueOffset === 0
        ? { code: ResponseCode.success, next: 1, body: records(0, 1, { properties: { TAGS: 'A' } }) }
        : 'held'
    for (const isEndless of [true, false]) {
      const told: { group: string; waitedMs: number }[] = []
      const options = { awaitTerminationMillisWhenShutdown: 700 }
      const consumer = consumerOf(at, options).onMessage(() => (isEndless ? new Promise(() => {}) : undefined))
      consumer.on('handlersLeft', fields => told.push(fields))
      await at.settle(consumer.start())
      await at.clock.advanceAsync(200)
      await at.settle(consumer.close())
      assert.deepEqual(told, isEndless ? [{ group: 'cg', waitedMs: 700 }] : [])
    }
    await at.stop()
  })

  test('about members that want something else, by what the broker has of the group', async () => {
    const table = new Map<string, SubscriptionData>()
    let members = 2
    const list = route(getConsumerConnectionList, () => {
      const connectionSet = Array.from({ length: members }, (_, n) => ({
        clientId: `c${n}`,
        clientAddr: 'a:1',
        language: 'JAVA' as const,
        version: 409,
      }))
      return ok(
        {},
        getConsumerConnectionList.replyBody!.encode({
          connectionSet,
          subscriptionTable: table,
          consumeType: 'CONSUME_PASSIVELY',
          messageModel: 'CLUSTERING',
          consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        }),
      )
    })
    const subscribed = (subString: string): SubscriptionData => ({
      ...{
        classFilterMode: false,
        topic: 'T',
        subString,
        tagsSet: [],
        codeSet: [],
        subVersion: 1,
        expressionType: 'TAG',
      },
    })
    const at = await world(1, { routes: [list] })
    const told: string[] = []
    const consumer = consumerOf(at, { logger: false }).onMessage(() => {})
    consumer.on('subscriptionsDiffer', ({ group, topic, own, others }) =>
      told.push(`${group} ${topic}: ${own}, ${others}`),
    )
    table.set('T', subscribed('A'))
    await at.settle(consumer.start())
    await at.clock.advanceAsync(4000)
    assert.equal(told.length, 0)
    table.set('T', subscribed('B'))
    await at.clock.advanceAsync(60_000)
    assert.deepEqual(told, ['cg T: TAG A, TAG B'])
    table.clear()
    await at.clock.advanceAsync(60_000)
    assert.deepEqual(told.slice(1), ['cg T: TAG A, nothing'])
    members = 1
    await at.clock.advanceAsync(60_000)
    assert.equal(told.length, 2)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('about that, where it may not ask', async () => {
    const at = await world(1, { routes: [route(getConsumerConnectionList, () => refuse(16, 'not you'))] })
    const { lines, logger } = keeping()
    const consumer = consumerOf(at, { logger }).onMessage(() => {})
    await at.settle(consumer.start())
    await at.clock.advanceAsync(130_000)
    assert.deepEqual(
      lines.filter(line => line.includes('subscriptionsDiffer')),
      [],
    )
    await at.settle(consumer.close())
    await at.stop()
  })
})

describe('a start that waits for a broker', () => {
  test('resolves when one has answered', async () => {
    const at = await world(1)
    const { runtime, namesrvAddr } = at
    await at.settle(at.servers.get('b0')!.stop())
    at.clock.after(4000, () => void at.servers.get('b0')!.start())
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', logger: false })
      .subscribe('T')
      .onMessage(() => {})
    const begun = at.clock.monotonic()
    await at.settle(consumer.start({ waitForBroker: true }))
    const took = at.clock.monotonic() - begun
    assert.ok(took >= 4000 && took < 6500, `${took} ms`)
    assert.equal(consumer.isConnected, true)
    await at.settle(consumer.close())
    await at.stop()
  })

  test('ends with what is wrong when none does in time; the next start may wait again', async () => {
    const at = await world(1)
    const { runtime, namesrvAddr } = at
    await at.settle(at.servers.get('ns0')!.stop())
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg', logger: false })
    const begun = at.clock.monotonic()
    await assert.rejects(at.settle(producer.start({ waitForBroker: 2000 })), { code: 'NAME_SERVER' })
    const took = at.clock.monotonic() - begun
    assert.ok(took >= 1900 && took < 3500, `${took} ms`)
    const abort = new AbortController()
    const given = assert.rejects(producer.start({ waitForBroker: true, signal: abort.signal }), /enough/)
    await at.clock.advanceAsync(500)
    abort.abort(new Error('enough'))
    await at.settle(given)
    // Without the wish it goes on without brokers, as before.
    await at.settle(producer.start())
    await at.settle(producer.close())
  })
})

describe('the state of a client', () => {
  test('is new, running, closed; with the servers and whether they are connected', async () => {
    const at = await world(1)
    const { runtime, namesrvAddr } = at
    const producer = new Producer({ runtime, namesrvAddr, group: 'pg', logger: false })
    assert.deepEqual(producer.status(), { state: 'new', clientId: undefined, nameServers: [], brokers: [] })
    await at.settle(producer.send({ topic: 'T', body: 'x' }))
    const { state, clientId, nameServers, brokers } = producer.status()
    assert.deepEqual([state, clientId], ['running', producer.clientId])
    assert.deepEqual(nameServers, [{ address: namesrvAddr, isConnected: true }])
    assert.deepEqual(brokers, [{ brokerName: 'b0', brokerId: 0, address: at.brokers[0]!.address, isConnected: true }])
    assert.equal(producer.isConnected, true)
    await at.settle(at.servers.get('b0')!.stop())
    await at.clock.advanceAsync(50)
    assert.equal(producer.isConnected, false)
    await at.settle(producer.close())
    assert.equal(producer.status().state, 'closed')
    await at.stop()
  })

  test('of a consumer has its lag, by queue', async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    broker.storedOffset = queueId => (queueId === 0 ? 30 : undefined)
    broker.endOffset = queueId => (queueId === 0 ? 100 : 50)
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', logger: false })
      .subscribe('T')
      .onMessage(() => {})
    assert.deepEqual(await consumer.lag(), { total: 0, queues: [] })
    await at.settle(consumer.start())
    const lag = await at.settle(consumer.lag())
    assert.equal(lag.total, 70)
    assert.deepEqual(
      lag.queues.map(({ queue, offset, maxOffset, lag }) => [queue.queueId, offset, maxOffset, lag]),
      [
        [0, 30, 100, 70],
        [1, undefined, 50, 0],
      ],
    )
    await at.settle(consumer.close())
    await at.stop()
  })
})

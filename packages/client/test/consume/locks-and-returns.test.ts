import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { lockBatchMq, type MessageQueue, parseProperties, unlockBatchMq } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import fc from 'fast-check'
import { holdsLock, lockLivesMs, QueueLocks } from '../../src/consume/locks.ts'
import { BrokerOffsetStorage } from '../../src/consume/offset-store/broker.ts'
import { Offsets } from '../../src/consume/offset-store/offsets.ts'
import { MemoryOffsetStorage, type OffsetStorage } from '../../src/consume/offset-store/storage.ts'
import { ProcessQueue } from '../../src/consume/process-queue.ts'
import { SendBack } from '../../src/consume/send-back.ts'
import type { ClientInstance } from '../../src/instance/client-instance.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'
import { SendWindow } from '../../src/produce/window.ts'

const queue = (queueId: number, brokerName = 'b'): MessageQueue => ({ topic: 'T', brokerName, queueId })

describe('locks at the brokers', () => {
  /** Brokers that give the locks that the test says, and keep what they were asked. */
  function brokers() {
    const clock = new SimClock()
    const log: string[] = []
    const given = new Set<string>()
    const away = new Set<string>()
    const instance = {
      clock,
      clientId: 'me',
      calls: {
        atMaster: async (
          { brokerName }: MessageQueue,
          { spec, body }: { spec: { code: number }; body: Uint8Array },
        ) => {
          if (away.has(brokerName)) throw new Error('away')
          const isLock = spec.code === lockBatchMq.code
          const { mqSet, consumerGroup, clientId } = (isLock ? lockBatchMq : unlockBatchMq).body!.decode(body)
          assert.deepEqual([consumerGroup, clientId], ['g', 'me'])
          log.push(`${isLock ? 'lock' : 'unlock'} ${brokerName} ${mqSet.map(one => one.queueId)}`)
          const lockOKMQSet = mqSet.filter(one => given.has(`${one.brokerName}${one.queueId}`))
          return { body: lockBatchMq.replyBody!.encode({ lockOKMQSet }) }
        },
      },
    } as unknown as ClientInstance
    return { clock, log, given, away, locks: new QueueLocks(instance, 'g') }
  }

  test('are asked in one call for each broker', async () => {
    const { locks, log, given } = brokers()
    const entries = [queue(0), queue(1), queue(0, 'c')].map(
      one => [one, new ProcessQueue(0)] as [MessageQueue, ProcessQueue<never>],
    )
    given.add('b1').add('c0')
    await locks.lockAll(entries)
    assert.deepEqual(log.sort(), ['lock b 0,1', 'lock c 0'])
    assert.deepEqual(
      entries.map(([, process]) => process.locked),
      [false, true, true],
    )
  })

  test('that a broker does not give any more are lost at once; a broker that is away changes nothing', async () => {
    const { locks, given, away, clock } = brokers()
    const process = new ProcessQueue<never>(0)
    given.add('b0')
    assert.equal(await locks.lock(queue(0), process), true)
    away.add('b')
    clock.advance(5000)
    assert.equal(await locks.lock(queue(0), process), true)
    assert.equal(process.lastLockAtMs, 0)
    away.clear()
    given.clear()
    assert.equal(await locks.lock(queue(0), process), false)
  })

  test('hold for 30 s from their last renewal, well before the broker gives them away', async () => {
    const { locks, given, clock } = brokers()
    const process = new ProcessQueue<never>(0)
    given.add('b0')
    await locks.lock(queue(0), process)
    clock.advance(lockLivesMs)
    assert.equal(holdsLock(process, clock), true)
    clock.advance(1)
    assert.equal(holdsLock(process, clock), false)
    await locks.lock(queue(0), process)
    assert.equal(holdsLock(process, clock), true)
  })

  test('are given back one by one, whatever the brokers answer', async () => {
    const { locks, log, away } = brokers()
    away.add('b')
    await locks.unlock([queue(0), queue(1, 'c')])
    assert.deepEqual(log, ['unlock c 1'])
  })
})

describe('a message that is given back', () => {
  const message = (changes: object = {}) =>
    ({
      topic: 'T',
      msgId: 'ID',
      queue: queue(3),
      physicalOffset: 4711,
      reconsumeTimes: 2,
      flag: 9,
      body: Buffer.from('body'),
      properties: new Map([
        ['UNIQ_KEY', 'ID'],
        ['MIN_OFFSET', '0'],
        ['MAX_OFFSET', '9'],
        ['CONSUME_START_TIME', '1'],
        ['TRAN_MSG', 'true'],
        ['own', 'x'],
      ]),
      ...changes,
    }) as unknown as ReceivedMessage<unknown>

  function returning({ refuses = false, hasRoute = true, takesMessage = true } = {}) {
    const calls: Record<string, unknown>[] = []
    const sends: { header: Record<string, unknown>; body: Uint8Array }[] = []
    const told: string[] = []
    const route = { publish: [{ topic: '%RETRY%g', brokerName: 'b', queueId: 0 }] }
    const instance = {
      clock: new SimClock(),
      runtime: { random: { int: () => 0 } },
      routes: {
        known: () => (hasRoute ? route : undefined),
        refresh: async () => undefined,
        fetch: async () => undefined,
        explain: async () => new Error('no route'),
        master: () => 'b:1',
      },
      calls: {
        masterOf: async () => 'b:1',
        atMaster: async (_queue: MessageQueue, { header }: { header: Record<string, unknown> }) => {
          calls.push(header)
          if (refuses) throw new Error('refused')
        },
      },
      remoting: {
        request: async (
          _address: string,
          _spec: unknown,
          header: Record<string, unknown>,
          { body }: { body: Uint8Array },
        ) => {
          sends.push({ header, body })
          return {
            code: takesMessage ? 0 : 1,
            remark: 'no',
            extFields: {},
            header: { msgId: 'X', queueId: 0, queueOffset: 0 },
          }
        },
      },
    } as unknown as ClientInstance
    const back = new SendBack({
      instance,
      group: 'g',
      namespace: '',
      maxReconsumeTimes: 16,
      emit: (name, fields) => void told.push(`${name} ${(fields as { msgId: string }).msgId}`),
    })
    return { back, calls, sends, told }
  }

  test('is named by where it lies', async () => {
    const { back, calls, sends } = returning()
    assert.equal(await back.giveBack(message(), 5), true)
    assert.deepEqual(calls, [
      {
        offset: 4711,
        group: 'g',
        delayLevel: 5,
        originMsgId: 'ID',
        originTopic: 'T',
        unitMode: false,
        maxReconsumeTimes: 16,
        bname: 'b',
      },
    ])
    assert.equal(sends.length, 0)
  })

  test('and refused goes to the retry topic as a new one, counted, delayed as the broker would, without what is only of here', async () => {
    const { back, sends } = returning({ refuses: true })
    assert.equal(await back.giveBack(message(), 0), true)
    const [sent] = sends
    assert.deepEqual(
      [
        sent!.header['topic'],
        sent!.header['producerGroup'],
        sent!.header['reconsumeTimes'],
        sent!.header['maxReconsumeTimes'],
        sent!.header['flag'],
      ],
      ['%RETRY%g', 'CLIENT_INNER_PRODUCER', 3, 16, 9],
    )
    const properties = Object.fromEntries(parseProperties(String(sent!.header['properties'])))
    assert.deepEqual(properties, { UNIQ_KEY: 'ID', own: 'x', RETRY_TOPIC: 'T', ORIGIN_MESSAGE_ID: 'ID', DELAY: '5' })
    assert.equal(Buffer.from(sent!.body).toString(), 'body')
  })

  test('keeps the id with which it was sent first', async () => {
    const { back, sends } = returning({ refuses: true })
    const origin = message()
    origin.properties.set('ORIGIN_MESSAGE_ID', 'FIRST')
    await back.giveBack(origin, 0)
    assert.equal(parseProperties(String(sends[0]!.header['properties'])).get('ORIGIN_MESSAGE_ID'), 'FIRST')
    // The message itself stays as it was: it may be tried again here.
    assert.equal(origin.properties.get('TRAN_MSG'), 'true')
  })

  test('that nobody takes is told, and said so', async () => {
    for (const trouble of [{ takesMessage: false }, { hasRoute: false }]) {
      const { back, told } = returning({ refuses: true, ...trouble })
      assert.equal(await back.giveBack(message(), 0), false)
      assert.deepEqual(told, ['sendBackFailed ID'])
    }
  })
})

describe('offsets', () => {
  test('in memory move as they are told, and are written for the queues that are owned', async () => {
    const written: [number, number][][] = []
    const storage: OffsetStorage = {
      read: async ({ queueId }) => (queueId === 9 ? undefined : queueId * 10),
      write: async all => void written.push(all.map(([{ queueId }, offset]) => [queueId, offset])),
    }
    const offsets = new Offsets(storage)
    await offsets.load()
    offsets.update(queue(0), 5)
    offsets.update(queue(0), 3, { increaseOnly: true })
    assert.equal(offsets.inMemory(queue(0)), 5)
    offsets.update(queue(0), 3)
    assert.equal(offsets.inMemory(queue(0)), 3)
    assert.deepEqual(
      [await offsets.read(queue(0)), await offsets.read(queue(2)), await offsets.read(queue(9))],
      [3, 20, undefined],
    )
    assert.equal(offsets.inMemory(queue(2)), 20)
    assert.equal(await offsets.readStored(queue(0)), 0)
    offsets.update(queue(0), 8)
    await offsets.persist([queue(0)])
    assert.deepEqual([written, offsets.inMemory(queue(2))], [[[[0, 8]]], undefined])
    await offsets.persist([])
    await offsets.persistOne(queue(5))
    assert.equal(written.length, 1)
    offsets.update(queue(1), 1)
    await offsets.persistOne(queue(1))
    assert.deepEqual(written.at(-1), [[1, 1]])
    offsets.update({ ...queue(1), topic: 'U' }, 4)
    assert.deepEqual([offsets.snapshot().size, offsets.snapshot('U').size], [2, 1])
    offsets.forget(queue(1))
    assert.equal(offsets.snapshot('T').size, 0)
  })

  test('with increaseOnly never go back, in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }), values => {
        const offsets = new Offsets(new MemoryOffsetStorage())
        for (const value of values) offsets.update(queue(0), value, { increaseOnly: true })
        assert.equal(offsets.inMemory(queue(0)), Math.max(...values))
      }),
    )
  })

  test('at the broker are asked with the broker’s name, and written each to its master', async () => {
    const calls: [string, Record<string, unknown>][] = []
    const storage = new BrokerOffsetStorage(
      {
        atAny: async (_queue: MessageQueue, { header }: { header: Record<string, unknown> }) => {
          calls.push(['read', header])
          return header['queueId'] === 0 ? { code: 0, header: { offset: 7 } } : { code: 22 }
        },
        atMaster: async (_queue: MessageQueue, { header }: { header: Record<string, unknown> }) =>
          void calls.push(['write', header]),
      } as never,
      'g',
    )
    assert.deepEqual([await storage.read(queue(0)), await storage.read(queue(1))], [7, undefined])
    await storage.write([
      [queue(0), 8],
      [queue(1, 'c'), 9],
    ])
    assert.deepEqual(
      calls.map(([kind, { queueId, bname, commitOffset }]) => [kind, queueId, bname, commitOffset]),
      [
        ['read', 0, 'b', undefined],
        ['read', 1, 'b', undefined],
        ['write', 0, 'b', 8],
        ['write', 1, 'c', 9],
      ],
    )
  })
})

describe('the window of sends', () => {
  test('is never above its bounds but for a single large one, lets all in, and in their order', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 150 }), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async (bytes, choices) => {
        const window = new SendWindow({ maxInFlight: 4, maxInFlightBytes: 200 })
        const inside: { size: number; leave: () => void }[] = []
        const order: number[] = []
        const check = () => {
          const sum = inside.reduce((total, { size }) => total + size, 0)
          assert.ok(inside.length <= 1 || (inside.length <= 4 && sum <= 200), `${inside.length} with ${sum} bytes`)
          assert.equal(window.inFlight >= inside.length, true)
        }
        const entering = bytes.map(async (size, n) => {
          const leave = await window.enter(size)
          order.push(n)
          inside.push({ size, leave })
          check()
        })
        while (order.length < bytes.length) {
          await new Promise(resolve => setImmediate(resolve))
          const at = inside.length === 0 ? -1 : (choices.next().value ?? 0) % inside.length
          if (at < 0) continue
          const [out] = inside.splice(at, 1)
          out!.leave()
          // Twice is as good as once.
          out!.leave()
        }
        await Promise.all(entering)
        assert.deepEqual(
          order,
          bytes.map((_, n) => n),
        )
      }),
      { numRuns: 30 },
    )
  })
})

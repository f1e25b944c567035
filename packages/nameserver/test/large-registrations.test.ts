import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import {
  compressRegisterBody,
  deleteTopicInNamesrv,
  dialectOf,
  type RegisterBrokerBody,
  registerBroker,
} from '@skua-mq/protocol'
import { type Clock, SimClock, type Timer } from '@skua-mq/runtime'
import { asRegistered } from '../src/advertising.ts'
import { type NameServerParts, nameServerRoutes, RegistrationIntake, RouteTable, SecondAsks } from '../src/index.ts'
import { body, topic } from './brokers.ts'
import { askLater, TestConnection } from './harness.ts'

const own = {
  ...{ cluster: 'c1', brokerName: 'b1', brokerAddr: '10.0.0.1:10911', brokerId: 0, haServerAddr: '10.0.0.1:10912' },
  connectionId: 1,
}

/** Counts the turns that a piece of work takes. */
class TurnClock implements Clock {
  turns = 0
  private readonly clock = new SimClock()

  now = () => this.clock.now()
  monotonic = () => this.clock.monotonic()
  after(ms: number, run: () => void): Timer {
    return this.clock.after(ms, () => {
      this.turns++
      run()
    })
  }

  async until<T>(promise: Promise<T>): Promise<T> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    promise.then(done, done)
    // Large bodies are inflated in the pool, which knows no simulated time.
    while (!isDone) await this.clock.advanceAsync(1)
    return promise
  }
}

function world({ maxTopics = 1_000_000, maxBrokers = 100 } = {}) {
  const clock = new TurnClock()
  const routes = new RouteTable({ maxTopics })
  const intake = new RegistrationIntake({ routes, clock, limits: { maxTopics, maxBrokers } })
  const take = async (bytes: Uint8Array, changes: Partial<typeof own> = {}) =>
    clock.until((async () => intake.take({ ...own, ...changes, bytes }))())
  return { clock, routes, intake, take }
}

const routesOf = ({ clock, routes, intake }: Pick<ReturnType<typeof world>, 'clock' | 'routes' | 'intake'>) =>
  nameServerRoutes({
    dialect: dialectOf(),
    ...{
      routes,
      intake,
      secondAsks: new SecondAsks(clock),
      kv: { namespace: () => undefined } as never,
      config: { print: () => '' } as never,
    },
    ...{ now: () => clock.monotonic(), orderMessageEnable: () => false, advertising: asRegistered },
    registeredBy: () => {},
    clock,
  } as NameServerParts)

const many = (count: number, counter = 1): RegisterBrokerBody =>
  body(
    Array.from({ length: count }, (_, i) => topic(`Topic-${i}`, { attributes: new Map([['message.type', '{"}']]) })),
    { counter, filterServerList: ['h:1', 'h:2'] },
  )
const plain = (value: RegisterBrokerBody) => registerBroker.body!.encode(value)

function line(count: number, text: string): Buffer {
  const int = (value: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(value)
    return bytes
  }
  const counted = (of: string) => Buffer.concat([int(Buffer.byteLength(of)), Buffer.from(of)])
  const version = counted('{"counter":1,"timestamp":2}')
  const one = counted(text)
  return deflateSync(Buffer.concat([version, int(count), ...Array.from({ length: count }, () => one), counted('[]')]))
}

describe('a large registration', () => {
  for (const [form, encode] of [
    ['plain', plain],
    ['compressed', compressRegisterBody],
  ] as const) {
    test(`${form}: is read in many turns, and says what a small one would`, async () => {
      const { clock, routes, take } = world()
      await take(encode(many(20_000)))
      assert.equal([...routes.topicNames()].length, 20_000)
      assert.deepEqual(routes.routeOf('Topic-19999')?.queueDatas[0]?.readQueueNums, 4)
      assert.deepEqual([...(routes.routeOf('Topic-7')?.filterServerTable.values() ?? [])], [['h:1', 'h:2']])
      assert.ok(clock.turns > 20, `${clock.turns} turns`)
    })

    test(`${form}: cut anywhere it is refused, and leaves the version unknown`, async () => {
      const { routes, take } = world()
      const bytes = encode(many(2000))
      for (const share of [0.1, 0.5, 0.9, 0.999]) {
        await assert.rejects(take(bytes.subarray(0, Math.floor(bytes.length * share))))
      }
      assert.deepEqual([...routes.topicNames()], [])
    })
  }

  test('that says what was said before is not read again; one that says more is', async () => {
    const { clock, routes, take } = world()
    await take(plain(many(5000)))
    const { turns } = clock
    await take(plain(many(5000)))
    assert.equal(clock.turns, turns)
    await take(plain(many(5001, 2)))
    assert.equal([...routes.topicNames()].length, 5001)
    // After the broker was gone the same bytes are news again.
    routes.connectionClosed(own.connectionId)
    while (!routes.sweep(1000));
    assert.deepEqual([...routes.topicNames()], [])
    await take(plain(many(5001, 2)))
    assert.equal([...routes.topicNames()].length, 5001)
  })

  test('two of one broker are taken in their order', async () => {
    const { routes, intake, clock } = world()
    const first = intake.take({ ...own, bytes: plain(many(4000, 1)) }) as Promise<unknown>
    const second = intake.take({ ...own, bytes: plain(many(3000, 2)) }) as Promise<unknown>
    await clock.until(Promise.all([first, second]))
    assert.deepEqual(
      routes.queryDataVersion(own.brokerAddr, { timestamp: 1_700_000_000_000, counter: 2 }, 0).changed,
      false,
    )
  })

  test('does not win over a small one that its broker sends while it is read, or waits', async () => {
    const { routes, intake, clock } = world()
    const queues = () => routes.routeOf('Topic-3999')?.queueDatas[0]?.writeQueueNums
    for (const isOther of [false, true]) {
      const counter = isOther ? 5 : 2
      const others = Array.from({ length: isOther ? 2 : 0 }, (_, n) =>
        intake.take({ ...own, brokerAddr: `10.0.0.${n + 2}:1`, brokerName: `b${n + 2}`, bytes: plain(many(2000)) }),
      )
      const large = intake.take({ ...own, bytes: plain(many(4000, counter)) })
      const changed = body([topic('Topic-3999', { writeQueueNums: counter })], { counter: counter + 1 })
      // It may have come back meanwhile: over another connection.
      const small = intake.take({ ...own, connectionId: isOther ? 2 : 1, bytes: plain(changed) })
      await clock.until(Promise.all([...others, large, small]))
      assert.equal(queues(), counter, `${isOther}`)
      const version = { timestamp: 1_700_000_000_000, counter: counter + 1 }
      assert.equal(routes.queryDataVersion(own.brokerAddr, version, 0).changed, false)
      assert.equal([...routes.topicNames()].length, 4000)
    }
  })

  test('does not win over the same broker, which says again what it said before that', async () => {
    const { routes, intake, clock, take } = world()
    const before = plain(many(2000, 1))
    await take(before)
    const other = { ...own, brokerAddr: '10.0.0.2:1', brokerName: 'b2', connectionId: 2 }
    const all = [
      intake.take({ ...other, bytes: plain(many(2000)) }),
      intake.take({ ...own, bytes: plain(many(2001, 2)) }),
      intake.take({ ...own, bytes: before }),
    ]
    await clock.until(Promise.all(all))
    const version = { timestamp: 1_700_000_000_000, counter: 1 }
    assert.equal(routes.queryDataVersion(own.brokerAddr, version, 0).changed, false)
  })

  test('does not bring back a topic that a tool has deleted since', async () => {
    const { routes, intake, clock } = world()
    const all = routesOf({ routes, intake, clock })
    const large = intake.take({ ...own, bytes: plain(many(4000)) })
    const deleted = askLater(all, deleteTopicInNamesrv, { topic: 'Topic-3999' })
    await clock.until(Promise.all([large, deleted]))
    assert.equal((await deleted).code, 0)
    assert.equal(routes.routeOf('Topic-3999'), undefined)
    assert.ok(routes.routeOf('Topic-3998'))
  })

  test('of a broker that leaves meanwhile leaves nothing', async () => {
    const { routes, intake, clock } = world()
    const taken = intake.take({ ...own, bytes: plain(many(20_000)) }) as Promise<unknown>
    while (!routes.isKnown(own.brokerAddr)) await clock.until(new Promise<void>(resolve => clock.after(0, resolve)))
    routes.unregister(own)
    await clock.until(taken)
    while (!routes.sweep(1000));
    assert.deepEqual([...routes.topicNames()], [])
  })
})

describe('a large registration that waits', () => {
  test('of a broker that unregisters before it is read is not entered', async () => {
    const { routes, intake, clock } = world()
    await clock.until((async () => intake.take({ ...own, bytes: plain(many(10)) }))())
    const first = intake.take({ ...own, bytes: plain(many(4000, 2)) }) as Promise<unknown>
    const second = intake.take({ ...own, bytes: plain(many(4001, 3)) }) as Promise<unknown>
    intake.withdraw(own)
    routes.unregister(own)
    await clock.until(Promise.allSettled([first, second]))
    assert.equal(routes.isKnown(own.brokerAddr), false)
    await assert.rejects(first, /has gone/)
    await assert.rejects(second, /has gone/)
  })

  test('of a connection that was known and is gone by then is not entered: nothing would take it out again', async () => {
    const { clock, routes, intake } = world()
    const connection = new TestConnection()
    const list = routesOf({ clock, routes, intake })
    const { cluster: clusterName, connectionId: _, ...header } = own
    const wish = { ...header, clusterName, compressed: false, bodyCrc32: 0 }
    const asked = askLater(list, registerBroker, wish, { body: plain(many(4000)), connection })
    connection.close()
    routes.connectionClosed(connection.id)
    await clock.until(asked.catch(() => {}))
    assert.equal(routes.isKnown(own.brokerAddr), false)
  })
})

describe('what a registration may become is bounded before it does', () => {
  test('what inflates', async () => {
    const { take } = world()
    await assert.rejects(take(deflateSync(Buffer.alloc(40 * 1024 * 1024))), /does not inflate/)
    await assert.rejects(take(line(1_000, `T 4 4 6 SINGLE_TAG {"a":"${'x'.repeat(70_000)}"}`)), /does not inflate/)
    await assert.rejects(take(line(10, `T 4 4 6 SINGLE_TAG {"a":"${'x'.repeat(70_000)}"}`)), /at most 65536 are read/)
  })

  test('equal lines, and numbers of many digits, hold up no turn', async () => {
    const { clock, take } = world()
    await take(line(500_000, 'T 4 4 6 SINGLE_TAG'))
    await take(line(20, `T ${'9'.repeat(60_000)} 4 6 SINGLE_TAG`)).catch(() => {})
    await take(line(20, `T 4 4 6 SINGLE_TAG {"a":${'9'.repeat(60_000)}}`)).catch(() => {})
    // 12 MB in slices of 128 KiB.
    assert.ok(clock.turns > 80, `${clock.turns} turns`)
  })

  test('topics of one broker, and of all together', async () => {
    const { routes, take } = world({ maxTopics: 3000 })
    await assert.rejects(take(plain(many(3001))), /maxRegisteredTopics/)
    await take(plain(many(2000)))
    const second = { brokerName: 'b2', brokerAddr: '10.0.0.2:10911', connectionId: 2 }
    await assert.rejects(take(plain(many(2000)), second), /maxRegisteredTopics is 3000/)
    // A small one of the first broker is still taken, and what leaves makes room.
    await take(plain(body([topic('Topic-1', { perm: 4 })], { counter: 2 })))
    routes.connectionClosed(second.connectionId)
    while (!routes.sweep(1000));
    await take(plain(many(1000)), second)
    assert.equal(routes.routeOf('Topic-1')?.brokerDatas.length, 2)
  })

  test('brokers', async () => {
    const { take } = world({ maxBrokers: 2 })
    for (const at of [1, 2]) await take(plain(many(1)), { brokerName: `b${at}`, brokerAddr: `10.0.0.${at}:10911` })
    await assert.rejects(take(plain(many(1)), { brokerAddr: '10.0.0.3:10911' }), /maxRegisteredBrokers/)
    await take(plain(many(1)))
  })

  test('what one connection sends at once: others need not wait for it', async () => {
    const { clock, routes, intake } = world()
    const from = (connectionId: number, i: number, count: number) =>
      intake.take({ ...own, brokerAddr: `10.0.${connectionId}.${i}:1`, connectionId, bytes: plain(many(count)) })
    const order: string[] = []
    const told = (name: string) => () => order.push(name)
    const hog = [0, 1, 2, 3, 4].map(i => (from(1, i, 4000) as Promise<unknown>).then(told(`hog ${i}`)))
    assert.throws(() => from(1, 5, 4000), /4 large registrations of this connection wait/)
    const honest = (from(2, 0, 4000) as Promise<unknown>).then(told('honest'))
    await clock.until(Promise.all([...hog, honest]))
    assert.equal(order.indexOf('honest'), 2, order.join(', '))
    assert.equal(routes.addressCount, 6)
    // Bytes, where they are few.
    const large = Buffer.concat([plain(many(1)), Buffer.alloc(9 * 1024 * 1024, ' ')])
    const wait = [1, 2].map(() => intake.take({ ...own, connectionId: 3, bytes: large }) as Promise<unknown>)
    assert.throws(() => intake.take({ ...own, connectionId: 3, bytes: large }), /16777216 bytes/)
    await clock.until(Promise.all(wait))
  })

  test('registrations that wait', async () => {
    const { intake } = world()
    const bytes = Buffer.concat([plain(many(1)), Buffer.alloc(16 * 1024 * 1024 - 1000, ' ')])
    const take = async (connectionId: number) => intake.take({ ...own, connectionId, bytes })
    // The first of them is at work at once.
    const waiting = [1, 2, 3, 4].map(connectionId => take(connectionId))
    await assert.rejects(take(5), /wait to be read; at most 67108864 may/)
    await intake.stop()
    for (const one of await Promise.allSettled(waiting)) assert.equal(one.status, 'rejected')
  })
})

test('the end of ten thousand brokers with many topics takes no long turn', async () => {
  const { routes, intake, clock } = world({ maxBrokers: 20_000 })
  const topics = many(40)
  for (let i = 0; i < 10_000; i++) {
    const brokerName = `b${i}`
    routes.register({ ...own, brokerName, brokerAddr: `${brokerName}:1`, body: topics }, 0)
  }
  assert.equal(routes.connectionClosed(own.connectionId).length, 10_000)
  assert.equal(routes.routeOf('Topic-1'), undefined)
  assert.deepEqual([...routes.topicNames()], [])
  intake.sweep()
  await clock.until(new Promise<void>(resolve => clock.after(1, resolve)))
  assert.ok(clock.turns > 100)
})

test('what was registered last is remembered of addresses that can be some, and of no longer text', async () => {
  for (const [brokerAddr, isRemembered] of [
    [own.brokerAddr, true],
    [`${'h'.repeat(1_000_000)}:10911`, false],
  ] as const) {
    const { clock, take } = world()
    const bytes = plain(many(2000))
    await take(bytes, { brokerAddr })
    const { turns } = clock
    await take(bytes, { brokerAddr })
    assert.equal(clock.turns === turns, isRemembered)
  }
})

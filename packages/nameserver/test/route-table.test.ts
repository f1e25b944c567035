import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { brokerExpiryMs, RouteTable } from '../src/index.ts'
import { body, registration, slave, topic } from './brokers.ts'

const addrsOf = (table: RouteTable, name: string) =>
  table.routeOf(name)?.brokerDatas.map(broker => [broker.brokerName, Object.fromEntries(broker.brokerAddrs)])

describe('registration', () => {
  test('a registered topic has a route with its queues, permissions and addresses', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T', { readQueueNums: 8, perm: 4, topicSysFlag: 3 })]) }), 0)
    assert.deepEqual(table.routeOf('T'), {
      queueDatas: [{ brokerName: 'b1', readQueueNums: 8, writeQueueNums: 4, perm: 4, topicSysFlag: 3 }],
      brokerDatas: [{ cluster: 'c1', brokerName: 'b1', brokerAddrs: new Map([[0, '10.0.0.1:10911']]) }],
      filterServerTable: new Map(),
    })
    assert.equal(table.routeOf('other'), undefined)
  })

  test('a topic on two brokers has both in its route', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    table.register(registration({ brokerName: 'b2', brokerAddr: '10.0.0.3:10911', connectionId: 3 }), 0)
    assert.deepEqual(addrsOf(table, 'T'), [
      ['b1', { 0: '10.0.0.1:10911' }],
      ['b2', { 0: '10.0.0.3:10911' }],
    ])
    assert.deepEqual(
      table.routeOf('T')?.queueDatas.map(queue => queue.brokerName),
      ['b1', 'b2'],
    )
  })

  test('a slave is told where its master is, once there is one; a master is told nothing', () => {
    const table = new RouteTable()
    assert.deepEqual(table.register(slave(), 0), {})
    assert.deepEqual(table.register(registration(), 0), {})
    assert.deepEqual(table.register(slave(), 0), { haServerAddr: '10.0.0.1:10912', masterAddr: '10.0.0.1:10911' })
  })

  test('topics are taken from the master only', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    table.register(slave({ body: body([topic('T', { perm: 2 }), topic('S')]) }), 0)
    assert.equal(table.routeOf('S'), undefined)
    assert.equal(table.routeOf('T')?.queueDatas[0]?.perm, 6)
    assert.deepEqual(addrsOf(table, 'T'), [['b1', { 0: '10.0.0.1:10911', 1: '10.0.0.2:10911' }]])
  })

  test('a registration of the same dataVersion changes no topic, one of another does', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T')], { counter: 1 }) }), 0)
    table.register(registration({ body: body([topic('T', { perm: 4 })], { counter: 1 }) }), 1)
    assert.equal(table.routeOf('T')?.queueDatas[0]?.perm, 6)
    table.register(registration({ body: body([topic('T', { perm: 4 })], { counter: 2 }) }), 2)
    assert.equal(table.routeOf('T')?.queueDatas[0]?.perm, 4)
  })

  test('a topic that the broker no longer registers stays until a tool deletes it', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T'), topic('U')], { counter: 1 }) }), 0)
    table.register(registration({ body: body([topic('U')], { counter: 2 }) }), 0)
    assert.ok(table.routeOf('T'))
    table.deleteTopic('T')
    assert.equal(table.routeOf('T'), undefined)
    assert.ok(table.routeOf('U'))
  })

  test('an address that comes back under another id leaves its old one, and brings its topics as a master', () => {
    const table = new RouteTable()
    table.register(slave(), 0)
    table.register(slave({ brokerId: 0 }), 1)
    assert.deepEqual(addrsOf(table, 'T'), [['b1', { 0: '10.0.0.2:10911' }]])
  })

  test('an address that comes back under another name leaves its old one', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    table.register(registration({ brokerName: 'b9' }), 1)
    assert.deepEqual(addrsOf(table, 'T'), [['b9', { 0: '10.0.0.1:10911' }]])
    assert.deepEqual([...table.clusterInfo().brokerAddrTable.keys()], ['b9'])
  })

  test('filter servers stand in the route under the address of their broker', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T')], { filterServerList: ['10.0.0.1:30000'] }) }), 0)
    table.register(slave(), 0)
    assert.deepEqual(table.routeOf('T')?.filterServerTable, new Map([['10.0.0.1:10911', ['10.0.0.1:30000']]]))
  })
})

describe('leaving', () => {
  test('a broker that unregisters is gone with its topics', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    table.unregister(registration())
    assert.equal(table.routeOf('T'), undefined)
    assert.deepEqual([...table.topicNames()], [])
    assert.deepEqual(table.clusterInfo(), { brokerAddrTable: new Map(), clusterAddrTable: new Map() })
  })

  test('when the master goes its slave goes on in the route', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    table.register(slave(), 0)
    table.unregister(registration())
    assert.deepEqual(addrsOf(table, 'T'), [['b1', { 1: '10.0.0.2:10911' }]])
  })

  test('an old process that unregisters late does not take away the one which has its place', () => {
    const table = new RouteTable()
    table.register(registration({ brokerAddr: '10.0.0.7:10911', connectionId: 7 }), 0)
    table.register(registration(), 1)
    table.unregister(registration({ brokerAddr: '10.0.0.7:10911' }))
    assert.deepEqual(addrsOf(table, 'T'), [['b1', { 0: '10.0.0.1:10911' }]])
  })

  test('a closed connection takes its brokers at once, others stay', () => {
    const table = new RouteTable()
    table.register(registration({ connectionId: 1 }), 0)
    table.register(registration({ brokerName: 'b2', brokerAddr: '10.0.0.3:10911', connectionId: 2 }), 0)
    assert.deepEqual(table.connectionClosed(1), ['10.0.0.1:10911'])
    assert.deepEqual(addrsOf(table, 'T'), [['b2', { 0: '10.0.0.3:10911' }]])
  })

  test('the close of an older connection does not take a broker that has registered over a newer one', () => {
    const table = new RouteTable()
    table.register(registration({ connectionId: 1 }), 0)
    table.register(registration({ connectionId: 2 }), 1)
    assert.deepEqual(table.connectionClosed(1), [])
    assert.ok(table.routeOf('T'))
  })

  test('a broker expires when it was silent for longer than 120 s, not before', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    assert.deepEqual(table.expire(brokerExpiryMs), [])
    assert.deepEqual(table.expire(brokerExpiryMs + 1), ['10.0.0.1:10911'])
    assert.equal(table.routeOf('T'), undefined)
  })

  test('a registration and a data version query keep a broker alive', () => {
    const table = new RouteTable()
    table.register(registration(), 0)
    table.register(registration(), 100_000)
    assert.deepEqual(table.expire(200_000), [])
    const asked = table.queryDataVersion('10.0.0.1:10911', { timestamp: 1_700_000_000_000, counter: 1 }, 210_000)
    assert.equal(asked.changed, false)
    assert.deepEqual(table.expire(330_000), [])
    assert.deepEqual(table.expire(330_001), ['10.0.0.1:10911'])
  })

  test('a 5.x broker brings its own time to live', () => {
    const table = new RouteTable()
    table.register(registration({ expiryMs: 10_000 }), 0)
    assert.deepEqual(table.expire(10_001), ['10.0.0.1:10911'])
  })
})

test('an unregistration under a wrong name takes nobody out, one under a wrong id does', () => {
  const table = new RouteTable()
  table.register(registration(), 0)
  table.unregister(registration({ brokerName: 'b2' }))
  assert.ok(table.routeOf('T'))
  table.unregister(registration({ brokerId: 5 }))
  assert.equal(table.routeOf('T'), undefined)
})

test('whatever brokers do, every address in the routes expires in the end, and nothing is left', () => {
  const who = fc.record({
    brokerName: fc.constantFrom('b1', 'b2'),
    brokerAddr: fc.constantFrom('10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1'),
    brokerId: fc.constantFrom(0, 1, 2),
    cluster: fc.constantFrom('c1', 'c2'),
    connectionId: fc.constantFrom(1, 2, 3),
    counter: fc.constantFrom(1, 2),
  })
  const step = fc.oneof(
    who.map(broker => ({ kind: 'register' as const, ...broker })),
    who.map(broker => ({ kind: 'unregister' as const, ...broker })),
    who.map(broker => ({ kind: 'close' as const, ...broker })),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 130_000 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const table = new RouteTable()
      let now = 0
      for (const done of steps) {
        if (done.kind === 'pass') {
          now += done.ms
          table.expire(now)
        } else if (done.kind === 'close') table.connectionClosed(done.connectionId)
        else if (done.kind === 'unregister') table.unregister(done)
        else {
          table.register(registration({ ...done, body: body([topic('T')], done) }), now)
          const shown = table.clusterInfo().brokerAddrTable.get(done.brokerName)
          assert.equal(shown?.brokerAddrs.get(done.brokerId), done.brokerAddr)
        }
        const addrs = [...table.clusterInfo().brokerAddrTable.values()].flatMap(found => [
          ...found.brokerAddrs.values(),
        ])
        assert.equal(new Set(addrs).size, addrs.length, 'no address stands twice')
        for (const { brokerAddrs } of table.routeOf('T')?.brokerDatas ?? []) assert.ok(brokerAddrs.size > 0)
        const { queueDatas = [], brokerDatas = [] } = table.routeOf('T') ?? {}
        assert.deepEqual(
          queueDatas.map(found => found.brokerName).sort(),
          brokerDatas.map(found => found.brokerName).sort(),
        )
      }
      table.expire(now + brokerExpiryMs + 1)
      assert.deepEqual(table.clusterInfo(), { brokerAddrTable: new Map(), clusterAddrTable: new Map() })
      assert.deepEqual([...table.topicNames()], [])
    }),
    { numRuns: 500 },
  )
})

describe('data versions', () => {
  test('an unknown broker and another version are changed, the same version is not', () => {
    const table = new RouteTable()
    const version = { timestamp: 1_700_000_000_000, counter: 1 }
    assert.deepEqual(table.queryDataVersion('10.0.0.1:10911', version, 0), { changed: true, known: undefined })
    table.register(registration(), 0)
    assert.equal(table.queryDataVersion('10.0.0.1:10911', version, 0).changed, false)
    assert.deepEqual(table.queryDataVersion('10.0.0.1:10911', { ...version, counter: 2 }, 0), {
      changed: true,
      known: version,
    })
  })
})

describe('permissions', () => {
  const writable = (table: RouteTable, brokerName: string, isWritable: boolean) => {
    const { count, step } = table.settingWritable(brokerName, isWritable)
    while (!step(1));
    return count
  }

  test('a broker that goes while its topics are wiped leaves none of them behind', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T'), topic('U'), topic('V')]) }), 0)
    const { step } = table.settingWritable('b1', false)
    assert.equal(step(1), false)
    table.unregister({ brokerName: 'b1', brokerAddr: '10.0.0.1:10911' })
    assert.equal(step(5), true)
    while (!table.sweep(10));
    assert.deepEqual([...table.topicNames()], [])
    assert.equal(table.has('U'), false)
  })

  test('wiping takes the write bit of all topics of one broker and counts them; adding gives it back', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T'), topic('U', { perm: 7 })]) }), 0)
    table.register(registration({ brokerName: 'b2', brokerAddr: '10.0.0.3:10911', connectionId: 3 }), 0)
    assert.equal(writable(table, 'b1', false), 2)
    const perms = (name: string) => table.routeOf(name)?.queueDatas.map(queue => queue.perm)
    assert.deepEqual(perms('T'), [4, 6])
    assert.deepEqual(perms('U'), [5])
    assert.equal(writable(table, 'b1', true), 2)
    assert.deepEqual(perms('T'), [6, 6])
    assert.equal(writable(table, 'unknown', false), 0)
  })

  test('a wiped broker stays wiped through registrations of the same version, and is restored by a changed one', () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T')], { counter: 1 }) }), 0)
    writable(table, 'b1', false)
    table.register(registration({ body: body([topic('T')], { counter: 1 }) }), 1)
    assert.equal(table.routeOf('T')?.queueDatas[0]?.perm, 4)
    table.register(registration({ body: body([topic('T')], { counter: 2 }) }), 2)
    assert.equal(table.routeOf('T')?.queueDatas[0]?.perm, 6)
  })
})

describe('lists', () => {
  const twoClusters = () => {
    const table = new RouteTable()
    table.register(registration({ body: body([topic('T'), topic('U1', { topicSysFlag: 1 })]) }), 0)
    table.register(
      registration({
        cluster: 'c2',
        brokerName: 'b2',
        brokerAddr: '10.0.0.3:10911',
        connectionId: 3,
        body: body([topic('T'), topic('U2', { topicSysFlag: 2 }), topic('U3', { topicSysFlag: 3 })]),
      }),
      0,
    )
    return table
  }

  test('topics are listed, of all clusters or of one', () => {
    const table = twoClusters()
    assert.deepEqual([...table.topicNames()].sort(), ['T', 'U1', 'U2', 'U3'])
    assert.deepEqual([...table.topicsOfCluster('c1')].sort(), ['T', 'U1'])
    assert.deepEqual([...table.topicsOfCluster('c2')].sort(), ['T', 'U2', 'U3'])
    assert.deepEqual([...table.topicsOfCluster('c3')], [])
  })

  test('clusters and brokers are listed', () => {
    const { brokerAddrTable, clusterAddrTable } = twoClusters().clusterInfo()
    assert.deepEqual(
      clusterAddrTable,
      new Map([
        ['c1', ['b1']],
        ['c2', ['b2']],
      ]),
    )
    assert.deepEqual(brokerAddrTable.get('b2')?.brokerAddrs, new Map([[0, '10.0.0.3:10911']]))
  })

  test('system topics are the names of clusters and brokers, with the address of one broker', () => {
    assert.deepEqual(twoClusters().systemTopics(), { topics: ['c1', 'c2', 'b1', 'b2'], brokerAddr: '10.0.0.1:10911' })
  })

  test('a topic deleted in one cluster stays in the other', () => {
    const table = twoClusters()
    table.deleteTopic('T', 'c1')
    assert.deepEqual(addrsOf(table, 'T'), [['b2', { 0: '10.0.0.3:10911' }]])
    table.deleteTopic('T', 'c2')
    assert.deepEqual([...table.topicNames()].includes('T'), false)
  })

  test('a topic registered alone has a route through the brokers that are there, and only those', () => {
    const table = twoClusters()
    const queue = { readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 }
    table.registerTopic('new', [
      { brokerName: 'b1', ...queue },
      { brokerName: 'nobody', ...queue },
    ])
    assert.deepEqual(table.routeOf('new')?.queueDatas, [{ brokerName: 'b1', ...queue }])
    table.registerTopic('nowhere', [{ brokerName: 'nobody', ...queue }])
    assert.equal([...table.topicNames()].includes('nowhere'), false)
  })
})

describe('names are bounded in characters, however few they are', () => {
  const long = 'x'.repeat(600)
  const addr = (i: number) => ({ brokerName: `b${i}`, brokerAddr: `10.0.0.${i}:10911`, connectionId: i })

  test('those of topics', () => {
    const table = new RouteTable({ maxChars: 2000 })
    const register = (...names: string[]) =>
      table.register(registration({ body: body(names.map(name => topic(name))) }), 0)
    assert.throws(() => register(`${long}1`, `${long}2`, `${long}3`, `${long}4`), /at most 2000/)
    assert.throws(() => table.registerTopic(`${long}5`, [{ ...table.routeOf(`${long}1`)!.queueDatas[0]! }]), /2000/)
    table.unregister(registration())
    while (!table.sweep(10));
    register('T')
    assert.deepEqual([...table.topicNames()], ['T'])
    for (let i = 0; i < 100; i++) {
      table.unregister(registration())
      while (!table.sweep(10));
      register(`${long}1`, `${long}2`)
    }
  })

  test('those of brokers, and of their filter servers', () => {
    const table = new RouteTable({ maxChars: 2000 })
    const taken = (i: number, changes = {}) =>
      table.register(registration({ ...addr(i), body: body([]), ...changes }), 0)
    taken(1, { cluster: long })
    for (let i = 0; i < 100; i++) taken(2, { haServerAddr: `${long}${i % 2}` })
    assert.throws(() => taken(3, { body: body([], { filterServerList: [long, long] }) }), /at most 2000/)
    assert.equal(table.isKnown('10.0.0.3:10911'), false)
    table.connectionClosed(1)
    taken(3, { cluster: long })
  })
})

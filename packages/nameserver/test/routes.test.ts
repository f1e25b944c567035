import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import {
  addWritePermOfBroker,
  compressRegisterBody,
  dataVersionBody,
  deleteKvConfig,
  deleteTopicInNamesrv,
  dialectOf,
  getAllTopicListFromNameserver,
  getBrokerClusterInfo,
  getHasUnitSubTopicList,
  getHasUnitSubUnunitTopicList,
  getKvConfig,
  getKvListByNamespace,
  getNamesrvConfig,
  getRouteInfoByTopic,
  getSystemTopicListFromNs,
  getTopicsByCluster,
  getUnitTopicList,
  putKvConfig,
  queryDataVersion,
  type RegisterBrokerBody,
  registerBroker,
  registerTopicInNamesrv,
  unregisterBroker,
  updateNamesrvConfig,
  wipeWritePermOfBroker,
} from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'
import { type ConfigChanges, configOf, LiveConfig, noEvents, SimClock, SimDisk } from '@skua-mq/runtime'
import { asRegistered } from '../src/advertising.ts'
import {
  type Advertising,
  KvConfig,
  nameServerOptions,
  nameServerRoutes,
  RegistrationIntake,
  RouteTable,
  SecondAsks,
} from '../src/index.ts'
import { body, topic } from './brokers.ts'
import { ask, askLater, TestConnection } from './harness.ts'

interface Setting {
  readonly advertising?: Advertising
  readonly orderMessageEnable?: boolean
}

function nameServer({ advertising = asRegistered, orderMessageEnable = false }: Setting = {}) {
  const clock = new SimClock()
  const kept: ConfigChanges[] = []
  const config = new LiveConfig({
    table: nameServerOptions,
    config: configOf(nameServerOptions, { orderMessageEnable }),
    guarded: () => ['kvConfigPath'],
    now: () => clock.now(),
    keep: changes => kept.push(changes),
  })
  const table = new RouteTable()
  const secondAsks = new SecondAsks(clock)
  table.onTopic = name => secondAsks.came(name)
  const routes = nameServerRoutes({
    dialect: dialectOf(),
    routes: table,
    clock,
    secondAsks,
    intake: new RegistrationIntake({ routes: table, clock, limits: { maxTopics: 1000, maxBrokers: 100 } }),
    kv: new KvConfig({ disk: new SimDisk(clock), events: noEvents, path: '/kvConfig.json' }),
    config,
    now: () => clock.monotonic(),
    orderMessageEnable: () => config.values.orderMessageEnable,
    advertising,
    registeredBy: connection => connection.onClose(() => table.connectionClosed(connection.id)),
  })
  return { routes, clock, table, kept }
}

const own = { brokerName: 'b1', brokerAddr: '10.0.0.1:10911', clusterName: 'c1', brokerId: 0 }
const registering = { ...own, haServerAddr: '10.0.0.1:10912', compressed: false, bodyCrc32: 0 }

function register(
  { routes }: { routes: ReturnType<typeof nameServer>['routes'] },
  value: RegisterBrokerBody = body([topic('T')]),
  connection: Connection = new TestConnection(),
) {
  return ask(routes, registerBroker, registering, { body: registerBroker.body!.encode(value), connection })
}

const text = (reply: { body?: Uint8Array | undefined }) => Buffer.from(reply.body ?? '').toString()

describe('105', () => {
  test('a route has the very bytes which Java, Go and C++ clients read', () => {
    const server = nameServer()
    register(server)
    const reply = ask(server.routes, getRouteInfoByTopic, { topic: 'T' })
    assert.equal(reply.code, 0)
    assert.equal(
      text(reply),
      '{"brokerDatas":[{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"b1","cluster":"c1"}],"filterServerTable":{},' +
        '"queueDatas":[{"brokerName":"b1","perm":6,"readQueueNums":4,"topicSysFlag":0,"writeQueueNums":4}]}',
    )
  })

  test('a topic that no registered broker has is refused with 17 and a remark that names it', () => {
    const server = nameServer()
    const reply = ask(server.routes, getRouteInfoByTopic, { topic: 'Typo' })
    assert.equal(reply.code, 17)
    assert.match(reply.remark ?? '', /Typo/)
    assert.equal(reply.body, undefined)
  })

  test('an asking connection is told the address that fits it, in the route, the cluster and the system topics', () => {
    const server = nameServer({
      advertising: {
        view: asking => (asking.remote.host === '127.0.0.1' ? '127.0.0.1' : ''),
        address: (addr, view) => (view === '' ? addr : addr.replace('10.0.0.1', view)),
      },
    })
    register(server, body([topic('T')], { filterServerList: ['10.0.0.1:30000'] }))
    const local = new TestConnection('127.0.0.1')
    const far = new TestConnection('10.0.0.50')
    const addrs = (connection: Connection) => {
      const route = getRouteInfoByTopic.replyBody!.decode(
        ask(server.routes, getRouteInfoByTopic, { topic: 'T' }, { connection }).body!,
      )
      const cluster = getBrokerClusterInfo.replyBody!.decode(
        ask(server.routes, getBrokerClusterInfo, {}, { connection }).body!,
      )
      const system = getSystemTopicListFromNs.replyBody!.decode(
        ask(server.routes, getSystemTopicListFromNs, {}, { connection }).body!,
      )
      return [
        route.brokerDatas[0]?.brokerAddrs.get(0),
        [...route.filterServerTable.keys()][0],
        cluster.brokerAddrTable.get('b1')?.brokerAddrs.get(0),
        system.brokerAddr,
      ]
    }
    assert.deepEqual(addrs(far), Array(4).fill('10.0.0.1:10911'))
    assert.deepEqual(addrs(local), Array(4).fill('127.0.0.1:10911'))
    assert.deepEqual(addrs(far), Array(4).fill('10.0.0.1:10911'), 'telling one changes nothing for others')
  })

  test('the queues of an order topic are attached only under orderMessageEnable, which a tool may switch', async () => {
    const server = nameServer()
    register(server)
    await askLater(server.routes, putKvConfig, { namespace: 'ORDER_TOPIC_CONFIG', key: 'T', value: 'b1:4' })
    const order = () =>
      getRouteInfoByTopic.replyBody!.decode(ask(server.routes, getRouteInfoByTopic, { topic: 'T' }).body!)
        .orderTopicConf
    assert.equal(order(), undefined)
    assert.equal(
      ask(server.routes, updateNamesrvConfig, {}, { body: Buffer.from('orderMessageEnable=true\n') }).code,
      0,
    )
    assert.equal(order(), 'b1:4')
  })
})

describe('105 of a topic that is about to come', () => {
  const asking = (server: ReturnType<typeof nameServer>, connection: TestConnection) =>
    askLater(server.routes, getRouteInfoByTopic, { topic: '%RETRY%g' }, { connection })

  test('a second ask of the same connection waits for the registration, the first one does not', async () => {
    const server = nameServer()
    const connection = new TestConnection()
    assert.equal((await asking(server, connection)).code, 17)
    server.clock.advance(8)
    const second = asking(server, connection)
    await server.clock.advanceAsync(10)
    register(server, body([topic('%RETRY%g')]))
    assert.equal((await second).code, 0)
  })

  test('it waits for 100 ms at most, and not at all when it comes late or from elsewhere', async () => {
    const server = nameServer()
    const connection = new TestConnection()
    await asking(server, connection)
    assert.equal((await asking(server, new TestConnection())).code, 17)
    const begun = server.clock.monotonic()
    assert.equal((await server.clock.until(asking(server, connection))).code, 17)
    assert.equal(server.clock.monotonic() - begun, 100)
    server.clock.advance(1001)
    assert.equal((await asking(server, connection)).code, 17)
  })

  test('no more than a thousand wait at once', async () => {
    const server = nameServer()
    const waiting: Promise<unknown>[] = []
    for (let i = 0; i < 1001; i++) {
      const connection = new TestConnection()
      await asking(server, connection)
      waiting.push(asking(server, connection))
    }
    // The last one is answered although no time passes.
    await waiting.pop()
    await server.clock.until(Promise.all(waiting))
  })
})

test('a client of 5.x is told enableActingMaster', () => {
  const server = nameServer()
  register(server)
  const told = (version: number) => text(ask(server.routes, getRouteInfoByTopic, { topic: 'T' }, { version }))
  assert.match(told(413), /"enableActingMaster":false/)
  assert.doesNotMatch(told(411), /enableActingMaster/)
})

describe('103', () => {
  test('the compressed form registers too, also when the header denies that it is compressed', async () => {
    const server = nameServer()
    const bytes = compressRegisterBody(body([topic('Z', { perm: 4 })]))
    const reply = askLater(server.routes, registerBroker, registering, { body: bytes })
    assert.equal((await server.clock.until(reply)).code, 0)
    assert.equal(server.table.routeOf('Z')?.queueDatas[0]?.perm, 4)
  })

  test('a body whose CRC does not match is refused and registers nothing; a matching one registers', () => {
    const server = nameServer()
    const bytes = registerBroker.body!.encode(body([topic('T')]))
    const bodyCrc32 = crc32(bytes) & 0x7fff_ffff
    const wrong = ask(server.routes, registerBroker, { ...registering, bodyCrc32: bodyCrc32 ^ 1 }, { body: bytes })
    assert.equal(wrong.code, 1)
    assert.equal(server.table.routeOf('T'), undefined)
    assert.equal(ask(server.routes, registerBroker, { ...registering, bodyCrc32 }, { body: bytes }).code, 0)
    assert.ok(server.table.routeOf('T'))
  })

  test('a broker without a body is there, without topics', () => {
    const server = nameServer()
    assert.equal(ask(server.routes, registerBroker, registering).code, 0)
    assert.deepEqual(server.table.systemTopics().topics, ['c1', 'b1'])
    assert.deepEqual([...server.table.topicNames()], [])
  })

  test('the answer carries the order topics once there are some', async () => {
    const server = nameServer()
    assert.equal(register(server).body, undefined)
    await askLater(server.routes, putKvConfig, { namespace: 'ORDER_TOPIC_CONFIG', key: 'T', value: 'b1:4' })
    assert.equal(text(register(server)), '{"table":{"T":"b1:4"}}')
  })

  test('a slave is answered with the addresses of its master', () => {
    const server = nameServer()
    register(server)
    const reply = ask(
      server.routes,
      registerBroker,
      { ...registering, brokerAddr: '10.0.0.2:10911', brokerId: 1 },
      { body: registerBroker.body!.encode(body([])) },
    )
    assert.deepEqual(reply.header, { haServerAddr: '10.0.0.1:10912', masterAddr: '10.0.0.1:10911' })
  })

  test('the closing of its connection takes the broker at once', () => {
    const server = nameServer()
    const connection = new TestConnection()
    register(server, body([topic('T')]), connection)
    connection.close()
    assert.equal(ask(server.routes, getRouteInfoByTopic, { topic: 'T' }).code, 17)
  })
})

test('104 takes a broker out; 322 says whether the known version is older', () => {
  const server = nameServer()
  register(server)
  const version = dataVersionBody.encode({ timestamp: 1_700_000_000_000, counter: 1 })
  const same = ask(server.routes, queryDataVersion, own, { body: version })
  assert.deepEqual(same.header, { changed: false })
  assert.equal(text(same), '{"counter":1,"timestamp":1700000000000}')
  const newer = dataVersionBody.encode({ timestamp: 1_700_000_000_000, counter: 2 })
  assert.deepEqual(ask(server.routes, queryDataVersion, own, { body: newer }).header, { changed: true })
  assert.equal(ask(server.routes, unregisterBroker, own).code, 0)
  assert.equal(ask(server.routes, getRouteInfoByTopic, { topic: 'T' }).code, 17)
  const gone = ask(server.routes, queryDataVersion, own, { body: version })
  assert.deepEqual([gone.header, gone.body], [{ changed: true }, undefined])
})

test('205 and 327 answer how many topics they changed, under their own names', () => {
  const server = nameServer()
  register(server, body([topic('T'), topic('U')]))
  assert.deepEqual(ask(server.routes, wipeWritePermOfBroker, { brokerName: 'b1' }).header, { wipeTopicCount: 2 })
  assert.equal(server.table.routeOf('T')?.queueDatas[0]?.perm, 4)
  assert.deepEqual(ask(server.routes, addWritePermOfBroker, { brokerName: 'b1' }).header, { addTopicCount: 2 })
  assert.equal(server.table.routeOf('T')?.queueDatas[0]?.perm, 6)
})

test('the topic lists answer what they are named after', async () => {
  const server = nameServer()
  register(
    server,
    body([
      topic('plain'),
      topic('u', { topicSysFlag: 1 }),
      topic('s', { topicSysFlag: 2 }),
      topic('us', { topicSysFlag: 3 }),
    ]),
  )
  const list = (reply: { body?: Uint8Array | undefined }) =>
    getAllTopicListFromNameserver.replyBody!.decode(reply.body!).topicList.sort()
  assert.deepEqual(list(await askLater(server.routes, getAllTopicListFromNameserver, {})), ['plain', 's', 'u', 'us'])
  assert.deepEqual(list(await askLater(server.routes, getTopicsByCluster, { cluster: 'c1' })), [
    'plain',
    's',
    'u',
    'us',
  ])
  assert.deepEqual(list(await askLater(server.routes, getTopicsByCluster, { cluster: 'c2' })), [])
  assert.deepEqual(list(await askLater(server.routes, getUnitTopicList, {})), ['u', 'us'])
  assert.deepEqual(list(await askLater(server.routes, getHasUnitSubTopicList, {})), ['s', 'us'])
  assert.deepEqual(list(await askLater(server.routes, getHasUnitSubUnunitTopicList, {})), ['s'])
  assert.deepEqual(list(await askLater(server.routes, getSystemTopicListFromNs, {})), ['b1', 'c1'])
})

test('216 deletes a topic from the routes, 217 brings one in', () => {
  const server = nameServer()
  register(server)
  const route = ask(server.routes, getRouteInfoByTopic, { topic: 'T' }).body!
  assert.equal(ask(server.routes, registerTopicInNamesrv, { topic: 'N' }, { body: route }).code, 0)
  assert.equal(text(ask(server.routes, getRouteInfoByTopic, { topic: 'N' })), Buffer.from(route).toString())
  ask(server.routes, deleteTopicInNamesrv, { topic: 'T', clusterName: 'other' })
  assert.equal(ask(server.routes, getRouteInfoByTopic, { topic: 'T' }).code, 0)
  ask(server.routes, deleteTopicInNamesrv, { topic: 'T' })
  assert.equal(ask(server.routes, getRouteInfoByTopic, { topic: 'T' }).code, 17)
})

test('106 answers clusters with their brokers', () => {
  const server = nameServer()
  register(server)
  assert.equal(
    text(ask(server.routes, getBrokerClusterInfo, {})),
    '{"brokerAddrTable":{"b1":{"brokerAddrs":{"0":"10.0.0.1:10911"},"brokerName":"b1","cluster":"c1"}},"clusterAddrTable":{"c1":["b1"]}}',
  )
})

test('KV values are put, got, listed and deleted; what is not there is 22', async () => {
  const { routes } = nameServer()
  const at = { namespace: 'n', key: 'k' }
  assert.equal(ask(routes, getKvConfig, at).code, 22)
  assert.equal(ask(routes, getKvListByNamespace, { namespace: 'n' }).code, 22)
  assert.equal((await askLater(routes, putKvConfig, { ...at, value: 'v=1' })).code, 0)
  assert.deepEqual(ask(routes, getKvConfig, at).header, { value: 'v=1' })
  assert.equal(text(ask(routes, getKvListByNamespace, { namespace: 'n' })), '{"table":{"k":"v=1"}}')
  assert.equal((await askLater(routes, deleteKvConfig, at)).code, 0)
  assert.equal(ask(routes, getKvConfig, at).code, 22)
  assert.equal((await askLater(routes, deleteKvConfig, at)).code, 0)
})

describe('318 and 319', () => {
  const update = ({ routes }: ReturnType<typeof nameServer>, properties: string) =>
    ask(routes, updateNamesrvConfig, {}, { body: Buffer.from(properties) })

  test('all options are told as properties', () => {
    assert.match(
      text(ask(nameServer().routes, getNamesrvConfig, {})),
      /^listenPort=9876$[\s\S]*^orderMessageEnable=false$/m,
    )
  })

  test('a live option is changed, told, and handed on to be kept; an unknown key is refused', () => {
    const server = nameServer()
    assert.equal(update(server, 'orderMessageEnable=true\nnoSuchKey=1\n').code, 1)
    assert.equal(update(server, 'orderMessageEnable=true\n').code, 0)
    assert.match(text(ask(server.routes, getNamesrvConfig, {})), /^orderMessageEnable=true$/m)
    assert.deepEqual(server.kept, [new Map([['orderMessageEnable', 'true']])])
  })

  test('paths may not be changed from afar, and nothing of such an update is taken', () => {
    const server = nameServer()
    assert.equal(update(server, 'orderMessageEnable=true\nkvConfigPath=/etc/passwd\n').code, 16)
    assert.match(text(ask(server.routes, getNamesrvConfig, {})), /^orderMessageEnable=false$/m)
  })

  test('an option that counts at the start only is refused with the key, unless it stays as it is', () => {
    const server = nameServer()
    const reply = update(server, 'listenPort=9877\n')
    assert.equal(reply.code, 1)
    assert.match(reply.remark ?? '', /listenPort/)
    assert.equal(update(server, 'listenPort=9876\n').code, 0)
    assert.deepEqual(server.kept, [])
  })

  test('a value that the option does not take is refused with what it must be', () => {
    const reply = update(nameServer(), 'orderMessageEnable=maybe\n')
    assert.equal(reply.code, 1)
    assert.match(reply.remark ?? '', /orderMessageEnable is "maybe" and must be true or false/)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeBatch,
  invokeBrokerToResetOffset,
  popMessage,
  queryAssignment,
  queryMessage,
  ResponseCode,
  recallMessage,
  registerBroker,
  sendReplyMessageV2,
  subscriptionData,
  unregisterBroker,
  updateBrokerConfig,
} from '@skua-mq/protocol'
import { ok, RemotingServer, route } from '@skua-mq/remoting'
import { simRuntime } from '@skua-mq/runtime'
import { brokerOptions } from '../../src/index.ts'
import { pullFrame, RawPeer } from '../raw-peer.ts'
import { type Peer, World } from '../world.ts'

const liveKeys = Object.entries(brokerOptions)
  .filter(([, { live }]) => live)
  .map(([key]) => key)

/** Read elsewhere, where another test is. */
const elsewhere: Readonly<Record<string, string>> = {
  haCopyWholeLog: 'a slave reads it (packages/skua/test/whole-log.test.ts)',
  haCopyBytesPerSecond: 'a slave reads it (packages/skua/test/whole-log.test.ts)',
  queueSyncAtStopMs: 'a stop reads it (packages/store/test/hurried-stop.test.ts)',
  logLevel: 'the command asks for each event (packages/skua/test/command.test.ts)',
}

const set = (peer: Peer, properties: string) => peer.ask(updateBrokerConfig, {}, properties)

/** Notes who is read from now on, by whatever part of the broker: they all read one object, or one that has it as its prototype. */
function watched(config: object): Set<string> {
  const read = new Set<string>()
  for (const key of liveKeys) {
    let value = (config as Record<string, unknown>)[key]
    Object.defineProperty(config, key, {
      get() {
        read.add(key)
        return value
      },
      set(changed: unknown) {
        value = changed
      },
      enumerable: true,
    })
  }
  return read
}

test('every key that is marked live is read by the running broker, and not only at its start', async () => {
  const world = await new World({
    ...{ logRingBytes: 4096, logChunkBytes: 1024, logReadBytes: 0, queueBlockBytes: 0 },
    ...{
      brokerRole: 'SYNC_MASTER',
      slaveTimeout: 100,
      enablePropertyFilter: true,
      enableRetryTopicV2: true,
      mappedFileSizeCommitLog: 64 * 1024,
    },
  }).start()
  const read = watched(world.broker.config)
  const peer = world.client('client')
  await set(peer, 'namesrvAddr=10.9.9.9:9876\naccessMessageInMemoryMaxRatio=0\nautoCreateTopicEnable=false\n')
  await set(peer, `autoCreateTopicEnable=true\ndeleteWhen=${[...Array(24).keys()].join(';')}\n`)
  await messages(world, peer)
  await reads(world, peer)
  await timers(world, peer)
  await pops(world, peer)
  await others(world, peer)
  world.runtime.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
  await peer.send('T', 'fails')
  await world.pass(75_000)
  const unread = liveKeys.filter(key => !read.has(key) && elsewhere[key] === undefined)
  assert.deepEqual(unread, [])
  await world.stop()
})

async function messages(world: World, peer: Peer): Promise<void> {
  const { clock, network } = world.runtime
  const { net } = simRuntime({ seed: 9, host: 'slave', clock, network })
  const [host = ''] = world.address.split(':')
  const slave = await world.settle(net.connect({ host, port: world.broker.config.listenPort + 1 }))
  slave.start({ data: () => {}, drained: () => {}, closed: () => {} })
  slave.write([Buffer.alloc(8)])
  await world.pass(1000)
  await peer.send('T', 'one', { properties: { KEYS: 'k' } })
  await peer.sendBatch('T', encodeBatch([{ flag: 0, body: Buffer.from('b'), properties: '' }] as never))
  for (let i = 0; i < 10; i++) await peer.send('T', 'x'.repeat(20_000))
  await peer.send('T', 'half', { sysFlag: 4, properties: { TRAN_MSG: 'true', PGROUP: 'p', UNIQ_KEY: 'u' } })
  await world.pass(8000)
}

async function reads(world: World, peer: Peer): Promise<void> {
  await peer.consume('g', ['T', subscriptionData({ topic: 'U', expression: 'a > 1', type: 'SQL92', subVersion: 1 })!])
  const raw = await RawPeer.open(world)
  raw.write(pullFrame(1, { queueOffset: '0' }))
  raw.write(pullFrame(2, { queueOffset: '10' }))
  raw.write(pullFrame(3, { queueOffset: '12', sysFlag: '6' }))
  raw.write(pullFrame(4, { topic: '%RETRY%g', queueOffset: '0' }))
  raw.write(pullFrame(5, { expressionType: 'SQL92', subscription: 'a > 1' }))
  await world.pass(20_000)
  await set(peer, 'accessMessageInMemoryMaxRatio=40\nlongPollingEnable=false\n')
  raw.write(pullFrame(6, { queueOffset: '10' }))
  raw.write(pullFrame(7, { queueOffset: '12', sysFlag: '6' }))
  await world.pass(20_000)
}

async function timers(world: World, peer: Peer): Promise<void> {
  await peer.send('T', 'later', { properties: { TIMER_DELAY_SEC: '3', UNIQ_KEY: 'timed' } })
  const handle = Buffer.from(`v1 T broker-a ${world.runtime.clock.now() + 3000} timed`).toString('base64url')
  await peer.ask(recallMessage, { producerGroup: 'p', topic: 'T', recallHandle: handle } as never)
  await world.pass(5000)
}

async function pops(world: World, peer: Peer): Promise<void> {
  const at = { consumerGroup: 'p', topic: 'T', queueId: -1, maxMsgNums: 32, invisibleTime: 10_000, pollTime: 5000 }
  const popped = peer.ask(popMessage, { ...at, bornTime: world.runtime.clock.now(), initMode: 0, order: false })
  await world.pass(15_000)
  await popped
  // What was not acknowledged comes again, out of the retry topic; there is nothing behind it, so that the last one is held.
  for (let i = 0; i < 3; i++) {
    const again = peer.ask(popMessage, { ...at, bornTime: world.runtime.clock.now(), initMode: 0, order: false })
    await world.pass(10_000)
    await again
  }
  const asked = { topic: 'T', consumerGroup: 'p', clientId: 'client', strategyName: 'AVG', messageModel: 'CLUSTERING' }
  await peer.ask(queryAssignment, {}, queryAssignment.body!.encode(asked as never))
}

async function others(world: World, peer: Peer): Promise<void> {
  const now = world.runtime.clock.now()
  await peer.ask(queryMessage, { topic: 'T', key: 'k', maxNum: 1, beginTimestamp: 0, endTimestamp: now + 1 })
  await peer.ask(invokeBrokerToResetOffset, { topic: 'T', group: 'g', timestamp: 0, isForce: true } as never)
  const reply = {
    ...{ producerGroup: 'p', topic: 'DefaultCluster_REPLY_TOPIC', defaultTopic: 'TBW102', defaultTopicQueueNums: 1 },
    ...{ queueId: 0, sysFlag: 0, bornTimestamp: now, flag: 0, properties: 'REPLY_TO_CLIENT\x01nobody\x02' },
    ...{ reconsumeTimes: 0, unitMode: false, batch: false },
  }
  await peer.ask(sendReplyMessageV2, reply, Buffer.from('answer'))
}

async function made(config: ConstructorParameters<typeof World>[0] = {}) {
  const world = await new World(config).start()
  const peer = world.client('client')
  await peer.send('T', 'made')
  return { world, peer }
}

/** A key that is changed, and what is otherwise afterwards. */
const effects: Record<string, (at: { world: World; peer: Peer }) => Promise<void>> = {
  'brokerPermission=2': async ({ world }) => {
    const raw = await heldPull(world)
    await world.pass(100)
    assert.equal(raw.replies[0]?.code, ResponseCode.noPermission)
  },
  // As in RocketMQ, a topic that is there goes on.
  'brokerPermission=4': async ({ peer }) =>
    assert.deepEqual(
      [(await peer.send('T', 'x')).code, (await peer.send('New', 'x')).code],
      [0, ResponseCode.noPermission],
    ),
  'autoCreateTopicEnable=false': async ({ peer }) =>
    assert.equal((await peer.send('New', 'x')).code, ResponseCode.topicNotExist),
  'maxMessageSize=10': async ({ peer }) =>
    assert.equal((await peer.send('T', 'x'.repeat(11))).code, ResponseCode.messageIllegal),
  'flushDiskType=SYNC_FLUSH': async ({ world, peer }) => {
    world.runtime.disk.faults.slow({ on: 'sync', ms: 400, path: 'commitlog' })
    const begun = world.runtime.clock.monotonic()
    assert.equal((await peer.send('T', 'x')).code, 0)
    assert.ok(world.runtime.clock.monotonic() - begun >= 400)
    world.runtime.disk.faults.clear()
  },
  'longPollingEnable=false': async ({ world }) => {
    const raw = await heldPull(world)
    await world.pass(1600)
    assert.equal(raw.replies[0]?.code, ResponseCode.pullNotFound)
  },
  'maxPullHoldMs=3000': async ({ world }) => {
    const raw = await heldPull(world)
    await world.pass(2900)
    assert.equal(raw.replies.length, 0)
    await world.pass(700)
    assert.equal(raw.replies[0]?.code, ResponseCode.pullNotFound)
  },
  'rejectTransactionMessage=true': async ({ peer }) => {
    const properties = { TRAN_MSG: 'true', PGROUP: 'p' }
    assert.equal((await peer.send('T', 'x', { sysFlag: 4, properties })).code, ResponseCode.noPermission)
  },
  'regionId=there': async ({ world, peer }) => {
    await set(peer, 'traceOn=false\n')
    const raw = await RawPeer.open(world)
    raw.write(sendFrame())
    await world.pass(100)
    assert.deepEqual(
      [raw.replies[0]?.extFields['MSG_REGION'], raw.replies[0]?.extFields['TRACE_ON']],
      ['there', 'false'],
    )
  },
}

const heldPull = async (world: World) => {
  const raw = await RawPeer.open(world)
  raw.write(pullFrame(1, { queueOffset: '1', sysFlag: '6', suspendTimeoutMillis: '60000' }))
  return raw
}

function sendFrame(): Buffer {
  const fields = {
    ...{ a: 'p', b: 'T', c: 'TBW102', d: '4', e: '0', f: '0', g: '1', h: '0', i: '', j: '0', k: 'false', m: 'false' },
  }
  const header = Buffer.from(
    JSON.stringify({ code: 310, extFields: fields, flag: 0, language: 'JAVA', opaque: 1, version: 409 }),
  )
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length + 1, 0)
  head.writeInt32BE(header.length, 4)
  return Buffer.concat([head, header, Buffer.from('x')])
}

for (const [change, proves] of Object.entries(effects)) {
  test(`25 with ${change} works at once`, async () => {
    const at = await made()
    assert.equal((await set(at.peer, `${change}\n`)).code, 0)
    await proves(at)
    await at.world.stop()
  })
}

test('fileReservedTime, deleteWhen and the ratios of the disk are taken at the next round of retention', async () => {
  const { world, peer } = await made({ mappedFileSizeCommitLog: 64 * 1024 })
  const files = () => world.runtime.disk.list('/store/commitlog').length
  for (let i = 0; i < 10; i++) await peer.send('T', 'x'.repeat(30_000))
  const before = files()
  await world.pass(2 * 3_600_000)
  assert.equal(files(), before)
  const hour = new Date(world.runtime.clock.now()).getHours()
  await set(peer, `fileReservedTime=1\ndeleteWhen=${(hour + 3) % 24}\n`)
  await world.pass(60_000)
  assert.equal(files(), before, 'not yet the hour')
  await set(peer, `deleteWhen=${hour};${(hour + 1) % 24}\n`)
  await world.pass(120_000)
  assert.ok(files() < before, `${files()} of ${before}`)
  await world.stop()
})

test('namesrvAddr: the new ones hear of the broker at once, and one that is left hears that it is gone', async () => {
  const world = new World({ namesrvAddr: 'one:9876' })
  const { clock, network } = world.runtime
  const heard: string[] = []
  const servers = ['one', 'two'].map(
    name =>
      new RemotingServer({
        ...simRuntime({ seed: 5, host: name, clock, network }),
        name,
        listen: [{ host: network.addressOf(name), port: 9876 }],
        routes: [
          route(registerBroker, () => {
            heard.push(`${name} +`)
            return ok({})
          }),
          route(unregisterBroker, () => {
            heard.push(`${name} -`)
            return ok({})
          }),
        ],
      }),
  )
  for (const server of servers) await world.settle(server.start())
  await world.start()
  await world.pass(1000)
  assert.deepEqual(new Set(heard), new Set(['one +']))
  heard.length = 0
  await set(world.client('tool'), 'namesrvAddr=two:9876\n')
  await world.pass(1000)
  assert.deepEqual(new Set(heard), new Set(['one -', 'two +']))
  await world.stop()
  for (const server of servers) await world.settle(server.stop())
})

test('a key that is not live, or does nothing here, is refused by 25 with a remark that says so', async () => {
  const { world, peer } = await made()
  for (const [change, remark] of [
    ['listenPort=6000', /listenPort takes effect at the start only/],
    ['sendMessageThreadPoolNums=9', /sendMessageThreadPoolNums has no effect here/],
    ['fileReservdTime=9', /did you mean fileReservedTime\?/],
    ['deleteWhen=25', /must be hours of the day/],
  ] as const) {
    const reply = await set(peer, `${change}\n`)
    assert.equal(reply.code, ResponseCode.systemError)
    assert.match(reply.remark ?? '', remark)
  }
  await world.stop()
})

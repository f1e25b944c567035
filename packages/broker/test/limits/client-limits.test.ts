import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { queryConsumerOffset, ResponseCode, updateBrokerConfig } from '@skua-mq/protocol'
import { Account, Accounts, type Asking, ok, RemotingClient, RemotingServer, route } from '@skua-mq/remoting'
import { type Event, EventHub, nodeRuntime, SimClock } from '@skua-mq/runtime'
import { ClientAddresses, goneMs, maxGoneAddresses } from '../../src/limits/client-addresses.ts'
import { ClientLimits, type ClientRates, maxToldAtOnce } from '../../src/limits/client-limits.ts'
import { clientNetwork } from '../../src/limits/client-network.ts'
import { jsonFrame, pullFrame, RawPeer } from '../raw-peer.ts'
import { World } from '../world.ts'

const none: ClientRates = {
  maxRequestsPerSecondPerConnection: 0,
  maxBytesPerSecondPerConnection: 0,
  maxRequestsPerSecondPerAddress: 0,
  maxBytesPerSecondPerAddress: 0,
  maxConnectionsPerAddress: 0,
}

const frame = (code: number, opaque: number, body?: Uint8Array, extFields: Record<string, string> = {}) =>
  jsonFrame(
    `{"code":${code},"extFields":${JSON.stringify(extFields)},"flag":0,"language":"JAVA","opaque":${opaque},"version":409}`,
    body,
  )
const members = { consumerGroup: 'g' }
/** Any request, as cheap as there is: code 1, since nobody of the group is there. */
const small = (opaque: number) => frame(38, opaque, undefined, members)

const codes = (peer: RawPeer) => peer.replies.map(({ code }) => code)
const times = (count: number, of: (index: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => of(i)))
const named = (world: World, name: string) =>
  world.events.filter(event => event.name === name).map(({ fields }) => fields)

test('maxRequestsPerSecondPerConnection: what is more gets code 2 and its cause, a pull 215; others have their own, and a second later it goes on', async () => {
  const world = await new World({ maxRequestsPerSecondPerConnection: 10 }).start()
  const [greedy, innocent] = [await RawPeer.open(world, 'greedy'), await RawPeer.open(world, 'greedy')]
  greedy.write(Buffer.concat([times(12, small), pullFrame(99)]))
  innocent.write(small(1))
  await world.pass(20)
  assert.deepEqual(codes(greedy), [...Array(10).fill(1), 2, 2, ResponseCode.flowControl])
  assert.equal(
    greedy.replies.at(-1)?.remark,
    '[OVERLOAD]this connection has more than 10 requests in a second (maxRequestsPerSecondPerConnection)',
  )
  assert.deepEqual(codes(innocent), [1])
  await world.pass(1000)
  greedy.write(times(10, small))
  await world.pass(20)
  assert.deepEqual(codes(greedy).slice(13), Array(10).fill(1))
  const told = named(world, 'requests refused at a limit')
  assert.deepEqual(told, [{ address: greedy.socket.local.host, limit: 'maxRequestsPerSecondPerConnection', value: 10 }])
  await world.stop()
})

test('maxRequestsPerSecondPerAddress: all connections of an address share it, another address does not', async () => {
  const world = await new World({ maxRequestsPerSecondPerAddress: 10 }).start()
  const [one, two, innocent] = [
    await RawPeer.open(world, 'greedy'),
    await RawPeer.open(world, 'greedy'),
    await RawPeer.open(world, 'innocent'),
  ]
  one.write(times(8, small))
  await world.pass(1)
  two.write(times(8, small))
  innocent.write(times(10, small))
  await world.pass(20)
  assert.deepEqual([codes(one).filter(code => code === 2).length, codes(two).filter(code => code === 2).length], [0, 6])
  assert.match(two.replies.at(-1)?.remark ?? '', /the address \S+ has more than 10 requests.*PerAddress/)
  assert.deepEqual(codes(innocent), Array(10).fill(1))
  await world.stop()
})

test('whoever hangs up and comes again has no fresh second', async () => {
  const world = await new World({ maxRequestsPerSecondPerAddress: 10 }).start()
  const before = await RawPeer.open(world, 'greedy')
  before.write(times(10, small))
  await world.pass(10)
  before.socket.destroy()
  await world.pass(10)
  const again = await RawPeer.open(world, 'greedy')
  again.write(times(5, small))
  await world.pass(10)
  assert.ok(codes(again).filter(code => code === 2).length >= 4, String(codes(again)))
  await world.stop()
})

test('maxBytesPerSecondPerConnection: one large message passes and its time is waited out; nobody else waits', async () => {
  const world = await new World({ maxBytesPerSecondPerConnection: 10_000 }).start()
  const [large, innocent] = [await RawPeer.open(world, 'large'), await RawPeer.open(world, 'large')]
  large.write(frame(38, 1, Buffer.alloc(30_000), members))
  await world.pass(100)
  large.write(small(2))
  innocent.write(small(1))
  await world.pass(1000)
  assert.deepEqual([codes(large), codes(innocent)], [[1, 2], [1]])
  assert.match(large.replies[1]?.remark ?? '', /more than 10000 bytes in a second \(maxBytesPerSecondPerConnection\)/)
  await world.pass(1500)
  large.write(small(3))
  await world.pass(100)
  assert.deepEqual(codes(large), [1, 2, 1])
  await world.stop()
})

test('maxBytesPerSecondPerAddress: all connections of an address share it, another address does not', async () => {
  const world = await new World({ maxBytesPerSecondPerAddress: 10_000 }).start()
  const [one, two] = [await RawPeer.open(world, 'greedy'), await RawPeer.open(world, 'greedy')]
  const innocent = await RawPeer.open(world, 'innocent')
  one.write(frame(38, 1, Buffer.alloc(12_000), members))
  await world.pass(10)
  two.write(small(1))
  innocent.write(small(1))
  await world.pass(10)
  assert.deepEqual([codes(one), codes(two), codes(innocent)], [[1], [2], [1]])
  await world.stop()
})

test('heartbeats pass where other requests are refused, and have an end, too', async () => {
  const world = await new World({ maxRequestsPerSecondPerConnection: 5 }).start()
  const beat = (opaque: number) =>
    frame(34, opaque, Buffer.from('{"clientID":"c","consumerDataSet":[],"producerDataSet":[{"groupName":"p"}]}'))
  const peer = await RawPeer.open(world)
  peer.write(Buffer.concat([times(6, small), times(6, beat)]))
  await world.pass(10)
  assert.deepEqual(codes(peer), [1, 1, 1, 1, 1, 2, 0, 0, 0, 0, 0, 2])
  await world.stop()
})

test('maxConnectionsPerAddress: one more is closed and told once a minute; another address comes in, and one that left makes room', async () => {
  const world = await new World({ maxConnectionsPerAddress: 2 }).start()
  const held = [await RawPeer.open(world, 'greedy'), await RawPeer.open(world, 'greedy')]
  const tooMany = [await RawPeer.open(world, 'greedy'), await RawPeer.open(world, 'greedy')]
  const innocent = await RawPeer.open(world, 'innocent')
  for (const peer of [...held, innocent]) peer.write(small(1))
  await world.pass(100)
  assert.deepEqual(
    [...held, ...tooMany, innocent].map(({ closed }) => closed),
    [false, false, true, true, false],
  )
  assert.deepEqual(codes(innocent), [1])
  const name = 'connection refused at a limit'
  const line = { address: held[0]!.socket.local.host, limit: 'maxConnectionsPerAddress', value: 2 }
  assert.deepEqual(named(world, name), [line])
  await world.pass(60_000)
  await RawPeer.open(world, 'greedy')
  await world.pass(100)
  assert.deepEqual(named(world, name), [line, line])
  held[0]!.socket.destroy()
  await world.pass(100)
  const next = await RawPeer.open(world, 'greedy')
  next.write(small(1))
  await world.pass(100)
  assert.deepEqual([next.closed, codes(next)], [false, [1]])
  await world.stop()
})

test('all of it is live: switched on, raised and switched off by request 25', async () => {
  const world = await new World().start()
  const tool = world.client('tool')
  const set = (line: string) => tool.ask(updateBrokerConfig, {}, line)
  const peer = await RawPeer.open(world)
  const refused = async (count: number) => {
    peer.replies.length = 0
    peer.write(times(count, small))
    await world.pass(20)
    return codes(peer).filter(code => code === 2).length
  }
  assert.equal(await refused(20), 0)
  await set('maxRequestsPerSecondPerConnection=5\n')
  assert.equal(await refused(20), 15)
  await set('maxRequestsPerSecondPerConnection=0\n')
  assert.equal(await refused(20), 0)
  await set('maxBytesPerSecondPerConnection=1000000\n')
  assert.equal(await refused(20), 0, 'what came before is no debt')
  await set('maxConnectionsPerAddress=1\n')
  const more = await RawPeer.open(world)
  await world.pass(100)
  assert.equal(more.closed, true)
  await world.stop()
})

test('a gate that is off is not asked', async () => {
  let asked = 0
  const listeners: (() => void)[] = []
  const gate = {
    isOn: false,
    admit: () => {
      asked++
      return undefined
    },
    onSwitch: (run: () => void) => listeners.push(run),
  }
  const runtime = nodeRuntime()
  const server = new RemotingServer({
    ...{ ...runtime, name: 'test', listen: [{ host: '127.0.0.1', port: 0 }], gates: [gate] },
    routes: [route(queryConsumerOffset, () => ok({ offset: 1 }))],
  })
  await server.start()
  const client = new RemotingClient(runtime)
  const to = `127.0.0.1:${server.addresses[0]!.port}`
  const request = () => client.request(to, queryConsumerOffset, { consumerGroup: 'g', topic: 'T', queueId: 0 })
  try {
    await request()
    assert.equal(asked, 0)
    gate.isOn = true
    for (const run of listeners) run()
    await request()
    assert.equal(asked, 1)
  } finally {
    await client.close()
    await server.stop()
  }
})

test('over real sockets: the third connection of an address is closed, the two before it are served', async () => {
  const runtime = nodeRuntime()
  const seen: Event[] = []
  const events = new EventHub()
  events.subscribe(event => seen.push(event))
  const limits = new ClientLimits(
    { ...none, maxConnectionsPerAddress: 2 },
    { events, now: () => runtime.clock.monotonic() },
  )
  const server = new RemotingServer({
    ...{ ...runtime, name: 'test', listen: [{ host: '127.0.0.1', port: 0 }], gates: [limits], doors: [limits] },
    routes: [route(queryConsumerOffset, () => ok({ offset: 1 }))],
  })
  await server.start()
  const { port } = server.addresses[0]!
  const sockets = [1, 2].map(() => connect(port, '127.0.0.1'))
  await Promise.all(sockets.map(socket => new Promise(resolve => socket.once('connect', resolve))))
  try {
    while (server.connectionCount < 2) await new Promise(resolve => setTimeout(resolve, 5))
    const third = connect(port, '127.0.0.1')
    await new Promise(resolve => third.on('error', () => {}).once('close', resolve))
    const answered = new Promise<Buffer>(resolve => sockets[0]!.once('data', resolve))
    sockets[0]!.write(frame(14, 7, undefined, { consumerGroup: 'g', topic: 'T', queueId: '0' }))
    assert.match((await answered).toString('latin1'), /"opaque":7/)
    assert.deepEqual(
      seen.filter(({ name }) => name === 'connection refused at a limit').map(({ fields }) => fields['address']),
      ['127.0.0.1'],
    )
  } finally {
    for (const socket of sockets) socket.destroy()
    await server.stop()
  }
})

test('an IPv6 network of 64 bits is one address', () => {
  assert.equal(clientNetwork('10.1.2.3'), '10.1.2.3')
  assert.equal(clientNetwork('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(clientNetwork('2001:db8:1:2::9'), '2001:db8:1:2::/64')
  assert.notEqual(clientNetwork('2001:db8:1:3::9'), clientNetwork('2001:db8:1:2::9'))
})

test('addresses that are gone are forgotten, the oldest first, and all of them after a while', () => {
  const addresses = new ClientAddresses()
  for (let i = 0; i < maxGoneAddresses + 50; i++) addresses.leave(addresses.enter(`a${i}`), 0)
  assert.equal(addresses.size, maxGoneAddresses)
  addresses.leave(addresses.enter('last'), goneMs)
  assert.equal(addresses.size, 1)
})

test('lines are bounded, however many addresses are refused', () => {
  const clock = new SimClock()
  let lines = 0
  const events = { emit: () => lines++ }
  const limits = new ClientLimits({ ...none, maxConnectionsPerAddress: 1 }, { events, now: () => clock.monotonic() })
  const accounts = new Accounts()
  for (let i = 0; i < maxToldAtOnce + 50; i++) {
    const remote = { host: `10.0.${i >> 8}.${i & 255}`, port: 1 }
    const asking: Asking = { account: new Account(accounts), remote }
    limits.entered(asking)
    assert.equal(limits.admits(remote), false)
  }
  assert.equal(lines, maxToldAtOnce)
})

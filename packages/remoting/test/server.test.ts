import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  hotPull,
  hotSend,
  type PullView,
  queryConsumerOffset,
  ResponseCode,
  type SendView,
  sendMessageV2,
  writeFields,
} from '@skua-mq/protocol'
import { type Event, EventHub, type SimRuntime, simRuntime } from '@skua-mq/runtime'
import {
  hotRoute,
  ok,
  RemotingClient,
  RemotingServer,
  type RemotingServerParts,
  type ReplyToken,
  route,
} from '../src/index.ts'
import { ask, port, rawPeer } from './raw-peer.ts'

async function world(parts: Partial<RemotingServerParts> = {}) {
  const events = new EventHub()
  const seen: Event[] = []
  events.subscribe(event => seen.push(event))
  const runtime = simRuntime({ seed: 1, events })
  const server = new RemotingServer({
    ...runtime,
    name: 'test',
    listen: [{ host: runtime.network.addressOf('host'), port }],
    routes: [route(queryConsumerOffset, ({ queueId }) => ok({ offset: queueId * 10 }))],
    ...parts,
  })
  await settle(runtime, server.start())
  return { runtime, server, seen }
}

function settle<T>(runtime: SimRuntime, promise: Promise<T>): Promise<T> {
  return runtime.clock.until(promise)
}

test('answers in the form of the request, matched by opaque, however the bytes are cut', async () => {
  const { runtime } = await world()
  const { socket, replies } = await rawPeer(runtime)
  const bytes = Buffer.concat([ask(1), ask(2, { form: 1 }), ask(3)])
  for (const byte of bytes) {
    socket.write([Buffer.of(byte)])
    runtime.clock.advance(1)
  }
  await runtime.clock.advanceAsync(50)
  assert.deepEqual(
    replies.map(reply => [reply.opaque, reply.form, reply.code, reply.extFields['offset']]),
    [
      [1, 0, 0, '10'],
      [2, 1, 0, '20'],
      [3, 0, 0, '30'],
    ],
  )
})

test('says 3 to an unknown code, 1 with the field’s name to a bad header, and nothing to a one-way request', async () => {
  const { runtime } = await world()
  const { socket, replies } = await rawPeer(runtime)
  socket.write([
    ask(1, { code: 9999 }),
    ask(2, { extFields: { topic: 't', queueId: '1' } }),
    ask(3, { flag: 2 }),
    ask(4, { code: 9998, flag: 2 }),
    ask(5),
  ])
  await runtime.clock.advanceAsync(50)
  assert.deepEqual(
    replies.map(reply => [reply.opaque, reply.code]),
    [
      [1, ResponseCode.requestCodeNotSupported],
      [2, ResponseCode.systemError],
      [5, 0],
    ],
  )
  assert.match(replies[1]?.remark ?? '', /consumerGroup/)
})

test('a handler that throws costs its own request code 1, and an event', async () => {
  const { runtime, seen } = await world({
    routes: [
      route(queryConsumerOffset, () => {
        throw new TypeError('broken')
      }),
    ],
  })
  const { socket, replies } = await rawPeer(runtime)
  socket.write([ask(1)])
  await runtime.clock.advanceAsync(50)
  assert.equal(replies[0]?.code, ResponseCode.systemError)
  assert.match(replies[0]?.remark ?? '', /broken/)
  assert.equal(seen.filter(event => event.name === 'request handler failed').length, 1)
})

test('a bad frame closes that connection with one event, and no other', async () => {
  const { runtime, seen } = await world()
  const bad = await rawPeer(runtime)
  const good = await rawPeer(runtime)
  bad.socket.write([Buffer.from('GET / HTTP/1.1\r\n\r\n')])
  await runtime.clock.advanceAsync(50)
  good.socket.write([ask(1)])
  await runtime.clock.advanceAsync(50)
  assert.equal(bad.state.closed, true)
  assert.equal(good.replies.length, 1)
  assert.equal(seen.filter(event => event.level === 'warn').length, 1)
})

test('a TLS handshake is told apart from a bad frame', async () => {
  const { runtime, seen } = await world()
  const { socket, state } = await rawPeer(runtime)
  socket.write([Buffer.from([0x16, 3, 1, 0, 200])])
  await runtime.clock.advanceAsync(50)
  assert.equal(state.closed, true)
  assert.ok(seen.some(event => event.name.startsWith('TLS handshake refused')))
})

test('a connection that is silent for idleMs is closed, one that talks is not', async () => {
  const { runtime } = await world({ limits: { idleMs: 10_000 } })
  const idle = await rawPeer(runtime)
  const busy = await rawPeer(runtime)
  for (let i = 0; i < 8; i++) {
    busy.socket.write([ask(1)])
    await runtime.clock.advanceAsync(3000)
  }
  assert.equal(idle.state.closed, true)
  assert.equal(busy.state.closed, false)
})

test('incomplete frames of all connections together are bounded by maxCarryBytes', async () => {
  const { runtime, server, seen } = await world({ limits: { maxCarryBytes: 100_000 } })
  const head = Buffer.alloc(60_000)
  head.writeInt32BE(16_000_000, 0)
  head.writeInt32BE(100, 4)
  const peers = [await rawPeer(runtime), await rawPeer(runtime)]
  for (const { socket } of peers) {
    socket.write([head])
    await runtime.clock.advanceAsync(100)
  }
  assert.deepEqual(
    peers.map(({ state }) => state.closed),
    [true, false],
  )
  assert.equal(server.connectionCount, 1)
  assert.ok(seen.some(event => event.fields['limit'] === 'maxCarryBytes'))
})

test('more connections than maxConnections are not taken', async () => {
  const { runtime, server } = await world({ limits: { maxConnections: 2 } })
  for (let i = 0; i < 3; i++) await rawPeer(runtime)
  await runtime.clock.advanceAsync(50)
  assert.equal(server.connectionCount, 2)
})

test('hot requests reach their handlers as views, and are answered by token in their form', async () => {
  const bodies: string[] = []
  const send = (view: SendView, token: ReplyToken) => {
    bodies.push(`${view.topic}:${view.body.toString('utf8', view.bodyStart, view.bodyEnd)}`)
    token.answer(ResponseCode.success, { json: out => out.ascii('"msgId":"M"'), binary: () => {} })
  }
  const pull = (view: PullView, token: ReplyToken) => {
    token.answer(ResponseCode.pullNotFound, undefined, { remark: `nothing in ${view.topic}` })
  }
  const { runtime } = await world({ hot: [hotRoute(hotSend, send), hotRoute(hotPull, pull)] })
  const { socket, replies } = await rawPeer(runtime)
  const header = writeFields(sendMessageV2.header, {
    producerGroup: 'pg',
    topic: 'T',
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    flag: 0,
    unitMode: false,
    batch: false,
  })
  socket.write([
    ask(1, { code: 310, extFields: header, body: Buffer.from('one') }),
    ask(2, { code: 310, extFields: { ...header, b: '' }, remark: 'x', body: Buffer.from('two') }),
  ])
  socket.write([
    ask(3, {
      code: 11,
      form: 1,
      extFields: {
        consumerGroup: 'g',
        topic: 'T',
        queueId: '0',
        queueOffset: '0',
        maxMsgNums: '1',
        sysFlag: '0',
        commitOffset: '0',
        suspendTimeoutMillis: '0',
        subVersion: '0',
      },
    }),
  ])
  await runtime.clock.advanceAsync(50)
  assert.deepEqual(bodies, ['T:one', ':two'])
  assert.deepEqual(
    replies.map(reply => [reply.opaque, reply.form, reply.code, reply.extFields['msgId'], reply.remark]),
    [
      [1, 0, 0, 'M', undefined],
      [2, 0, 0, 'M', undefined],
      [3, 1, 19, undefined, 'nothing in T'],
    ],
  )
})

test('a peer that does not read its answers is paused, then closed; slices are released either way', async () => {
  const slice = Buffer.alloc(50_000)
  let pinned = 0
  const pull = (_view: PullView, token: ReplyToken) => {
    pinned++
    token.answer(ResponseCode.success, undefined, { body: [slice], release: () => pinned-- })
  }
  const { runtime } = await world({
    hot: [hotRoute(hotPull, pull)],
    limits: { pauseAtUnsentBytes: 100_000, closeAtUnsentBytes: 1_000_000 },
  })
  const { socket, state } = await rawPeer(runtime)
  const request = ask(3, {
    code: 11,
    extFields: {
      consumerGroup: 'g',
      topic: 'T',
      queueId: '0',
      queueOffset: '0',
      maxMsgNums: '1',
      sysFlag: '0',
      commitOffset: '0',
      suspendTimeoutMillis: '0',
      subVersion: '0',
    },
  })
  socket.pause()
  for (let i = 0; i < 200 && !state.closed; i++) {
    socket.write([request])
    await runtime.clock.advanceAsync(5)
  }
  socket.resume()
  await runtime.clock.advanceAsync(1000)
  assert.equal(pinned, 0)
})

test('the client matches replies, times out, and shares one connection', async () => {
  const { runtime, server } = await world()
  const client = new RemotingClient(runtime)
  const address = `${runtime.network.addressOf('host')}:${port}`
  const asking = [1, 2, 3].map(queueId =>
    client.request(address, queryConsumerOffset, { consumerGroup: 'g', topic: 't', queueId }),
  )
  const replies = await settle(runtime, Promise.all(asking))
  assert.deepEqual(
    replies.map(reply => reply.header.offset),
    [10, 20, 30],
  )
  assert.equal(server.connectionCount, 1)
  const stopped = new AbortController()
  const aborted = client.request(
    address,
    queryConsumerOffset,
    { consumerGroup: 'g', topic: 't', queueId: 1 },
    { signal: stopped.signal },
  )
  aborted.catch(() => {})
  stopped.abort(new Error('enough'))
  await assert.rejects(settle(runtime, aborted), /enough/)
  await settle(runtime, client.close())
})

test('a call that nobody answers ends with ETIMEOUT, and one over a closed connection with ECLOSED', async () => {
  const { runtime, server } = await world({ routes: [route(queryConsumerOffset, () => new Promise<never>(() => {}))] })
  const client = new RemotingClient(runtime)
  const address = `${runtime.network.addressOf('host')}:${port}`
  const request = { consumerGroup: 'g', topic: 't', queueId: 1 }
  await assert.rejects(settle(runtime, client.request(address, queryConsumerOffset, request, { timeoutMs: 200 })), {
    code: 'ETIMEOUT',
  })
  const waiting = client.request(address, queryConsumerOffset, request, { timeoutMs: 60_000 })
  waiting.catch(() => {})
  await runtime.clock.advanceAsync(50)
  await settle(runtime, server.stop())
  await assert.rejects(settle(runtime, waiting), { code: 'ECLOSED' })
})

test('a request does not wait for a shared connect longer than its own time, and close does not wait at all', async () => {
  const runtime = simRuntime({ seed: 3 })
  const silent = runtime.network.addressOf('nobody')
  runtime.network.partition('host', 'nobody')
  const client = new RemotingClient({ ...runtime, connectTimeoutMs: 30_000 })
  const request = { consumerGroup: 'g', topic: 't', queueId: 1 }
  const patient = client.request(`${silent}:1`, queryConsumerOffset, request, { timeoutMs: 20_000 })
  patient.catch(() => {})
  const begun = runtime.clock.monotonic()
  await assert.rejects(
    settle(runtime, client.request(`${silent}:1`, queryConsumerOffset, request, { timeoutMs: 300 })),
    /ETIMEOUT|within 300 ms|refused|unreachable/i,
  )
  assert.ok(runtime.clock.monotonic() - begun <= 1000)
  await settle(runtime, client.close())
  assert.ok(runtime.clock.monotonic() - begun <= 1000)
})

test('an address that is closed while it is connected to leaves no connection behind, nor does the old one take the new away', async () => {
  const { runtime, server } = await world()
  const client = new RemotingClient(runtime)
  const address = `${runtime.network.addressOf('host')}:${port}`
  const request = { consumerGroup: 'g', topic: 't', queueId: 1 }
  const first = client.request(address, queryConsumerOffset, request)
  const refused = assert.rejects(first, { code: 'ECLOSED' })
  client.closeAddress(address)
  // Another way to the same address, beside the one that is given up.
  assert.equal((await settle(runtime, client.request(address, queryConsumerOffset, request))).header.offset, 10)
  await settle(runtime, refused)
  await runtime.clock.advanceAsync(1000)
  assert.equal(server.connectionCount, 1)
  await settle(runtime, client.request(address, queryConsumerOffset, request))
  assert.equal(server.connectionCount, 1)
  // One that is there is closed, and its end is told after the next one was begun.
  client.closeAddress(address)
  for (let i = 0; i < 3; i++) await settle(runtime, client.request(address, queryConsumerOffset, request))
  await runtime.clock.advanceAsync(1000)
  assert.equal(server.connectionCount, 1)
  await settle(runtime, client.close())
  await runtime.clock.advanceAsync(3000)
  assert.equal(server.connectionCount, 0)
})

test('a client with hundreds of large requests to be sent in a turn reads the answers that come meanwhile', async () => {
  const { runtime } = await world()
  const client = new RemotingClient(runtime)
  const address = `${runtime.network.addressOf('host')}:${port}`
  const body = Buffer.alloc(2000)
  const asking: Promise<unknown>[] = []
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 400; i++) {
      asking.push(
        client.request(address, queryConsumerOffset, { consumerGroup: 'g', topic: 't', queueId: i }, { body }),
      )
    }
    await runtime.clock.advanceAsync(0.3)
  }
  assert.equal((await settle(runtime, Promise.all(asking))).length, 16_000)
  await settle(runtime, client.close())
})

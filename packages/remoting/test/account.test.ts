import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hotPull, queryConsumerOffset, ResponseCode } from '@skua-mq/protocol'
import { type Event, EventHub, type SimRuntime, simRuntime } from '@skua-mq/runtime'
import { hotRoute, ok, RemotingClient, RemotingServer, type RemotingServerParts, route } from '../src/index.ts'
import { ask, port, rawPeer } from './raw-peer.ts'

async function world(
  parts: Partial<RemotingServerParts> = {},
  make?: (runtime: SimRuntime) => RemotingServerParts['routes'],
) {
  const events = new EventHub()
  const seen: Event[] = []
  events.subscribe(event => seen.push(event))
  const runtime = simRuntime({ seed: 1, events })
  runtime.network.splitChance = 0
  const server = new RemotingServer({
    ...runtime,
    name: 'test',
    listen: [{ host: runtime.network.addressOf('host'), port }],
    routes: make?.(runtime) ?? [route(queryConsumerOffset, ({ queueId }) => ok({ offset: queueId * 10 }))],
    ...parts,
  })
  await runtime.clock.until(server.start())
  const limits = () => seen.map(event => event.fields['limit']).filter(limit => limit !== undefined)
  return { runtime, server, seen, limits }
}

const pullFields = {
  consumerGroup: 'g',
  topic: 'T',
  queueId: '0',
  queueOffset: '0',
  maxMsgNums: '1',
  sysFlag: '0',
  commitOffset: '0',
  suspendTimeoutMillis: '0',
  subVersion: '0',
}
const pull = (opaque: number) => ask(opaque, { code: 11, extFields: pullFields })

/** Pulls are answered at once with so many bytes; counts what is pinned. */
function pullsOf(bytes: number) {
  const slice = Buffer.alloc(bytes)
  const counts = { pinned: 0, asked: 0 }
  const hot = [
    hotRoute(hotPull, (_view, token) => {
      counts.asked++
      counts.pinned++
      token.answer(ResponseCode.success, undefined, { body: [slice], release: () => counts.pinned-- })
    }),
  ]
  return { hot, counts }
}

test('many slow requests in one packet are handled a few in a turn, and a neighbour is answered between them', async () => {
  const { runtime } = await world({}, ({ clock }) => [
    route(queryConsumerOffset, ({ topic }) => {
      if (topic === 'slow') clock.block(4)
      return ok({ offset: clock.monotonic() })
    }),
  ])
  const hog = await rawPeer(runtime)
  const other = await rawPeer(runtime)
  const slow = Array.from({ length: 200 }, (_, i) =>
    ask(i, { extFields: { consumerGroup: 'g', topic: 'slow', queueId: '1' } }),
  )
  hog.socket.write([Buffer.concat(slow)])
  await runtime.clock.advanceAsync(2)
  const begun = runtime.clock.monotonic()
  other.socket.write([ask(1)])
  while (other.replies.length === 0) await runtime.clock.advanceAsync(1)
  assert.ok(runtime.clock.monotonic() - begun < 30, `${runtime.clock.monotonic() - begun} ms`)
  assert.ok(hog.replies.length < 20, `${hog.replies.length} of the other were before`)
  await runtime.clock.advanceAsync(2000)
  assert.deepEqual(
    hog.replies.map(reply => reply.opaque),
    slow.map((_, i) => i),
  )
})

test('twenty peers with slow requests share the turns: none is longer for being the last of them', async () => {
  const turns: number[] = []
  const { runtime } = await world({}, ({ clock }) => [
    route(queryConsumerOffset, ({ topic }) => {
      if (topic === 'slow') clock.block(2)
      return ok({ offset: clock.monotonic() })
    }),
  ])
  const slow = Buffer.concat(
    Array.from({ length: 50 }, (_, i) => ask(i, { extFields: { consumerGroup: 'g', topic: 'slow', queueId: '1' } })),
  )
  const hogs = []
  for (let i = 0; i < 20; i++) hogs.push(await rawPeer(runtime))
  const other = await rawPeer(runtime)
  for (const hog of hogs) hog.socket.write([slow])
  for (let i = 0; i < 30; i++) {
    const before = other.replies.length
    const begun = runtime.clock.monotonic()
    other.socket.write([ask(i)])
    while (other.replies.length === before) await runtime.clock.advanceAsync(0.5)
    turns.push(runtime.clock.monotonic() - begun)
  }
  assert.ok(Math.max(...turns) <= 75, `${Math.max(...turns)} ms`)
  for (const hog of hogs) while (hog.replies.length < 50) await runtime.clock.advanceAsync(10)
})

test('thirty peers that send one slow request after another wait for each other, and nobody who asks for little waits for them', async () => {
  const waits: number[] = []
  const { runtime } = await world({}, ({ clock }) => [
    route(queryConsumerOffset, ({ topic }) => {
      if (topic === 'slow') clock.block(2)
      return ok({ offset: clock.monotonic() })
    }),
  ])
  const slow = ask(1, { extFields: { consumerGroup: 'g', topic: 'slow', queueId: '1' } })
  const hogs = []
  for (let i = 0; i < 30; i++) hogs.push(await rawPeer(runtime))
  const other = await rawPeer(runtime)
  for (let i = 0; i < 60; i++) {
    // A packet each: it is the many peers that make the turn long, not what one has sent.
    for (const hog of hogs) hog.socket.write([slow])
    const before = other.replies.length
    const begun = runtime.clock.monotonic()
    other.socket.write([ask(i)])
    while (other.replies.length === before) await runtime.clock.advanceAsync(0.5)
    if (i > 2) waits.push(runtime.clock.monotonic() - begun)
  }
  assert.ok(Math.max(...waits) <= 40, `${Math.max(...waits)} ms`)
  for (const hog of hogs) while (hog.replies.length < 60) await runtime.clock.advanceAsync(10)
})

test('an answer that cannot be written is code 1 with the reason, now and after an await, and costs nobody else', async () => {
  for (const later of [false, true]) {
    const { runtime, seen } = await world({}, () => [
      route(queryConsumerOffset, ({ queueId }) => {
        const answer =
          queueId === 1 ? { ...ok({ offset: 1 }), extra: { ['n'.repeat(40_000)]: 'v' } } : ok({ offset: 7 })
        return later ? Promise.resolve(answer) : answer
      }),
    ])
    const { socket, replies, state } = await rawPeer(runtime)
    socket.write([Buffer.concat([ask(1, { form: 1 }), ask(2, { form: 1 })])])
    await runtime.clock.advanceAsync(50)
    assert.deepEqual(
      replies.map(reply => [reply.opaque, reply.code]),
      [
        [1, ResponseCode.systemError],
        [2, 0],
      ],
    )
    assert.match(replies[0]?.remark ?? '', /cannot be written: the name of an extField/)
    assert.equal(state.closed, false)
    assert.ok(seen.some(event => event.name === 'request handler failed'))
  }
})

test('a request of ours that cannot be written is refused to who asks, and waits for nothing', async () => {
  const { runtime } = await world()
  const client = new RemotingClient(runtime)
  const asked = client.request(
    `${runtime.network.addressOf('host')}:${port}`,
    queryConsumerOffset,
    { consumerGroup: 'g', topic: 't', queueId: 1 },
    { extra: { a: 'x'.repeat(300_000) } },
  )
  await assert.rejects(runtime.clock.until(asked), /maxHeaderBytes/)
  const told = client.tell(
    `${runtime.network.addressOf('host')}:${port}`,
    queryConsumerOffset,
    { consumerGroup: 'g', topic: 't', queueId: 1 },
    { extra: { a: 'x'.repeat(300_000) } },
  )
  await assert.rejects(runtime.clock.until(told), /maxHeaderBytes/)
  await runtime.clock.advanceAsync(10_000)
  await runtime.clock.until(client.close())
})

test('a remark that quotes what a peer sent is cut', async () => {
  const { runtime } = await world()
  const { socket, replies } = await rawPeer(runtime)
  socket.write([ask(1, { extFields: { consumerGroup: 'g', topic: 't', queueId: 'x'.repeat(200_000) } })])
  await runtime.clock.advanceAsync(50)
  assert.equal(replies[0]?.code, ResponseCode.systemError)
  assert.ok((replies[0]?.remark?.length ?? 0) < 300)
})

test('a connection with maxRunningRequests is read on when half of them are answered', async () => {
  const open: (() => void)[] = []
  let most = 0
  const { runtime } = await world({ limits: { maxRunningRequests: 10 } }, () => [
    route(queryConsumerOffset, ({ queueId }) => {
      return new Promise(resolve => {
        open.push(() => resolve(ok({ offset: queueId })))
        most = Math.max(most, open.length)
      })
    }),
  ])
  const { socket, replies } = await rawPeer(runtime)
  for (let i = 0; i < 100; i++) socket.write([ask(i)])
  await runtime.clock.advanceAsync(100)
  assert.equal(open.length, 10)
  for (let i = 0; i < 400 && replies.length < 100; i++) {
    open.shift()?.()
    await runtime.clock.advanceAsync(2)
  }
  assert.equal(replies.length, 100)
  assert.equal(most, 10)
})

test('above maxPendingRequests a request is refused before its handler begins, but not whose connection has none', async () => {
  let begun = 0
  const { runtime } = await world({ limits: { maxPendingRequests: 20 } }, () => [
    route(queryConsumerOffset, ({ queueId }) => {
      begun++
      return queueId === 99 ? ok({ offset: 1 }) : new Promise<never>(() => {})
    }),
  ])
  const hog = await rawPeer(runtime)
  const other = await rawPeer(runtime)
  for (let i = 0; i < 30; i++) hog.socket.write([ask(i)])
  await runtime.clock.advanceAsync(50)
  assert.equal(begun, 20)
  assert.equal(hog.replies.length, 10)
  assert.ok(hog.replies.every(reply => reply.code === ResponseCode.systemBusy))
  assert.match(hog.replies[0]?.remark ?? '', /maxPendingRequests \(20\)/)
  other.socket.write([ask(99)])
  await runtime.clock.advanceAsync(50)
  assert.equal(other.replies[0]?.code, 0)
})

test('a peer that never reads is owed no more than its bound; when it reads, it gets all that it asked for', async () => {
  const { hot, counts } = pullsOf(50_000)
  const { runtime } = await world({ hot, limits: { pauseAtUnsentBytes: 400_000 } })
  const hog = await rawPeer(runtime)
  const other = await rawPeer(runtime)
  hog.socket.pause()
  for (let i = 0; i < 50; i++) hog.socket.write([Buffer.concat(Array.from({ length: 20 }, (_, k) => pull(i * 20 + k)))])
  await runtime.clock.advanceAsync(500)
  assert.ok(counts.asked <= 12, `${counts.asked} answers of 50,000 bytes were made`)
  other.socket.write([ask(1)])
  await runtime.clock.advanceAsync(20)
  assert.equal(other.replies.length, 1)
  hog.socket.resume()
  await runtime.clock.advanceAsync(20_000)
  assert.equal(hog.replies.length, 1000)
  assert.equal(counts.pinned, 0)
})

test('answers that are not taken for a while pin nothing of the store, but those that the socket has', async () => {
  const { hot, counts } = pullsOf(40_000)
  const { runtime } = await world({ hot, limits: { pauseAtUnsentBytes: 1_000_000 } })
  const hog = await rawPeer(runtime)
  hog.socket.pause()
  for (let i = 0; i < 20; i++) {
    hog.socket.write([pull(i)])
    await runtime.clock.advanceAsync(5)
  }
  assert.ok(counts.pinned > 10, String(counts.pinned))
  await runtime.clock.advanceAsync(2000)
  assert.ok(counts.pinned <= 1, String(counts.pinned))
  hog.socket.resume()
  await runtime.clock.advanceAsync(1000)
  assert.deepEqual(
    hog.replies.map(reply => [reply.opaque, reply.body?.length]),
    Array.from({ length: 20 }, (_, i) => [i, 40_000]),
  )
  assert.equal(counts.pinned, 0)
})

test('above maxOwedBytes in sum who is owed most is closed, and above its share of the half nobody is read', async () => {
  const { hot, counts } = pullsOf(100_000)
  const { runtime, limits } = await world({ hot, limits: { maxOwedBytes: 1_600_000 } })
  const slow = [await rawPeer(runtime), await rawPeer(runtime), await rawPeer(runtime), await rawPeer(runtime)]
  for (const { socket } of slow) {
    socket.pause()
    for (let i = 0; i < 50; i++) socket.write([pull(i)])
    await runtime.clock.advanceAsync(20)
  }
  // A quarter of 800,000 each, and the answer that passes it.
  assert.ok(counts.asked <= 4 * 5, String(counts.asked))
  assert.deepEqual(limits(), [])
  const greedy = pullsOf(5_000_000)
  const second = await world({ hot: greedy.hot, limits: { maxOwedBytes: 8_000_000 } })
  const big = [await rawPeer(second.runtime), await rawPeer(second.runtime), await rawPeer(second.runtime)]
  for (const { socket } of big) {
    socket.pause()
    socket.write([pull(1)])
    await second.runtime.clock.advanceAsync(20)
  }
  for (const { socket } of big) socket.resume()
  await second.runtime.clock.advanceAsync(1000)
  assert.deepEqual(second.limits(), ['maxOwedBytes', 'maxOwedBytes'])
  assert.equal(big[2]?.state.closed, false)
})

test('a frame that is not complete after maxFrameMs ends its connection, and one that is slow but comes does not', async () => {
  const { runtime, limits } = await world({ limits: { maxFrameMs: 20_000 } })
  const stuck = await rawPeer(runtime)
  const slow = await rawPeer(runtime)
  const frame = ask(1)
  stuck.socket.write([frame.subarray(0, 20)])
  for (let i = 0; i < 12; i++) {
    stuck.socket.write([frame.subarray(20 + i, 21 + i)])
    slow.socket.write([frame.subarray(0, 30)])
    await runtime.clock.advanceAsync(2000)
    slow.socket.write([frame.subarray(30)])
    await runtime.clock.advanceAsync(1000)
  }
  assert.equal(stuck.state.closed, true)
  assert.equal(slow.replies.length, 12)
  assert.deepEqual(limits(), ['maxFrameMs'])
})

test('halves of frames: who holds most is closed, and a newcomer with less is served', async () => {
  const { runtime, limits } = await world({ limits: { maxCarryBytes: 200_000 } })
  const half = (bytes: number) => {
    const head = Buffer.alloc(bytes)
    head.writeInt32BE(16_000_000, 0)
    head.writeInt32BE(100, 4)
    return head
  }
  const hogs = [await rawPeer(runtime), await rawPeer(runtime), await rawPeer(runtime)]
  for (const [i, { socket }] of hogs.entries()) socket.write([half(60_000 + i * 1000)])
  await runtime.clock.advanceAsync(50)
  const sender = await rawPeer(runtime)
  const big = ask(1, { body: Buffer.alloc(40_000) })
  sender.socket.write([big.subarray(0, 30_000)])
  await runtime.clock.advanceAsync(50)
  sender.socket.write([big.subarray(30_000)])
  await runtime.clock.advanceAsync(50)
  assert.equal(sender.replies.length, 1)
  assert.deepEqual(
    hogs.map(({ state }) => state.closed),
    [false, false, true],
  )
  assert.deepEqual(limits(), ['maxCarryBytes'])
})

test('connections beyond maxConnections are refused before they cost anything, and one line says so for all', async () => {
  const { runtime, server, limits } = await world({ limits: { maxConnections: 2 } })
  const peers = []
  for (let i = 0; i < 10; i++) peers.push(await rawPeer(runtime))
  await runtime.clock.advanceAsync(50)
  assert.equal(server.connectionCount, 2)
  assert.deepEqual(limits(), ['maxConnections'])
  peers[0]?.socket.destroy()
  await runtime.clock.advanceAsync(50)
  const late = await rawPeer(runtime)
  late.socket.write([ask(1)])
  await runtime.clock.advanceAsync(50)
  assert.equal(late.replies.length, 1)
})

test('reads of many at once, which are only taken to bring much, close nobody when somebody is owed a little', async () => {
  let begun = 0
  const { runtime, limits, server } = await world({ limits: { maxOwedBytes: 2_000_000 } }, () => [
    route(
      queryConsumerOffset,
      ({ queueId }) => {
        begun++
        return queueId === 1 ? new Promise<never>(() => {}) : ok({ offset: 1 }, Buffer.alloc(100_000))
      },
      { readBytes: 256 * 1024 },
    ),
  ])
  const readers = []
  for (let i = 0; i < 10; i++) readers.push(await rawPeer(runtime))
  for (const { socket } of readers) socket.write([ask(1)])
  await runtime.clock.advanceAsync(20)
  assert.equal(begun, 10)
  const slow = await rawPeer(runtime)
  slow.socket.pause()
  slow.socket.write([ask(2)])
  await runtime.clock.advanceAsync(50)
  assert.deepEqual(limits(), [])
  assert.equal(server.connectionCount, 11)
})

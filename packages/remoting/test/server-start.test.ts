import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { queryConsumerOffset, ResponseCode } from '@skua-mq/protocol'
import { type Event, EventHub, simRuntime } from '@skua-mq/runtime'
import { ok, RemotingClient, RemotingServer, route } from '../src/index.ts'
import { echo, hotEcho, serve } from './hot-echo.ts'
import { ask, port, rawPeer } from './raw-peer.ts'

const routes = [route(queryConsumerOffset, ({ queueId }) => ok({ offset: queueId * 10 }))]
const place = { consumerGroup: 'g', topic: 't', queueId: 4 }

function machine() {
  const events = new EventHub()
  const told: Event[] = []
  events.subscribe(event => told.push(event))
  const runtime = simRuntime({ seed: 5, events })
  const host = runtime.network.addressOf('host')
  return { runtime, host, told }
}

describe('a server', () => {
  test('listens on all its ports with the same answers, and says where', async () => {
    const { runtime, host, told } = machine()
    const listen = [
      { host, port },
      { host, port: port - 2 },
      { host, port: 0 },
    ]
    const server = new RemotingServer({ ...runtime, name: 'both', listen, routes })
    await runtime.clock.until(server.start())
    assert.deepEqual(
      server.addresses.slice(0, 2).map(address => address.port),
      [port, port - 2],
    )
    assert.ok(server.addresses[2]!.port > 0)
    const client = new RemotingClient(runtime)
    for (const { port } of server.addresses) {
      const reply = await runtime.clock.until(client.request(`${host}:${port}`, queryConsumerOffset, place))
      assert.equal(reply.header.offset, 40)
    }
    assert.deepEqual(
      told.filter(({ name }) => name === 'listening').map(({ fields }) => [fields['name'], fields['port']]),
      server.addresses.map(({ port }) => ['both', port]),
    )
    await runtime.clock.until(client.close())
    await runtime.clock.until(server.stop())
    assert.deepEqual(server.addresses, [])
  })

  test('that cannot have one of its ports has none of them, and leaves no timer', async () => {
    const { runtime, host } = machine()
    const first = new RemotingServer({ ...runtime, name: 'first', listen: [{ host, port }], routes })
    await runtime.clock.until(first.start())
    const listen = [
      { host, port: port + 1 },
      { host, port },
    ]
    const second = new RemotingServer({ ...runtime, name: 'second', listen, routes })
    await assert.rejects(runtime.clock.until(second.start()), { code: 'EADDRINUSE' })
    await runtime.clock.until(first.stop())
    assert.equal(runtime.clock.nextInMs, undefined)
    const third = new RemotingServer({ ...runtime, name: 'third', listen, routes })
    await runtime.clock.until(third.start())
    await runtime.clock.until(third.stop())
  })

  test('that was stopped takes nobody, has ended its connections, and is started again', async () => {
    const { runtime, host } = machine()
    const server = new RemotingServer({ ...runtime, name: 'again', listen: [{ host, port }], routes })
    for (let round = 0; round < 3; round++) {
      await runtime.clock.until(server.start())
      const peer = await rawPeer(runtime)
      peer.socket.write([ask(1)])
      await runtime.clock.advanceAsync(20)
      assert.deepEqual([peer.replies.length, server.connectionCount], [1, 1])
      await runtime.clock.until(server.stop())
      await runtime.clock.advanceAsync(20)
      assert.deepEqual([peer.state.closed, server.connectionCount], [true, 0])
      await assert.rejects(rawPeer(runtime), { code: 'ECONNREFUSED' })
    }
    assert.equal(runtime.clock.nextInMs, undefined)
  })

  test('whose handler answers after it was stopped has nobody to answer, and fails nothing', async () => {
    const go: (() => void)[] = []
    const { runtime, server, peer, told } = await serve({
      routes: [route(queryConsumerOffset, () => new Promise(resolve => go.push(() => resolve(ok({ offset: 1 })))))],
    })
    peer.socket.write([ask(1)])
    await runtime.clock.advanceAsync(20)
    await runtime.clock.until(server.stop())
    go[0]!()
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(
      told.filter(({ level }) => level === 'error' || level === 'warn'),
      [],
    )
  })
})

describe('a hot handler', () => {
  test('that throws costs its own request code 1 and an event, and the next one is served', async () => {
    const { runtime, peer, told } = await serve({
      hot: [
        {
          request: hotEcho as never,
          handle: (view, token) => {
            if ((view as { text?: string }).text === 'bad') throw new TypeError('broken')
            token.answer(ResponseCode.success)
          },
        },
      ],
    })
    peer.socket.write([echo(1, 'bad'), echo(2), echo(3, 'bad', { remark: 'decoded' }), echo(4)])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(
      peer.replies.map(({ opaque, code, remark }) => [opaque, code, remark]),
      [
        [1, 1, 'broken'],
        [2, 0, undefined],
        [3, 1, 'broken'],
        [4, 0, undefined],
      ],
    )
    assert.equal(told.filter(({ name }) => name === 'request handler failed').length, 2)
  })

  test('that throws behind its answer answers once', async () => {
    const { runtime, peer } = await serve({
      hot: [
        {
          request: hotEcho as never,
          handle: (_view, token) => {
            token.answer(ResponseCode.success)
            throw new TypeError('broken')
          },
        },
      ],
    })
    peer.socket.write([echo(1), echo(2)])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual(
      peer.replies.map(({ opaque, code }) => [opaque, code]),
      [
        [1, 0],
        [2, 0],
      ],
    )
  })

  test('gets no reply of ours for a request: a response with its code is for who waits for one', async () => {
    let handled = 0
    const { runtime, peer } = await serve({ hot: [{ request: hotEcho as never, handle: () => handled++ }] })
    peer.socket.write([echo(1, 'x', { flag: 1 }), echo(2, 'x', { flag: 1, remark: 'decoded' })])
    await runtime.clock.advanceAsync(20)
    assert.deepEqual([handled, peer.replies.length, peer.state.closed], [0, 0, false])
  })
})

describe('limits', () => {
  test('an unlucky reader that is paused at its share goes on when others have left', async () => {
    const { runtime, server, peer, another } = await serve({
      hot: [
        {
          request: hotEcho as never,
          handle: (_view, token) => token.answer(ResponseCode.success, undefined, { body: [Buffer.alloc(40_000)] }),
        },
      ],
      limits: { maxOwedBytes: 400_000 },
    })
    const others = [await another(), await another()]
    for (const one of [peer, ...others]) one.socket.pause()
    for (let n = 0; n < 30; n++) {
      for (const one of [peer, ...others]) one.socket.write([echo(n)])
      await runtime.clock.advanceAsync(5)
    }
    assert.equal(server.connectionCount, 3)
    for (const one of others) one.socket.destroy()
    peer.socket.resume()
    await runtime.clock.advanceAsync(2000)
    assert.equal(peer.replies.length, 30)
  })

  test('connections beyond maxConnections are told once in a while, and one that leaves makes room', async () => {
    const { runtime, server, peer, another, told } = await serve({ routes, limits: { maxConnections: 1 } })
    const refused = [await another(), await another(), await another()]
    await runtime.clock.advanceAsync(50)
    assert.ok(refused.every(({ state }) => state.closed))
    const lines = () => told.filter(({ fields }) => fields['limit'] === 'maxConnections').length
    assert.equal(lines(), 1)
    await runtime.clock.advanceAsync(6000)
    await another()
    await runtime.clock.advanceAsync(50)
    assert.equal(lines(), 2)
    peer.socket.destroy()
    await runtime.clock.advanceAsync(50)
    const next = await another()
    next.socket.write([ask(1)])
    await runtime.clock.advanceAsync(50)
    assert.deepEqual([next.replies.length, server.connectionCount], [1, 1])
  })
})

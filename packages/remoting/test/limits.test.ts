import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hotPull, queryConsumerOffset, ResponseCode } from '@skua-mq/protocol'
import { nodeRuntime, SimClock, simRuntime } from '@skua-mq/runtime'
import { hotRoute, ok, RemotingClient, RemotingServer, type RemotingServerParts, route } from '../src/index.ts'
import { PendingCalls } from '../src/pending-calls.ts'
import { ask, port, rawPeer } from './raw-peer.ts'

const pull = (opaque: number) =>
  ask(opaque, {
    code: 11,
    extFields: {
      ...{ consumerGroup: 'g', topic: 'T', queueId: '0', queueOffset: '0', maxMsgNums: '1' },
      ...{ sysFlag: '0', commitOffset: '0', suspendTimeoutMillis: '0', subVersion: '0' },
    },
  })

async function serve(parts: Partial<RemotingServerParts>) {
  const runtime = simRuntime({ seed: 1 })
  const listen = [{ host: runtime.network.addressOf('host'), port }]
  const server = new RemotingServer({ ...runtime, name: 'test', listen, routes: [], ...parts })
  await runtime.clock.until(server.start())
  return { runtime, peer: await rawPeer(runtime) }
}

test('maxPendingCalls: a further call is refused at once, and one more is taken when one is over', async () => {
  const calls = new PendingCalls(new SimClock(), 2)
  const first = calls.wait(1, 1000)
  const second = calls.wait(2, 1000)
  await assert.rejects(calls.wait(3, 1000), { code: 'EBUSY', message: /maxPendingCalls \(2\)/ })
  calls.failAll(() => new Error('over'))
  await Promise.allSettled([first, second])
  const third = calls.wait(4, 1000)
  calls.failAll(() => new Error('over'))
  await assert.rejects(third, /over/)
})

test('closeAtUnsentBytes: one answer above it, to a peer that does not read, ends the connection and frees the slices', async () => {
  let pinned = 0
  const slice = Buffer.alloc(2_000_000)
  const hot = [
    hotRoute(hotPull, (_view, token) => {
      pinned++
      token.answer(ResponseCode.success, undefined, { body: [slice], release: () => pinned-- })
    }),
  ]
  const { runtime, peer } = await serve({ hot, limits: { closeAtUnsentBytes: 1_000_000 } })
  peer.socket.pause()
  peer.socket.write([pull(1)])
  await runtime.clock.advanceAsync(1000)
  peer.socket.resume()
  await runtime.clock.advanceAsync(1000)
  assert.deepEqual([peer.state.closed, pinned, peer.replies.length], [true, 0, 0])
})

test('a connection that closes in the turn of its answers frees their slices', async () => {
  let pinned = 0
  const slice = Buffer.alloc(10_000)
  const hot = [
    hotRoute(hotPull, (_view, token) => {
      const { connection } = token
      pinned++
      token.answer(ResponseCode.success, undefined, { body: [slice], release: () => pinned-- })
      connection.close()
    }),
  ]
  const { runtime, peer } = await serve({ hot })
  peer.socket.write([pull(1)])
  await runtime.clock.advanceAsync(100)
  assert.deepEqual([peer.state.closed, pinned], [true, 0])
})

test('a handler that answers later finds its body as it came, whatever came behind it', async () => {
  const runtime = nodeRuntime()
  let go = () => {}
  const other = new Promise<void>(resolve => (go = resolve))
  const seen: string[] = []
  const server = new RemotingServer({
    ...runtime,
    name: 'test',
    listen: [{ host: '127.0.0.1', port: 0 }],
    routes: [
      route(queryConsumerOffset, async ({ queueId }, { body }) => {
        if (queueId === 2) go()
        await other
        seen.push(Buffer.from(body).toString('latin1', 0, 3))
        return ok({ offset: queueId })
      }),
    ],
  })
  await server.start()
  const client = new RemotingClient(runtime)
  try {
    const to = `127.0.0.1:${server.addresses[0]!.port}`
    const request = (queueId: number, text: string) =>
      client.request(
        to,
        queryConsumerOffset,
        { consumerGroup: 'g', topic: 'T', queueId },
        { body: Buffer.alloc(3000, text) },
      )
    const first = request(1, 'a')
    // In a packet of its own: the reader's buffer is used again for the next one.
    await new Promise(resolve => setTimeout(resolve, 20))
    await Promise.all([first, request(2, 'b')])
    assert.deepEqual(seen, ['aaa', 'bbb'])
  } finally {
    await client.close()
    await server.stop()
  }
})

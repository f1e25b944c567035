import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type Listener, NodeNet, nodeRuntime, type Socket } from '@skua-mq/runtime'
import { RemotingServer } from '../src/index.ts'

/** The machine's network; counts the connections that begin. */
class CountingNet extends NodeNet {
  begun = 0

  override listen(...[at, accept, options]: Parameters<NodeNet['listen']>): Promise<Listener> {
    const counting = (socket: Socket) => {
      this.begun++
      accept(socket)
    }
    return super.listen(at, counting, options)
  }
}

test('connections that come to two ports at once have the room of one server between them', async () => {
  const net = new CountingNet()
  const host = '127.0.0.1'
  const listen = [
    { host, port: 0 },
    { host, port: 0 },
  ]
  const maxConnections = 8
  const parts = { ...nodeRuntime(), net, name: 'both', listen, routes: [], limits: { maxConnections } }
  const server = new RemotingServer(parts)
  await server.start()
  const sockets = Array.from({ length: 40 }, (_, n) => connect(server.addresses[n % 2]!.port, host))
  const isOver = (socket: (typeof sockets)[number]) =>
    new Promise<void>(resolve => {
      socket.on('error', () => {})
      socket.on('close', () => resolve())
      socket.resume()
    })
  const over = sockets.map(isOver)
  // All but those that have room are refused.
  let ended = 0
  await new Promise<void>(resolve => {
    for (const each of over) void each.then(() => ++ended === sockets.length - maxConnections && resolve())
  })
  const { begun } = net
  for (const socket of sockets) socket.destroy()
  await Promise.all(over)
  await server.stop()
  assert.equal(begun, maxConnections)
})

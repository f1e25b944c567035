import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket as TcpSocket } from 'node:net'
import { afterEach, mock, test } from 'node:test'
import { NodeNet } from '../../src/index.ts'
import { stuckMs } from '../../src/node/socket.ts'

const bytes = 24_000_000
const net = new NodeNet()
afterEach(() => mock.timers.reset())

/** A connection that is owed more than the system takes for a peer that does not read, and is ended. */
async function owed(): Promise<{ readonly peer: TcpSocket; readonly isClosed: () => boolean; stop(): Promise<void> }> {
  let closed = false
  let isEnded = false
  const listener = await net.listen({ host: '127.0.0.1', port: 0 }, socket => {
    socket.start({ data: () => {}, drained: () => {}, closed: () => (closed = true) })
    socket.write([Buffer.alloc(bytes)])
    socket.end()
    isEnded = true
  })
  const peer = connect({ host: '127.0.0.1', port: listener.address.port })
  peer.on('error', () => {})
  peer.pause()
  while (!isEnded) await new Promise(setImmediate)
  return { peer, isClosed: () => closed, stop: () => listener.close() }
}

test('a connection that is ended, and whose peer reads nothing, is cut', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { peer, isClosed, stop } = await owed()
  mock.timers.tick(stuckMs - 1)
  await new Promise(setImmediate)
  assert.equal(isClosed(), false)
  mock.timers.tick(1)
  for (let turn = 0; turn < 1000 && !isClosed(); turn++) await new Promise(setImmediate)
  assert.equal(isClosed(), true)
  peer.destroy()
  await stop()
})

test('one whose peer reads slowly is not', async () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  const { peer, isClosed, stop } = await owed()
  let got = 0
  const isOver = once(peer, 'close')
  while (got < bytes && !peer.destroyed) {
    const chunk: Buffer | null = peer.read()
    if (chunk === null) await Promise.race([once(peer, 'readable'), isOver])
    else {
      got += chunk.length
      await new Promise(setImmediate)
      mock.timers.tick(stuckMs / 100)
    }
  }
  assert.equal(got, bytes)
  peer.end()
  while (!isClosed()) await new Promise(setImmediate)
  await stop()
})

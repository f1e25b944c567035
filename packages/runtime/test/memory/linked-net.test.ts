import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkedNet, NodeNet, type Socket } from '../../src/index.ts'

const host = '127.0.0.1'
const turn = () => new Promise(resolve => setImmediate(resolve))

interface End {
  readonly socket: Socket
  got: string
  drained: number
  closed: number
}

function end(socket: Socket): End {
  const own: End = { socket, got: '', drained: 0, closed: 0 }
  socket.start({
    data: chunk => {
      own.got += String(chunk)
    },
    drained: () => void own.drained++,
    closed: () => void own.closed++,
  })
  return own
}

async function pair() {
  const net = new LinkedNet(new NodeNet())
  let far: End | undefined
  const listener = await net.listen({ host, port: 0 }, socket => {
    far = end(socket)
  })
  const near = end(await net.connect(listener.address))
  await turn()
  return { net, listener, near, far: far as End }
}

test('bytes go both ways, in order, and never inside a call of the writer', async () => {
  const { near, far, listener } = await pair()
  const bytes = Buffer.from('one')
  near.socket.write([bytes, Buffer.from(' two')])
  bytes.fill('x')
  near.socket.write([Buffer.from(' three')])
  assert.equal(far.got, '')
  assert.equal(near.socket.unsentBytes, 13)
  await turn()
  assert.equal(far.got, 'one two three')
  assert.equal(near.socket.unsentBytes, 0)
  assert.equal(near.drained, 1)
  far.socket.write([Buffer.from('answer')])
  await turn()
  assert.equal(near.got, 'answer')
  assert.deepEqual(near.socket.remote, listener.address)
  assert.deepEqual(far.socket.local, listener.address)
  await listener.close()
})

test('whoever pauses gets nothing until he goes on, and the writer sees what waits', async () => {
  const { near, far, listener } = await pair()
  far.socket.pause()
  near.socket.write([Buffer.from('later')])
  for (let i = 0; i < 5; i++) await turn()
  assert.equal(far.got, '')
  assert.equal(near.socket.unsentBytes, 5)
  assert.equal(near.drained, 0)
  far.socket.resume()
  await turn()
  assert.equal(far.got, 'later')
  await listener.close()
})

test('an end lets go out what is queued, and both hear of it once; a destroyed one loses it', async () => {
  const ended = await pair()
  ended.near.socket.write([Buffer.from('last words')])
  ended.near.socket.end()
  ended.near.socket.write([Buffer.from('not these')])
  for (let i = 0; i < 3; i++) await turn()
  assert.equal(ended.far.got, 'last words')
  assert.deepEqual([ended.near.closed, ended.far.closed], [1, 1])
  const lost = await pair()
  lost.near.socket.write([Buffer.from('lost')])
  lost.near.socket.destroy()
  lost.far.socket.destroy()
  for (let i = 0; i < 3; i++) await turn()
  assert.equal(lost.far.got, '')
  assert.deepEqual([lost.near.closed, lost.far.closed], [1, 1])
  for (const { listener } of [ended, lost]) await listener.close()
})

test('what came before anybody listened is not lost', async () => {
  const net = new LinkedNet(new NodeNet())
  const accepted: Socket[] = []
  const listener = await net.listen({ host, port: 0 }, socket => accepted.push(socket))
  const near = end(await net.connect(listener.address))
  near.socket.write([Buffer.from('early')])
  for (let i = 0; i < 3; i++) await turn()
  const far = end(accepted[0] as Socket)
  for (let i = 0; i < 3; i++) await turn()
  assert.equal(far.got, 'early')
  await listener.close()
})

test('a listener of another network is reached by sockets; so is one that has closed, which refuses', async () => {
  const plain = new NodeNet()
  const other = await plain.listen({ host, port: 0 }, socket => end(socket))
  const net = new LinkedNet(plain)
  const socket = await net.connect(other.address)
  assert.notEqual(socket.local.port, 0)
  assert.ok(socket.local.port < 0x1_0000, 'a real port')
  socket.destroy()
  const own = await net.listen({ host, port: 0 }, accepted => end(accepted))
  await own.close()
  await assert.rejects(net.connect(own.address), { code: 'ECONNREFUSED' })
  await other.close()
})

test('a listener on all addresses is reached by each of this machine, and keeps its limit', async () => {
  const net = new LinkedNet(new NodeNet())
  const held: Socket[] = []
  const listener = await net.listen({ host: '0.0.0.0', port: 0 }, socket => held.push(socket), {
    room: () => 2 - held.length,
  })
  const { port } = listener.address
  for (const at of [host, net.ownAddresses()[0] ?? 'localhost']) {
    const socket = await net.connect({ host: at, port })
    assert.ok(socket.local.port >= 0x1_0000, `${at} in memory`)
  }
  await assert.rejects(net.connect({ host, port }), /there is no room/)
  await listener.close()
})

import assert from 'node:assert/strict'
import { connect as connectHttp2 } from 'node:http2'
import { connect } from 'node:net'
import { test } from 'node:test'
import { type Http2Stream, NodeHttp2 } from '../../src/index.ts'

const at = { host: '127.0.0.1', port: 0 }
const limits = { maxConnections: 100, maxStreams: 100 }

test('a stop does not wait for those who are in the middle of a handshake, or have said nothing', async () => {
  const listener = await new NodeHttp2().listen(at, () => {}, { ...limits, tls: { mode: 'permissive' } })
  const sockets = ['', '\u0016\u0003\u0001', 'PRI * HT'].map(text => {
    const socket = connect(listener.address.port, at.host)
    socket.on('error', () => {})
    socket.write(text)
    return socket
  })
  await new Promise(resolve => setTimeout(resolve, 200))
  const begun = performance.now()
  await listener.close()
  assert.ok(performance.now() - begun < 3000, `${performance.now() - begun} ms`)
  for (const socket of sockets) socket.destroy()
})

test('whoever writes is told what the connection took, and what a peer that left did not', async t => {
  const streams: Http2Stream[] = []
  const listener = await new NodeHttp2().listen(at, stream => void streams.push(stream), limits)
  t.after(() => listener.close())
  const told: boolean[] = []
  for (const leave of ['reset', 'hang up'] as const) {
    const session = connectHttp2(`http://${at.host}:${listener.address.port}`)
    session.on('error', () => {})
    const request = session.request({ ':method': 'POST' })
    request.on('error', () => {})
    request.pause()
    while (streams.length === 0) await new Promise(resolve => setTimeout(resolve, 10))
    const stream = streams.pop()!
    const closed = new Promise<void>(resolve => stream.start({ data: () => {}, ended: () => {}, closed: resolve }))
    stream.respond({})
    stream.write(Buffer.from('short'), isTaken => told.push(isTaken))
    stream.write(Buffer.alloc(10_000_000), isTaken => told.push(isTaken))
    await new Promise(resolve => setTimeout(resolve, 200))
    if (leave === 'reset') request.close(8)
    else session.destroy()
    await closed
    await new Promise(resolve => setTimeout(resolve, 50))
    session.destroy()
  }
  assert.deepEqual(told, [true, false, true, false])
})

test('a peer whose window is closed keeps a refusal with a text for ten seconds, not for ever', async t => {
  const seen: Http2Stream[] = []
  const refused: string[] = []
  const accept = (stream: Http2Stream) => {
    seen.push(stream)
    stream.refuse({ ':status': '405' }, 'what is spoken here')
    refused.push(stream.path)
  }
  const listener = await new NodeHttp2().listen(at, accept, limits)
  t.after(() => listener.close())
  const session = connectHttp2(`http://${at.host}:${listener.address.port}`, { settings: { initialWindowSize: 0 } })
  t.after(() => session.destroy())
  await new Promise(resolve => session.once('localSettings', resolve))
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const request = session.request({ ':path': '/page' })
  const status = await new Promise(resolve => request.once('response', headers => resolve(headers[':status'])))
  request.resume()
  assert.deepEqual([status, refused], [405, ['/page']])
  t.mock.timers.tick(9999)
  assert.ok(seen[0]?.open)
  t.mock.timers.tick(1)
  assert.ok(!seen[0]?.open)
  await new Promise(resolve => request.once('close', resolve))
})

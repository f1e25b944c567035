import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { type HttpAnswer, type HttpRequest, NodeHttp } from '../../src/index.ts'
import { maxHttpConnections, maxHttpHeaderBytes } from '../../src/node/http.ts'

async function listening(t: TestContext, answer: (request: HttpRequest) => HttpAnswer, answerMs?: number) {
  const http = new NodeHttp(answerMs === undefined ? {} : { answerMs })
  const listener = await http.listen({ host: '127.0.0.1', port: 0 }, answer)
  t.after(() => listener.close())
  return listener
}

const text = (body: HttpAnswer['body']): HttpAnswer => ({ status: 200, type: 'text/plain', body })

async function opened(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** All that comes until the server closes. */
async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  socket.on('data', chunk => chunks.push(chunk as Buffer))
  await once(socket, 'close')
  return Buffer.concat(chunks)
}

async function* many(pieces: number, taken: { count: number; left: boolean }) {
  try {
    for (let i = 0; i < pieces; i++) {
      taken.count++
      yield 'x'.repeat(65_536)
    }
  } finally {
    taken.left = true
  }
}

test('a path is answered without its query, and HEAD without a body', async t => {
  const { address } = await listening(t, ({ path }) => text(`you asked ${path}`))
  const url = `http://127.0.0.1:${address.port}/a?b=c`
  assert.equal(await (await fetch(url)).text(), 'you asked /a')
  const head = await fetch(url, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
  assert.equal((await fetch(url, { method: 'POST', body: 'x' })).status, 405)
})

test('a body that comes in pieces arrives whole, compressed for those who take it', async t => {
  const { address } = await listening(t, () => text(many(20, { count: 0, left: false })))
  const socket = await opened(t, address.port)
  socket.write('GET / HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n')
  const bytes = await rest(socket)
  const body = bytes.indexOf('\r\n\r\n') + 4
  assert.match(bytes.toString('latin1', 0, body), /content-encoding: gzip/i)
  assert.equal(gunzipSync(bytes.subarray(body)).length, 20 * 65_536)
  const plain = await opened(t, address.port)
  plain.write('GET / HTTP/1.0\r\nAccept-Encoding: gzip;q=0\r\n\r\n')
  assert.ok((await rest(plain)).length > 20 * 65_536)
})

for (const encoding of ['identity', 'gzip'])
  test(`a client that never reads is asked for a few pieces, and is gone after a while (${encoding})`, async t => {
    const taken = { count: 0, left: false }
    const { address } = await listening(t, () => text(noise(taken)), 500)
    const socket = await opened(t, address.port)
    socket.pause()
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\n\r\n`)
    // Its own system takes some megabytes for it before it stops.
    while (!taken.left) await new Promise(resolve => setTimeout(resolve, 20))
    assert.ok(taken.count < 2000, `${taken.count} of 1,000,000 pieces`)
  })

/** As `many`, and as large when it is compressed. */
async function* noise(taken: { count: number; left: boolean }) {
  let seed = 1
  const piece = Array.from({ length: 65_536 }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return String.fromCharCode(seed % 128)
  }).join('')
  try {
    for (let i = 0; i < 1_000_000; i++) {
      taken.count++
      yield piece
    }
  } finally {
    taken.left = true
  }
}

test('a body that fails does not look like a whole one', async t => {
  async function* failing() {
    yield 'first'
    throw new Error('the rest is lost')
  }
  const { address } = await listening(t, () => text(failing()))
  await assert.rejects(fetch(`http://127.0.0.1:${address.port}/`).then(answer => answer.text()))
})

test('a head that is too long is refused, and connections are bounded', async t => {
  const { address } = await listening(t, () => text('ok'))
  const long = await opened(t, address.port)
  long.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'y'.repeat(maxHttpHeaderBytes)}\r\n\r\n`)
  assert.match((await rest(long)).toString(), /^HTTP\/1.1 431/)
  const held: Socket[] = []
  for (let i = 0; i < maxHttpConnections; i++) held.push(await opened(t, address.port))
  const extra = await opened(t, address.port)
  assert.equal((await rest(extra)).length, 0)
  held[0]!.write('GET / HTTP/1.0\r\n\r\n')
  assert.match((await rest(held[0]!)).toString(), /200 OK/)
})

test('a port in use is a plain refusal; a closed one is free, and nobody is connected any more', async t => {
  const http = new NodeHttp()
  const listener = await http.listen({ host: '127.0.0.1', port: 0 }, () => text('ok'))
  const at = { host: '127.0.0.1', port: listener.address.port }
  await assert.rejects(
    http.listen(at, () => text('ok')),
    {
      code: 'EADDRINUSE',
      message: `cannot listen on 127.0.0.1:${at.port}: the address is in use (EADDRINUSE)`,
    },
  )
  const socket = await opened(t, at.port)
  await Promise.all([rest(socket), listener.close()])
  await (await http.listen(at, () => text('again'))).close()
})

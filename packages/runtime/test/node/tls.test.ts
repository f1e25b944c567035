import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import {
  EventHub,
  type NetError,
  NodeNet,
  plainRefused,
  type Socket,
  selfSigned,
  type TlsClient,
  type TlsServer,
  tlsHandshakeFailed,
} from '../../src/index.ts'

const server = selfSigned()
const client = selfSigned()

/** A listener that echoes, and what its events said. */
async function echo(t: TestContext, tls: TlsServer) {
  const events: { name: string; reason?: string }[] = []
  const hub = new EventHub()
  hub.subscribe(event => events.push({ name: event.name, ...event.fields }))
  const sockets = new Set<Socket>()
  const accept = (socket: Socket) => {
    sockets.add(socket)
    socket.start({
      data: chunk => socket.write([Buffer.from(chunk)]),
      drained: () => {},
      closed: () => sockets.delete(socket),
    })
  }
  const listener = await new NodeNet(hub).listen({ host: '127.0.0.1', port: 0 }, accept, { tls })
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    await listener.close()
  })
  return { address: listener.address, events, sockets }
}

/** Sends bytes and waits until as many came back; rejects when the connection closes before. */
async function ask(
  t: TestContext,
  address: { host: string; port: number },
  { tls, bytes = Buffer.from('hello') }: { tls?: TlsClient; bytes?: Buffer } = {},
): Promise<Buffer> {
  const socket = await new NodeNet().connect(address, { tls })
  t.after(() => socket.destroy())
  return new Promise((resolve, reject) => {
    const got: Buffer[] = []
    let length = 0
    socket.start({
      data: chunk => {
        got.push(Buffer.from(chunk))
        length += chunk.length
        if (length >= bytes.length) resolve(Buffer.concat(got))
      },
      drained: () => {},
      closed: error => reject(error ?? new Error('closed')),
    })
    socket.write([bytes.subarray(0, 2), bytes.subarray(2)])
  })
}

test('a permissive port serves plain and TLS connections side by side', async t => {
  const { address } = await echo(t, { mode: 'permissive' })
  assert.equal(String(await ask(t, address)), 'hello')
  assert.equal(String(await ask(t, address, { tls: { trust: 'any' } })), 'hello')
  assert.equal(String(await ask(t, address)), 'hello')
})

test('megabytes pass through TLS unchanged, in both directions', async t => {
  const { address } = await echo(t, { mode: 'permissive' })
  const bytes = Buffer.alloc(3_000_000)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff
  const back = await ask(t, address, { tls: { trust: 'any' }, bytes })
  assert.ok(back.equals(bytes))
})

test('an enforcing port closes plain connections and says so', async t => {
  const { address, events } = await echo(t, { mode: 'enforcing' })
  await assert.rejects(ask(t, address))
  assert.deepEqual(
    events.map(event => event.name),
    [plainRefused({ peer: '' }).name],
  )
  assert.equal(String(await ask(t, address, { tls: { trust: 'any' } })), 'hello')
})

test('a client that trusts the authority comes in, by address and by name', async t => {
  const { address } = await echo(t, { mode: 'permissive', identity: server })
  for (const trust of ['chain', 'name'] as const)
    assert.equal(String(await ask(t, address, { tls: { trust, ca: server.cert } })), 'hello')
})

test('a certificate of another authority is refused with what to do', async t => {
  const { address } = await echo(t, { mode: 'permissive', identity: server })
  for (const ca of [client.cert, undefined]) {
    await assert.rejects(ask(t, address, { tls: { trust: 'chain', ca } }), (error: NetError) => {
      assert.equal(error.code, 'ETLS')
      assert.equal(error.retriable, false)
      assert.match(error.message, /not signed by an authority that is known here .*give tls\.ca/)
      return true
    })
  }
})

test('a certificate for another name is refused only where names are looked at', async t => {
  const { address } = await echo(t, { mode: 'permissive', identity: server })
  const tls = { ca: server.cert, servername: 'broker.example' }
  await assert.rejects(ask(t, address, { tls: { ...tls, trust: 'name' } }), /another name .*tls\.servername/)
  assert.equal(String(await ask(t, address, { tls: { ...tls, trust: 'chain' } })), 'hello')
})

test('mutual TLS lets in who shows a good certificate, and nobody else', async t => {
  const tls = { mode: 'permissive', identity: server, clientAuth: 'require', ca: client.cert } as const
  const { address, events } = await echo(t, tls)
  const trust = { trust: 'chain', ca: server.cert } as const
  assert.equal(String(await ask(t, address, { tls: { ...trust, identity: client } })), 'hello')
  await assert.rejects(ask(t, address, { tls: trust }))
  await assert.rejects(ask(t, address, { tls: { ...trust, identity: selfSigned() } }))
  assert.ok(events.length > 0 && events.every(event => event.name === tlsHandshakeFailed.name || event.reason))
})

test('an optional client certificate may be missing but not be a bad one', async t => {
  const tls = { mode: 'permissive', identity: server, clientAuth: 'optional', ca: client.cert } as const
  const { address, events } = await echo(t, tls)
  assert.equal(String(await ask(t, address, { tls: { trust: 'any' } })), 'hello')
  assert.equal(String(await ask(t, address, { tls: { trust: 'any', identity: client } })), 'hello')
  await assert.rejects(ask(t, address, { tls: { trust: 'any', identity: selfSigned() } }))
  assert.match(events[0]?.reason ?? '', /not trusted/)
})

test('without authorities of its own a server that requires a certificate takes any', async t => {
  const { address } = await echo(t, { mode: 'permissive', clientAuth: 'require' })
  assert.equal(String(await ask(t, address, { tls: { trust: 'any', identity: client } })), 'hello')
  await assert.rejects(ask(t, address, { tls: { trust: 'any' } }))
})

test('a server that answers something else, or hangs up, is told apart from one with a bad certificate', async t => {
  const answers: ((socket: Socket) => void)[] = [
    socket => socket.write([Buffer.from('HTTP/1.1 400 Bad Request')]),
    socket => socket.destroy(),
  ]
  for (const answer of answers) {
    const accept = (socket: Socket) => socket.start({ data: () => answer(socket), drained: () => {}, closed: () => {} })
    const listener = await new NodeNet().listen({ host: '127.0.0.1', port: 0 }, accept)
    t.after(() => listener.close())
    await assert.rejects(ask(t, listener.address, { tls: { trust: 'any' } }), (error: NetError) => {
      assert.match(error.message, /tls\.server\.mode/)
      return error.code === 'ETLS'
    })
  }
})

test('bytes that only begin like TLS end that connection and no other', async t => {
  const { address, events, sockets } = await echo(t, { mode: 'permissive' })
  await assert.rejects(ask(t, address, { bytes: Buffer.from('\x16 no hello of TLS at all') }))
  assert.equal(String(await ask(t, address, { tls: { trust: 'any' } })), 'hello')
  assert.equal(events[0]?.name, tlsHandshakeFailed({ peer: '', code: '', reason: '' }).name)
  assert.equal(sockets.size, 1)
})

test('key and certificate that do not belong together are refused at the start', async () => {
  const identity = { key: server.key, cert: client.cert }
  const listening = new NodeNet().listen({ host: '127.0.0.1', port: 0 }, () => {}, {
    tls: { mode: 'permissive', identity },
  })
  await assert.rejects(listening, /belong together/)
})

test('the self-signed certificate is for localhost, signs itself and is valid now', () => {
  const certificate = new X509Certificate(server.cert as string)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.equal(certificate.checkHost('localhost'), 'localhost')
  assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1')
  assert.ok(Date.parse(certificate.validFrom) < Date.now() && Date.now() < Date.parse(certificate.validTo))
})

import assert from 'node:assert/strict'
import { connect as tcpConnect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Listener, type NetError, NodeNet, type Socket } from '../../src/index.ts'
import { AcceptBurst } from '../../src/node/accept-burst.ts'
import { plainHost } from '../../src/node/socket.ts'

interface Seen {
  bytes: Buffer
  drained: number
  closed: (Error | undefined)[]
}

/** Starts a socket and notes what it is told; `until` resolves when the condition holds. */
function watch(socket: Socket) {
  const seen: Seen = { bytes: Buffer.alloc(0), drained: 0, closed: [] }
  const waiting: (() => void)[] = []
  const changed = () => {
    for (const check of waiting.slice()) check()
  }
  const until = (holds: () => boolean) =>
    new Promise<void>(resolve => {
      const check = () => {
        if (holds()) resolve()
      }
      waiting.push(check)
      check()
    })
  socket.start({
    data: chunk => {
      seen.bytes = Buffer.concat([seen.bytes, chunk])
      changed()
    },
    drained: () => {
      seen.drained++
      changed()
    },
    closed: error => {
      seen.closed.push(error)
      changed()
    },
  })
  return { seen, until, socket }
}

/** Node 20 has no Promise.withResolvers. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>(done => {
    resolve = done
  })
  return { promise, resolve }
}

async function pair(t: TestContext) {
  const net = new NodeNet()
  const accepted = deferred<Socket>()
  const listener = await net.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
  const near = await net.connect(listener.address)
  const far = await accepted.promise
  t.after(async () => {
    near.destroy()
    far.destroy()
    await listener.close()
  })
  return { near, far, listener, net }
}

test('bytes arrive in order, several parts as one stream, and the writer hears that all has left', async t => {
  const { near, far } = await pair(t)
  const server = watch(far)
  const client = watch(near)
  near.write([Buffer.from('one ')])
  near.write([Buffer.from('two '), Buffer.from('three '), new Uint8Array([52])])
  await server.until(() => server.seen.bytes.length === 15)
  assert.equal(server.seen.bytes.toString(), 'one two three 4')
  await client.until(() => client.seen.drained > 0)
  assert.equal(near.unsentBytes, 0)
})

test('no data before start', async t => {
  const { near, far } = await pair(t)
  watch(near)
  near.write([Buffer.from('early')])
  await new Promise(resolve => setImmediate(resolve))
  const server = watch(far)
  assert.equal(server.seen.bytes.length, 0)
  await server.until(() => server.seen.bytes.toString() === 'early')
})

test('a peer that does not read leaves bytes unsent; drained comes once it reads', async t => {
  const { near, far } = await pair(t)
  const client = watch(near)
  const server = watch(far)
  far.pause()
  const chunk = Buffer.alloc(8 * 1024 * 1024, 7)
  near.write([chunk, chunk])
  assert.ok(near.unsentBytes > 0)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(client.seen.drained, 0)
  far.resume()
  await client.until(() => client.seen.drained === 1)
  await server.until(() => server.seen.bytes.length === 2 * chunk.length)
})

test('end sends what is queued, then both sides are told once, without an error', async t => {
  const { near, far } = await pair(t)
  const client = watch(near)
  const server = watch(far)
  near.write([Buffer.alloc(3_000_000, 1)])
  near.end()
  await Promise.all([
    client.until(() => client.seen.closed.length > 0),
    server.until(() => server.seen.closed.length > 0),
  ])
  assert.equal(server.seen.bytes.length, 3_000_000)
  assert.deepEqual([...client.seen.closed, ...server.seen.closed], [undefined, undefined])
})

test('a reset is told as closed with a NetError, exactly once', async t => {
  const net = new NodeNet()
  const accepted = deferred<Socket>()
  const listener = await net.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
  t.after(() => listener.close())
  const raw = tcpConnect(listener.address.port, '127.0.0.1')
  const server = watch(await accepted.promise)
  raw.resetAndDestroy()
  await server.until(() => server.seen.closed.length > 0)
  await new Promise(resolve => setImmediate(resolve))
  assert.equal(server.seen.closed.length, 1)
  assert.equal((server.seen.closed[0] as NetError).code, 'ECONNRESET')
})

test('a socket that closed before start is told so after start', async t => {
  const { near, far } = await pair(t)
  near.destroy()
  await new Promise(resolve => setImmediate(resolve))
  far.destroy()
  await new Promise(resolve => setImmediate(resolve))
  const server = watch(far)
  await server.until(() => server.seen.closed.length === 1)
})

test('a port in use is refused with a message that names it', async t => {
  const { net, listener } = await pair(t)
  await assert.rejects(
    net.listen(listener.address, () => {}),
    (error: NetError) => error.code === 'EADDRINUSE' && error.message.includes(`127.0.0.1:${listener.address.port}`),
  )
})

test('a closed listener refuses, its connections stay and its port is free', async t => {
  const { net, near, far, listener } = await pair(t)
  const server = watch(far)
  await listener.close()
  await assert.rejects(net.connect(listener.address), (error: NetError) => error.code === 'ECONNREFUSED')
  near.write([Buffer.from('still here')])
  await server.until(() => server.seen.bytes.toString() === 'still here')
  const again: Listener = await net.listen(listener.address, () => {})
  await again.close()
})

test('connecting gives up with the reason of the signal', async t => {
  const { net, listener } = await pair(t)
  const reason = new Error('no longer wanted')
  await assert.rejects(net.connect(listener.address, { signal: AbortSignal.abort(reason) }), reason)
  const abort = new AbortController()
  const attempt = net.connect(listener.address, { signal: abort.signal })
  abort.abort(reason)
  await assert.rejects(attempt, reason)
})

test('addresses are plain IPv4 where the peer is', async t => {
  const { near, far } = await pair(t)
  assert.equal(far.remote.host, '127.0.0.1')
  assert.equal(far.remote.port, near.local.port)
  assert.equal(plainHost('::ffff:10.1.2.3'), '10.1.2.3')
  assert.equal(plainHost('::FFFF:10.1.2.3'), '10.1.2.3')
  assert.equal(plainHost('fe80::1'), 'fe80::1')
  for (const address of new NodeNet().ownAddresses()) assert.match(address, /^(?!127\.)\d+\.\d+\.\d+\.\d+$/)
})

test('connections that come together are all accepted before any of them is read', async () => {
  const together = 100
  const net = new NodeNet()
  let accepted = 0
  let answered = 0
  const acceptedAtFirstByte: number[] = []
  const ends: (() => unknown)[] = []
  await new Promise<void>((resolve, reject) => {
    const handlers = (data: () => void) => ({ data, drained: () => {}, closed: () => {} })
    // Asked for each as it is accepted; its beginning comes later.
    const room = () => {
      accepted++
      return together
    }
    const accept = (socket: Socket) => {
      socket.start(
        handlers(() => {
          acceptedAtFirstByte.push(accepted)
          socket.destroy()
          if (++answered === together) resolve()
        }),
      )
    }
    const connectAll = async () => {
      const listener = await net.listen({ host: '127.0.0.1', port: 0 }, accept, { room })
      const connections = Array.from({ length: together }, () => net.connect(listener.address))
      ends.push(() => listener.close())
      for (const connecting of connections) {
        const connection = await connecting
        connection.write([Buffer.from('hello')])
        ends.push(() => connection.destroy())
      }
    }
    connectAll().catch(reject)
  })
  for (const end of ends) await end()
  assert.deepEqual(acceptedAtFirstByte, Array(together).fill(together))
})

test('connections that were accepted together begin a few in a turn', async () => {
  const burst = new AcceptBurst()
  const order: number[] = []
  const block = () => {
    const until = performance.now() + 2
    while (performance.now() < until);
  }
  let inTurn = 0
  let most = 0
  const done = new Promise<void>(resolve => {
    for (let i = 0; i < 40; i++) {
      burst.add(() => {
        block()
        order.push(i)
        most = Math.max(most, ++inTurn)
        if (order.length === 40) resolve()
      })
    }
  })
  const counting = setInterval(() => {}, 1000)
  const eachTurn = () => {
    inTurn = 0
    if (order.length < 40) setImmediate(eachTurn)
  }
  eachTurn()
  await done
  clearInterval(counting)
  assert.deepEqual(
    order,
    Array.from({ length: 40 }, (_, i) => i),
  )
  assert.ok(most <= 6, `${most} in a turn`)
  assert.equal(burst.size, 0)
})

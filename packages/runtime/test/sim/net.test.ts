import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type NetError,
  type NetworkOptions,
  SimClock,
  SimNetwork,
  SimRandom,
  type Socket,
  simRuntime,
} from '../../src/index.ts'

function network(seed = 1, options: Partial<NetworkOptions> = {}) {
  const clock = new SimClock()
  return { clock, net: new SimNetwork({ clock, random: new SimRandom(seed), ...options }) }
}

function watch(socket: Socket) {
  const seen = { bytes: '', chunks: 0, drained: 0, closed: [] as (string | undefined)[] }
  socket.start({
    data: chunk => {
      seen.bytes += chunk.toString('latin1')
      seen.chunks++
    },
    drained: () => {
      seen.drained++
    },
    closed: error => {
      seen.closed.push((error as NetError | undefined)?.code ?? (error ? 'other' : undefined))
    },
  })
  return seen
}

async function pair(seed = 1, options: Partial<NetworkOptions> = {}) {
  const { clock, net } = network(seed, options)
  const accepted: Socket[] = []
  await net.host('server').listen({ host: '0.0.0.0', port: 9876 }, socket => accepted.push(socket))
  const near = await clock.until(net.host('client').connect({ host: 'server', port: 9876 }))
  const far = accepted[0]!
  return { clock, net, near, far, client: watch(near), server: watch(far) }
}

test('bytes arrive later, in order, in pieces, whatever the seed', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const { clock, near, client, server } = await pair(seed, { delayMs: { min: 1, max: 50 }, splitChance: 0.5 })
    let sent = ''
    for (let i = 0; i < 50; i++) {
      near.write([Buffer.from(`${i},`), Buffer.from('x;')])
      sent += `${i},x;`
    }
    assert.equal(server.bytes, '')
    clock.advance(60)
    assert.equal(server.bytes, sent)
    assert.ok(server.chunks > 50)
    assert.ok(client.drained > 0)
  }
})

test('the same seed gives the same pieces at the same times', async () => {
  const run = async () => {
    const { clock, near, far } = await pair(3, { splitChance: 0.5 })
    const log: string[] = []
    far.destroy()
    near.destroy()
    const again = await pair(4, { splitChance: 0.5 })
    for (let i = 0; i < 30; i++) again.near.write([Buffer.from(`message ${i}`)])
    again.clock.after(5, () => log.push(again.server.bytes))
    again.clock.advance(100)
    return [log, again.server.chunks, clock.monotonic()]
  }
  assert.deepEqual(await run(), await run())
})

test('hosts have addresses, names lead to them, loopback is the host itself', async () => {
  const { clock, net } = network()
  const host = net.host('a')
  const remotes: string[] = []
  const listener = await host.listen({ host: '127.0.0.1', port: 0 }, socket => remotes.push(socket.remote.host))
  assert.deepEqual(host.ownAddresses(), ['10.0.0.1'])
  assert.equal(net.addressOf('a'), '10.0.0.1')
  for (const name of ['localhost', 'a', '10.0.0.1']) {
    await clock.until(host.connect({ host: name, port: listener.address.port }))
  }
  assert.deepEqual(remotes, ['10.0.0.1', '10.0.0.1', '10.0.0.1'])
})

test('connecting is refused without a listener, and times out without a host or a way', async () => {
  const { clock, net } = network()
  const client = net.host('client')
  const server = net.host('server')
  await assert.rejects(clock.until(client.connect({ host: 'server', port: 1 })), { code: 'ECONNREFUSED' })
  await assert.rejects(clock.until(client.connect({ host: 'nobody', port: 1 })), { code: 'ETIMEOUT' })
  const listener = await server.listen({ host: 'server', port: 1 }, () => {})
  await assert.rejects(
    server.listen({ host: '', port: 1 }, () => {}),
    { code: 'EADDRINUSE' },
  )
  net.partition('client', 'server')
  const started = clock.monotonic()
  await assert.rejects(clock.until(client.connect({ host: 'server', port: 1 }, { timeoutMs: 70 })), {
    code: 'ETIMEOUT',
  })
  assert.equal(clock.monotonic() - started, 70)
  net.healAll()
  await clock.until(client.connect({ host: 'server', port: 1 }))
  await listener.close()
  await assert.rejects(clock.until(client.connect({ host: 'server', port: 1 })), { code: 'ECONNREFUSED' })
})

test('an end sends what is queued, is answered with an end, and both are told once without an error', async () => {
  const { clock, near, client, server } = await pair()
  near.write([Buffer.from('last words')])
  near.end()
  near.write([Buffer.from('too late')])
  clock.advance(100)
  assert.equal(server.bytes, 'last words')
  assert.deepEqual([client.closed, server.closed], [[undefined], [undefined]])
})

test('destroy loses what is under way or not, as TCP may; both are told exactly once', async () => {
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 30; seed++) {
    const { clock, near, client, server } = await pair(seed)
    near.write([Buffer.from('x')])
    near.destroy()
    near.destroy()
    clock.advance(100)
    assert.deepEqual(client.closed, [undefined])
    outcomes.add(`${server.bytes}:${server.closed.map(String)}`)
  }
  assert.deepEqual([...outcomes].sort(), [':ECONNRESET', 'x:undefined'])
})

test('a paused reader holds the bytes back: they count as unsent above the kernel buffer, then drain', async () => {
  const { clock, near, far, client, server } = await pair()
  far.pause()
  near.write([Buffer.alloc(100_000)])
  clock.advance(100)
  assert.equal(near.unsentBytes, 100_000 - 65_536)
  assert.equal(client.drained, 0)
  assert.equal(server.bytes.length, 0)
  far.resume()
  clock.advance(100)
  assert.equal(server.bytes.length, 100_000)
  assert.equal(near.unsentBytes, 0)
  assert.equal(client.drained, 1)
})

test('a partition holds bytes back and loses none; after it is healed they arrive', async () => {
  const { clock, net, near, server } = await pair()
  net.partition('client', 'server')
  near.write([Buffer.from('held')])
  clock.advance(60_000)
  assert.equal(server.bytes, '')
  net.heal('server', 'client')
  clock.advance(10)
  assert.equal(server.bytes, 'held')
})

test('a reset is told to both sides as ECONNRESET', async () => {
  const { clock, net, client, server } = await pair()
  net.reset('client', 'server')
  clock.advance(10)
  assert.deepEqual([client.closed, server.closed], [['ECONNRESET'], ['ECONNRESET']])
})

test('a killed host resets its peers, one without power leaves them in the dark', async () => {
  const killed = await pair()
  killed.net.drop('server', { announce: true })
  killed.clock.advance(10)
  assert.deepEqual(killed.client.closed, ['ECONNRESET'])
  const dark = await pair()
  dark.net.drop('server', { announce: false })
  dark.near.write([Buffer.from('anybody?')])
  dark.clock.advance(60_000)
  assert.deepEqual(dark.client.closed, [])
  await assert.rejects(dark.clock.until(dark.net.host('client').connect({ host: 'server', port: 9876 })), {
    code: 'ETIMEOUT',
  })
})

test('with a chance of resets some connections break, and the seed says which', async () => {
  const broken = async (seed: number) => {
    const { clock, near, client } = await pair(seed, { resetChance: 0.2 })
    near.write([Buffer.from('x')])
    clock.advance(10)
    return client.closed.length
  }
  const first = await Promise.all(Array.from({ length: 40 }, (_, seed) => broken(seed)))
  assert.ok(first.includes(0) && first.includes(1))
  assert.deepEqual(await Promise.all(Array.from({ length: 40 }, (_, seed) => broken(seed))), first)
})

test('a simulated runtime moves only with its clock', () => {
  const { clock, turn, disk, net, random } = simRuntime({ seed: 11, host: 'broker-a' })
  let ran = 0
  turn.join('write', () => ran++).arm()
  assert.equal(ran, 0)
  clock.advance(0)
  assert.equal(ran, 1)
  disk.writeFile('/a', Buffer.from('a'))
  assert.equal(disk.stat('/a')?.modifiedAtMs, clock.now())
  assert.deepEqual(net.ownAddresses(), ['10.0.0.1'])
  assert.equal(random.seed, 11)
})

test('what comes for a connection that its other end has closed behind a partition is answered with a reset', async () => {
  // An end that was sent arrives when the way is free; by chance there is none.
  for (let seed = 1; seed <= 8; seed++) {
    const { clock, net } = network(seed)
    let far: Socket | undefined
    const accept = (socket: Socket) => {
      far = socket
      watch(socket)
    }
    await clock.until(net.host('b').listen({ host: '0.0.0.0', port: 1 }, accept))
    const near = await clock.until(net.host('a').connect({ host: net.addressOf('b'), port: 1 }))
    const seen = watch(near)
    await clock.advanceAsync(10)
    net.partition('a', 'b')
    far?.destroy()
    await clock.advanceAsync(1000)
    assert.deepEqual(seen.closed, [])
    net.healAll()
    near.write([Buffer.from('is anybody there')])
    await clock.advanceAsync(1000)
    assert.equal(seen.closed.length, 1, `seed ${seed}`)
  }
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queryConsumerOffset, updateBrokerConfig } from '@skua-mq/protocol'
import { ok, RemotingClient, RemotingServer, route } from '@skua-mq/remoting'
import { delay, type Event, EventHub, SimClock, simRuntime } from '@skua-mq/runtime'
import { LoopStalls, stallLookMs } from '../../src/slow/loop-stalls.ts'
import { SlowRequests, slowLines, slowLinesMs } from '../../src/slow/slow-requests.ts'
import { pullFrame, RawPeer } from '../raw-peer.ts'
import { World } from '../world.ts'

type Fields = Readonly<Record<string, unknown>>
const slowIn = (events: readonly Event[]): Fields[] =>
  events.filter(({ name }) => name === 'slow request').map(({ fields }) => fields)
const about = (value: unknown, ms: number) => assert.ok(Math.abs(Number(value) - ms) < 60, `${value} instead of ${ms}`)

/** A broker with a topic, and its lines since then. */
async function made(config: ConstructorParameters<typeof World>[0] = {}) {
  const world = await new World(config).start()
  const peer = world.client('client')
  await peer.send('T', 'made')
  await world.pass(1000)
  const before = slowIn(world.events).length
  return { world, peer, lines: () => slowIn(world.events).slice(before) }
}

test('a send says that it waited for the fdatasync, and nothing of what is in it; a fast one says nothing', async () => {
  const { world, peer, lines } = await made({ flushDiskType: 'SYNC_FLUSH', slowRequestMs: 300 })
  await peer.send('T', 'fast')
  assert.deepEqual(lines(), [])
  const lift = world.runtime.disk.faults.slow({ on: 'sync', ms: 800, path: 'commitlog' })
  await peer.send('T', 'a secret body', { properties: { KEYS: 'a secret key' } })
  lift()
  const [line, ...more] = lines()
  assert.deepEqual(more, [])
  const { request, cause, responseCode, flushMs, tookMs } = line!
  assert.deepEqual([request, cause, responseCode], ['SEND_MESSAGE_V2', 'waited for the fdatasync', 0])
  about(flushMs, 800)
  about(tookMs, 800)
  assert.doesNotMatch(JSON.stringify(world.events), /secret/)
  await world.stop()
})

test('a send says that the write to the log took long', async () => {
  const { world, peer, lines } = await made()
  const lift = world.runtime.disk.faults.slow({ on: 'write', ms: 700, path: 'commitlog' })
  await peer.send('T', 'one')
  lift()
  assert.equal(lines()[0]?.['cause'], 'waited for the write to the commit log')
  about(lines()[0]?.['writeMs'], 700)
  await world.stop()
})

test('a held pull is not slow, however long it is held', async () => {
  const { world, lines } = await made()
  const raw = await RawPeer.open(world)
  raw.write(pullFrame(1, { queueOffset: '1', sysFlag: '6', suspendTimeoutMillis: '15000' }))
  await world.pass(20_000)
  assert.deepEqual([raw.replies.length, lines()], [1, []])
  await world.stop()
})

test('a pull says that it waited for the disk', async () => {
  const config = {
    logRingBytes: 4096,
    logChunkBytes: 1024,
    logReadBytes: 0,
    queueBlockBytes: 0,
    maxMessageSize: 100_000,
  }
  const { world, peer, lines } = await made(config)
  for (let i = 0; i < 20; i++) await peer.send('T', 'x'.repeat(3000))
  const lift = world.runtime.disk.faults.slow({ on: 'read', ms: 900, path: 'commitlog' })
  const raw = await RawPeer.open(world)
  raw.write(pullFrame(1, { queueOffset: '0', sysFlag: '4' }))
  await world.pass(5000)
  lift()
  assert.equal(raw.replies.length, 1)
  const [line] = lines()
  assert.deepEqual([line?.['request'], line?.['cause']], ['PULL_MESSAGE', 'waited for reads from the disk'])
  assert.ok(Number(line?.['readMs']) >= 900)
  await world.stop()
})

test('slowRequestMs is live, and 0 is none', async () => {
  const { world, peer, lines } = await made({ flushDiskType: 'SYNC_FLUSH', slowRequestMs: 0 })
  const slowSend = async () => {
    const lift = world.runtime.disk.faults.slow({ on: 'sync', ms: 800, path: 'commitlog' })
    await peer.send('T', 'one')
    lift()
  }
  await slowSend()
  assert.deepEqual(lines(), [])
  await peer.ask(updateBrokerConfig, {}, 'slowRequestMs=500\n')
  await slowSend()
  assert.equal(lines().length, 1)
  await peer.ask(updateBrokerConfig, {}, 'slowRequestMs=5000\n')
  await slowSend()
  assert.equal(lines().length, 1)
  await world.stop()
})

/** A server that takes its time: for queue 1 it awaits, for queue 2 it blocks the loop. */
async function slowServer() {
  const runtime = simRuntime({ seed: 1, host: 'server' })
  const { clock, network } = runtime
  const seen: Event[] = []
  const events = new EventHub()
  events.subscribe(event => seen.push(event))
  const slow = new SlowRequests({ slowRequestMs: 500 }, { clock, events })
  slow.follow()
  const server = new RemotingServer({
    ...{ ...runtime, name: 'test', listen: [{ host: '0.0.0.0', port: 7000 }], slow },
    routes: [
      route(queryConsumerOffset, async ({ queueId }) => {
        if (queueId === 1) await delay(clock, 700)
        if (queueId === 2) clock.block(700)
        return ok({ offset: 1 })
      }),
    ],
  })
  await clock.until(server.start())
  const client = new RemotingClient(simRuntime({ seed: 2, host: 'client', clock, network }))
  const ask = (queueId: number) => {
    const place = { consumerGroup: 'g', topic: 'T', queueId }
    return client.request(`${network.addressOf('server')}:7000`, queryConsumerOffset, place, { timeoutMs: 60_000 })
  }
  const stop = async () => {
    slow.stop()
    await clock.until(client.close())
    await clock.until(server.stop())
  }
  return { clock, seen, ask, stop }
}

test('a handler that takes its time says so, and one that waits while the loop is blocked says that', async () => {
  const { clock, seen, ask, stop } = await slowServer()
  await clock.until(ask(0))
  await clock.until(ask(1))
  assert.equal(slowIn(seen).length, 1)
  assert.equal(slowIn(seen)[0]?.['cause'], 'its handler')
  const waiting = ask(1)
  await clock.advanceAsync(250)
  clock.block(2000)
  await clock.until(waiting)
  const [, line] = slowIn(seen)
  assert.equal(line?.['cause'], 'the loop was blocked')
  assert.ok(Number(line?.['loopMs']) >= 1800, JSON.stringify(line))
  assert.equal(seen.filter(({ name }) => name === 'the event loop was blocked').length, 1)
  await stop()
})

test('who comes in the same packet behind one that blocks the loop says that it waited behind others', async () => {
  const { clock, seen, ask, stop } = await slowServer()
  await clock.until(ask(0))
  const both = [ask(2), ask(0)]
  await clock.until(Promise.all(both))
  assert.deepEqual(
    slowIn(seen).map(({ cause }) => cause),
    ['its handler', 'waited behind other requests'],
  )
  await stop()
})

test('lines are bounded, and the next one says how many were left out', async () => {
  const { clock, seen, ask, stop } = await slowServer()
  await clock.until(Promise.all(Array.from({ length: slowLines + 5 }, () => ask(1))))
  assert.equal(slowIn(seen).length, slowLines)
  await clock.advanceAsync(slowLinesMs)
  await clock.until(ask(1))
  assert.equal(slowIn(seen).at(-1)?.['leftOut'], 5)
  await stop()
})

test('what blocked the loop is known by its time, also while it is still blocked', () => {
  const clock = new SimClock()
  const told: number[] = []
  const stalls = new LoopStalls(clock, ms => told.push(ms))
  stalls.start()
  clock.advance(stallLookMs * 10)
  const begun = clock.monotonic()
  assert.equal(stalls.within(begun - 500, begun), 0)
  clock.block(stallLookMs + 400)
  assert.equal(stalls.within(begun, clock.monotonic()), 400)
  clock.advance(0)
  assert.deepEqual(told, [400])
  const ended = clock.monotonic()
  assert.equal(stalls.within(begun, ended), 400)
  assert.equal(stalls.within(ended - 150, ended), 150)
  clock.advance(stallLookMs * 3)
  assert.equal(stalls.within(ended + 1, clock.monotonic()), 0)
  stalls.stop()
  assert.equal(clock.nextInMs, undefined)
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hotPull } from '@skua-mq/protocol'
import { hotRoute, RemotingServer } from '@skua-mq/remoting'
import { configOf, type SimRuntime, simRuntime } from '@skua-mq/runtime'
import type { GetResult } from '@skua-mq/store'
import { brokerOptions } from '../../src/index.ts'
import { PullHandler, type PullParts } from '../../src/pull/pull-handler.ts'
import { pullFrame } from '../raw-peer.ts'

const settings = {
  ...configOf(brokerOptions, {}),
  brokerPermission: () => 6,
  slowReaderBytes: () => 1,
}

/** Serves pulls of one topic out of what `get` reads. */
function serverOf(
  runtime: SimRuntime,
  { get, counted }: Pick<PullParts, 'counted'> & Pick<PullParts['store'], 'get'>,
): RemotingServer {
  const handler = new PullHandler({
    store: { get, minOffset: () => 0, maxOffset: () => 1 },
    clock: runtime.clock,
    topic: () => ({ readQueueNums: 8, perm: 6, topicSysFlag: 0 }),
    group: () => ({ consumeEnable: true, consumeBroadcastEnable: true, brokerId: 0, whichBrokerWhenConsumeSlowly: 1 }),
    filterOf: () => undefined,
    commit: () => {},
    counted,
    settings,
  })
  return new RemotingServer({
    ...runtime,
    name: 'test',
    listen: [{ host: 'host', port: 10_911 }],
    routes: [],
    hot: [hotRoute(hotPull, (view, token) => handler.handle(view, token))],
  })
}

/** Pulls of a disk that takes 20 ms for each, and gives so many bytes. */
async function slowDisk(bytes: number) {
  const runtime = simRuntime({ seed: 1 })
  const counts = { reading: 0, most: 0, all: 0, pinned: 0, mostPinned: 0 }
  const get = (_request: unknown, result: GetResult) => {
    counts.reading++
    counts.all++
    counts.most = Math.max(counts.most, counts.reading)
    return new Promise<void>(resolve => {
      runtime.clock.after(20, () => {
        counts.reading--
        counts.pinned++
        counts.mostPinned = Math.max(counts.mostPinned, counts.pinned)
        result.status = 'found'
        result.count = 1
        result.bytes = bytes
        const pin = {
          get pins() {
            return 1
          },
          set pins(_value: number) {
            counts.pinned--
          },
        }
        result.pinned.push(pin)
        result.slices.push(Buffer.alloc(bytes))
        resolve()
      })
    })
  }
  const server = serverOf(runtime, { get })
  await runtime.clock.until(server.start())
  const connect = async () => {
    const socket = await runtime.clock.until(runtime.net.connect({ host: 'host', port: 10_911 }))
    const state = { bytes: 0 }
    socket.start({ data: chunk => (state.bytes += chunk.length), drained: () => {}, closed: () => {} })
    return { socket, state }
  }
  return { runtime, counts, connect, server }
}

test('reads for a connection are on its account while they are under way, and none begins above its bound', async () => {
  const { runtime, counts, connect } = await slowDisk(64 * 1024)
  const { socket, state } = await connect()
  for (let i = 0; i < 1000; i++) socket.write([pullFrame(i)])
  await runtime.clock.advanceAsync(15)
  // 4 MiB of reads that are taken to bring 256 KiB each.
  assert.equal(counts.reading, 16)
  await runtime.clock.advanceAsync(60_000)
  // What they brought is known by now.
  assert.ok(counts.most <= 64, String(counts.most))
  assert.equal(counts.all, 1000)
  assert.ok(state.bytes > 1000 * 64 * 1024)
  assert.deepEqual([counts.reading, counts.pinned], [0, 0])
})

test('a consumer that never reads has a few megabytes read for it, and no more; what it asked before its end is not read', async () => {
  const { runtime, counts, connect, server } = await slowDisk(1024 * 1024)
  const { socket } = await connect()
  socket.pause()
  for (let i = 0; i < 1000; i++) socket.write([pullFrame(i)])
  await runtime.clock.advanceAsync(5000)
  assert.ok(counts.all <= 20, `${counts.all} MiB were read`)
  runtime.network.reset('host', 'host')
  await runtime.clock.advanceAsync(5000)
  assert.ok(counts.all <= 20, `${counts.all} MiB were read`)
  assert.deepEqual([counts.reading, counts.pinned, server.connectionCount], [0, 0, 0])
})

test('what a read brings for a connection that closed meanwhile is given back', async () => {
  const { runtime, counts, connect } = await slowDisk(64 * 1024)
  const { socket } = await connect()
  for (let i = 0; i < 3; i++) socket.write([pullFrame(i)])
  await runtime.clock.advanceAsync(10)
  assert.equal(counts.reading, 3)
  socket.destroy()
  await runtime.clock.advanceAsync(100)
  assert.deepEqual([counts.all, counts.reading, counts.pinned], [3, 0, 0])
})

test('a read that fails, or an answer that does, costs its own pull', async () => {
  const runtime = simRuntime({ seed: 1 })
  let round = 0
  const server = serverOf(runtime, {
    get: (_request, result) => {
      round++
      if (round === 1) return Promise.reject(new Error('the disk is gone'))
      result.status = 'found'
      return Promise.resolve()
    },
    counted: () => {
      if (round === 2) throw new TypeError('a figure that is none')
    },
  })
  await runtime.clock.until(server.start())
  const socket = await runtime.clock.until(runtime.net.connect({ host: 'host', port: 10_911 }))
  let text = ''
  socket.start({ data: chunk => (text += chunk.toString('latin1')), drained: () => {}, closed: () => {} })
  for (let i = 1; i < 4; i++) {
    socket.write([pullFrame(i)])
    await runtime.clock.advanceAsync(10)
  }
  assert.match(text, /"code":1,.*the disk is gone.*"code":1,.*a figure that is none.*"code":0,/s)
})

test('each of several reads under way is counted, and held, as what was asked for', async () => {
  const runtime = simRuntime({ seed: 1 })
  const counted: string[] = []
  const server = serverOf(runtime, {
    get: ({ queueId }, result) =>
      new Promise(resolve => {
        runtime.clock.after(20, () => {
          // Each second one finds nothing, and waits.
          result.status = queueId % 2 === 0 ? 'found' : 'offsetOverflowOne'
          result.maxOffset = 1
          resolve()
        })
      }),
    counted: ({ consumerGroup, topic, queueId, queueOffset }) =>
      counted.push(`${consumerGroup} ${topic} ${queueId} ${queueOffset}`),
  })
  await runtime.clock.until(server.start())
  const socket = await runtime.clock.until(runtime.net.connect({ host: 'host', port: 10_911 }))
  socket.start({ data: () => {}, drained: () => {}, closed: () => {} })
  const pulls = [0, 1, 2, 3].map(i =>
    pullFrame(i, {
      consumerGroup: `g${i}`,
      topic: `T${i}`,
      queueId: String(i),
      queueOffset: String(i),
      sysFlag: '6',
      suspendTimeoutMillis: '1000',
    }),
  )
  socket.write([Buffer.concat(pulls)])
  await runtime.clock.advanceAsync(500)
  assert.deepEqual(counted, ['g0 T0 0 0', 'g2 T2 2 2'])
  await runtime.clock.advanceAsync(2000)
  assert.deepEqual(counted.slice(2), ['g1 T1 1 1', 'g3 T3 3 3'])
})

const oneway = (opaque: number) =>
  Buffer.from(pullFrame(opaque).toString('latin1').replace('"flag":0', '"flag":2'), 'latin1')

test('a connection that cold reads have paused goes on when they end without an answer', async () => {
  const { runtime, counts, connect } = await slowDisk(64 * 1024)
  const { socket, state } = await connect()
  // Of so many, one read is more than a connection's share.
  for (let i = 0; i < 1100; i++) await connect()
  // One-way: nobody is answered, so that no write wakes the connection.
  for (let i = 0; i < 40; i++) socket.write([oneway(i)])
  await runtime.clock.advanceAsync(10_000)
  assert.equal(counts.all, 40)
  socket.write([pullFrame(41)])
  await runtime.clock.advanceAsync(1000)
  assert.ok(state.bytes > 64 * 1024)
})

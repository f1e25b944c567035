import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Http2Handlers, type Http2Stream, SimClock } from '@skua-mq/runtime'
import { Call } from '../../src/grpc/call.ts'
import { framed } from '../../src/grpc/frames.ts'
import { type Answers, bothWays, serverStream } from '../../src/grpc/method.ts'
import { Shares } from '../../src/grpc/shares.ts'
import { QueryRouteRequest as Request, QueryRouteResponse as Response } from '../../src/v2/requests.ts'

/** A stream whose peer takes what the test says. */
class HeldStream implements Http2Stream {
  readonly method = 'POST'
  readonly path = '/'
  readonly authority = ''
  readonly remote = { host: '', port: 0 }
  readonly local = { host: '', port: 0 }
  readonly connection = {}
  open = true
  unsentBytes = 0
  told: Readonly<Record<string, string>> = {}
  peer!: Http2Handlers
  private readonly waiting: ((isTaken: boolean) => void)[] = []

  header(): undefined {
    return undefined
  }

  start(handlers: Http2Handlers): void {
    this.peer = handlers
  }

  respond(): void {}

  write(_bytes: Uint8Array, taken?: (isTaken: boolean) => void): void {
    if (taken !== undefined) this.waiting.push(taken)
  }

  end(trailers: Readonly<Record<string, string>>): void {
    this.told = trailers
  }

  refuse(headers: Readonly<Record<string, string>>): void {
    this.told = headers
    this.close()
  }

  reset(): void {
    this.close()
  }

  take(): void {
    this.waiting.shift()?.(true)
  }

  private close(): void {
    this.open = false
    for (const taken of this.waiting.splice(0)) taken(false)
  }
}

function setting(
  maxOwedBytes = 1_000_000,
  { maxUnsentBytes = 1_000_000, carried = new Shares<Call>(1_000_000, () => assert.fail('nothing is carried')) } = {},
) {
  const clock = new SimClock()
  const calls: Call[] = []
  const owed = new Shares<Call>(maxOwedBytes, call => call.cut())
  const parts = {
    ...{ clock, owed, maxMessageBytes: 10_000, maxUnsentBytes, failed: assert.fail },
    ...{ carried, closed: () => {} },
  }
  const check = async (ms: number) => {
    await clock.advanceAsync(ms)
    for (const call of calls) call.check(clock.monotonic())
  }
  const begin = (method: ConstructorParameters<typeof Call>[1]) => {
    const stream = new HeldStream()
    const call = new Call(stream, method, parts)
    calls.push(call)
    call.start()
    return stream
  }
  return { check, begin }
}

const types = { request: Request, response: Response }
const request = framed(Request.encode({ topic: { name: 'T' } }))
const large = { status: { code: 1, message: 'x'.repeat(1000) } }

test('a request that does not become whole is waited for for a minute; a whole one may take as long as it wants', async () => {
  const { check, begin } = setting()
  const never = serverStream('M', types, () => new Promise(() => {}))
  const [silent, half, whole] = [begin(never), begin(never), begin(never)]
  half.peer.data(request.subarray(0, 6))
  whole.peer.data(request)
  await check(59_000)
  assert.deepEqual([silent.open, half.open, whole.open], [true, true, true])
  await check(2000)
  assert.deepEqual([silent.told['grpc-status'], half.told['grpc-status']], ['4', '4'])
  await check(100_000)
  assert.ok(whole.open)
})

test('a stream both ways may be silent for ever, but not in the middle of a message', async () => {
  const { check, begin } = setting()
  const stream = begin(bothWays('M', types, () => {}))
  await check(1_000_000)
  stream.peer.data(request)
  await check(1_000_000)
  assert.ok(stream.open)
  stream.peer.data(request.subarray(0, 6))
  await check(61_000)
  assert.equal(stream.told['grpc-status'], '4')
})

test('whoever takes nothing of his answers for a minute is cut off; who takes some goes on', async () => {
  const { check, begin } = setting()
  const streams: Answers<typeof large>[] = []
  const method = bothWays('M', types, stream => void streams.push(stream))
  const [stalled, slow] = [begin(method), begin(method)]
  for (const stream of streams) for (let i = 0; i < 5; i++) stream.send(large)
  for (let i = 0; i < 4; i++) {
    await check(20_000)
    slow.take()
  }
  assert.deepEqual([stalled.open, slow.open], [false, true])
})

test('an ended call whose last answer nobody takes is cut off as well', async () => {
  const { check, begin } = setting()
  const stream = begin(
    serverStream('M', types, async (_request, answers) => {
      answers.send(large)
    }),
  )
  stream.peer.data(request)
  await check(1000)
  assert.equal(stream.told['grpc-status'], '0')
  assert.ok(stream.open)
  await check(61_000)
  assert.ok(!stream.open)
})

test('above the bound of all together, whoever is owed most is cut off', () => {
  const { begin } = setting(10_000)
  const streams: Answers<typeof large>[] = []
  const method = bothWays('M', types, stream => void streams.push(stream))
  const [hoarder, honest] = [begin(method), begin(method)]
  for (let i = 0; i < 8; i++) streams[0]?.send(large)
  for (let i = 0; i < 3; i++) streams[1]?.send(large)
  assert.deepEqual([hoarder.open, honest.open], [false, true])
})

test('more than grpcMaxUnsentBytes do not wait for one client: its call ends and says why', () => {
  const { begin } = setting(1_000_000, { maxUnsentBytes: 5000 })
  const streams: Answers<typeof large>[] = []
  const stream = begin(bothWays('M', types, each => void streams.push(each)))
  const sent = Array.from({ length: 8 }, () => streams[0]!.send(large))
  assert.deepEqual(sent, [true, true, true, true, false, false, false, false])
  assert.equal(stream.told['grpc-status'], '8')
  assert.match(stream.told['grpc-message']!, /grpcMaxUnsentBytes/)
})

test('a call that ends gives back the memory of what it was sent in part', async () => {
  const held: number[] = []
  const carried = new Shares<Call>(2000, () => held.push(1))
  const { check, begin } = setting(1_000_000, { carried })
  const never = serverStream('M', types, () => new Promise(() => {}))
  // Each holds less than all may; together, were they kept, they would be far above it.
  for (let n = 0; n < 10; n++) {
    const stream = begin(never)
    const half = Buffer.alloc(1500)
    half.writeUInt32BE(9000, 1)
    stream.peer.data(half)
    assert.deepEqual(held, [], `call ${n}`)
    await check(61_000)
  }
})

test('messages of a stream are worked on one after the other', async () => {
  const { begin } = setting()
  let running = 0
  let most = 0
  let done = 0
  const stream = begin(
    bothWays('M', types, each =>
      each.onMessage(async () => {
        most = Math.max(most, ++running)
        await Promise.resolve()
        running--
        done++
      }),
    ),
  )
  for (let n = 0; n < 5; n++) stream.peer.data(request)
  for (let n = 0; n < 50; n++) await Promise.resolve()
  assert.deepEqual([most, done], [1, 5])
})

import assert from 'node:assert/strict'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { configOf, NodeHttp2, nodeRuntime } from '@skua-mq/runtime'
import { framed } from '../src/grpc/frames.ts'
import { Gateway, gatewayOptions } from '../src/index.ts'
import {
  AckMessageRequest,
  AckMessageResponse,
  QueryRouteRequest,
  QueryRouteResponse,
  SendMessageRequest,
  SendMessageResponse,
} from '../src/v2/requests.ts'

const service = '/apache.rocketmq.v2.MessagingService/'

describe('peers that are careless, broken or hostile', () => {
  let gateway: Gateway
  let session: ClientHttp2Session

  before(async () => {
    gateway = new Gateway({
      config: configOf(gatewayOptions, {
        ...{ grpcServerPort: 0, grpcMaxMessageBytes: 1024 * 1024, grpcMaxCarryBytes: 4 * 1024 * 1024 },
        ...{ grpcMaxStreams: 100, grpcMaxConnections: 20, grpcMaxClients: 5 },
      }),
      ...{ runtime: nodeRuntime(), http2: new NodeHttp2(), nameServers: [] },
    })
    await gateway.start()
    session = connect(`http://127.0.0.1:${gateway.address.port}`)
  })

  after(async () => {
    session.destroy()
    await gateway.stop()
  })

  interface Answer {
    readonly http: number
    readonly status: string
    readonly message: string
    readonly body: Buffer
  }

  function call(path: string, { headers = {}, on = session }: { headers?: object; on?: ClientHttp2Session } = {}) {
    const stream: ClientHttp2Stream = on.request({
      ...{ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' },
      ...headers,
    })
    const answer = new Promise<Answer>((resolve, reject) => {
      let told: Record<string, unknown> = {}
      const chunks: Buffer[] = []
      stream.on('response', head => (told = { ...told, ...head }))
      stream.on('trailers', trailers => (told = { ...told, ...trailers }))
      stream.on('data', chunk => chunks.push(chunk))
      stream.on('error', reject)
      stream.on('close', () =>
        resolve({
          http: Number(told[':status']),
          status: String(told['grpc-status']),
          message: String(told['grpc-message']),
          body: Buffer.concat(chunks),
        }),
      )
    })
    answer.catch(() => {})
    return { stream, answer }
  }

  async function codeOf(on = session, id = 'client'): Promise<number | undefined> {
    const { stream, answer } = call(`${service}QueryRoute`, { headers: { 'x-mq-client-id': id }, on })
    stream.end(framed(QueryRouteRequest.encode({ topic: { name: 'T' } })))
    const { status, body } = await answer
    assert.equal(status, '0')
    return QueryRouteResponse.decode(body.subarray(5)).status?.code
  }

  /** An honest call still gets its answer: here, that no name server is there. */
  const isAlive = async () => assert.equal(await codeOf(), 50_001)

  test('a method that is not there, and one that this server does not have', async () => {
    for (const name of ['Nothing', 'PullMessage', 'QueryOffset']) {
      const { stream, answer } = call(`${service}${name}`)
      stream.end()
      const { http, status } = await answer
      assert.deepEqual({ http, status }, { http: 200, status: '12' })
    }
  })

  test('what is not gRPC', async () => {
    for (const [headers, http] of [
      [{ 'content-type': 'application/json' }, 415],
      [{ 'content-type': 'application/grpc-web+proto' }, 415],
      [{ ':method': 'GET' }, 405],
    ] as const) {
      const { stream, answer } = call(`${service}QueryRoute`, { headers })
      stream.end()
      const told = await answer
      assert.equal(told.http, http)
      assert.match(String(told.body), /gRPC/)
    }
    const { stream, answer } = call(`${service}QueryRoute`, { headers: { ':method': 'HEAD' } })
    stream.end()
    const told = await answer
    assert.deepEqual([told.http, told.body.length], [405, 0])
    await isAlive()
  })

  test('requests that are too long, compressed, cut off, twice, none, or not protocol buffers', async () => {
    const tooLong = Buffer.from([0, 0xff, 0xff, 0xff, 0xff])
    const request = framed(QueryRouteRequest.encode({ topic: { name: 'T' } }))
    for (const [bytes, status] of [
      [tooLong, '8'],
      [Buffer.from([1, 0, 0, 0, 0]), '12'],
      [request.subarray(0, 6), '13'],
      [Buffer.concat([request, request]), '13'],
      [Buffer.alloc(0), '13'],
      [framed(Buffer.from('ffffffff', 'hex')), '13'],
    ] as const) {
      const { stream, answer } = call(`${service}QueryRoute`)
      stream.end(bytes)
      assert.equal((await answer).status, status, bytes.toString('hex'))
    }
    await isAlive()
  })

  test('a call without a client id is told so in its answer', async () => {
    assert.equal(await codeOf(session, ' '), 40_017)
  })

  test('uploads that never end hold so much together and no more', async () => {
    const half = Buffer.alloc(900 * 1024)
    half.writeUInt32BE(1024 * 1024, 1)
    const calls = Array.from({ length: 8 }, () => call(`${service}SendMessage`))
    for (const { stream } of calls) stream.write(half)
    const ended = await Promise.race([
      Promise.any(calls.map(({ answer }) => answer)),
      new Promise<undefined>(resolve => setTimeout(() => resolve(undefined), 5000)),
    ])
    assert.equal(ended?.status, '8')
    await isAlive()
    for (const { stream } of calls) stream.close()
  })

  test('settings of more clients than are kept are refused, those of the others stay', async () => {
    const { stream, answer } = call(`${service}Telemetry`, { headers: { 'x-mq-client-id': 'c' } })
    stream.end(framed(Buffer.from([0x12, 0])))
    assert.equal((await answer).status, '3', 'settings without publishing or subscription')
    await isAlive()
  })

  test('a stream with more settings than anybody can work on is ended', async () => {
    const { stream, answer } = call(`${service}Telemetry`, { headers: { 'x-mq-client-id': 'eager' } })
    // publishing { topics [{ name: 'T' }] }
    const settings = framed(Buffer.from('12072a050a03120154', 'hex'))
    stream.write(Buffer.concat(Array.from({ length: 1000 }, () => settings)))
    assert.equal((await answer).status, '8')
    await isAlive()
  })

  test('more messages, or handles, in one request than anybody has', async () => {
    const message = { topic: { name: 'T' }, body: Buffer.from('x') }
    const send = call(`${service}SendMessage`, { headers: { 'x-mq-client-id': 'c' } })
    send.stream.end(
      framed(SendMessageRequest.encode({ messages: Array.from({ length: 2000 }, () => message) as never })),
    )
    const sent = SendMessageResponse.decode((await send.answer).body.subarray(5))
    assert.deepEqual([sent.status?.code, sent.entries.length], [41_300, 0])
    const ack = call(`${service}AckMessage`, { headers: { 'x-mq-client-id': 'c' } })
    const names = { topic: { name: 'T' }, group: { name: 'G' } }
    const entries = Array.from({ length: 2000 }, () => ({ receiptHandle: 'x' }))
    ack.stream.end(framed(AckMessageRequest.encode({ ...names, entries })))
    const acked = AckMessageResponse.decode((await ack.answer).body.subarray(5))
    assert.deepEqual([acked.status?.code, acked.entries.length], [40_000, 0])
  })

  test('a handle whose message comes again settles nothing, and no broker is asked', async () => {
    const handleOf = (popTime: number) => `5 ${popTime} 60000 1 0 b 2 5 100`
    const ack = call(`${service}AckMessage`, { headers: { 'x-mq-client-id': 'c' } })
    const names = { topic: { name: 'T' }, group: { name: 'G' } }
    const entries = [Date.now() - 61_000, Date.now()].map(popTime => ({ receiptHandle: handleOf(popTime) }))
    ack.stream.end(framed(AckMessageRequest.encode({ ...names, entries })))
    const acked = AckMessageResponse.decode((await ack.answer).body.subarray(5))
    assert.deepEqual(
      acked.entries.map(({ status }) => status?.code),
      [40_013, 50_001],
      'the second one asks, and no name server is there',
    )
  })

  test('settings longer than any client has are not read', async () => {
    const { stream, answer } = call(`${service}Telemetry`, { headers: { 'x-mq-client-id': 'long' } })
    stream.write(Buffer.from([0, 0, 0x20, 0, 0]))
    assert.equal((await answer).status, '8')
  })

  test('streams that are reset as soon as they are begun', async () => {
    const other = connect(`http://127.0.0.1:${gateway.address.port}`)
    other.on('error', () => {})
    for (let i = 0; i < 5000 && !other.destroyed; i++) {
      const { stream } = call(`${service}ReceiveMessage`, { on: other })
      stream.on('error', () => {})
      stream.close(8)
      if (i % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    await isAlive()
    other.destroy()
  })

  test('headers without end', async () => {
    const other = connect(`http://127.0.0.1:${gateway.address.port}`)
    other.on('error', () => {})
    const headers = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'y'.repeat(1000)]))
    try {
      const { answer } = call(`${service}QueryRoute`, { headers, on: other })
      await answer.catch(() => {})
    } catch {}
    await isAlive()
    other.destroy()
  })

  test('connections that say nothing, half of a greeting, or something else', async () => {
    const sockets = ['', 'PRI * HT', 'GET / HTTP/1.1\r\n\r\n', '\u0016\u0003\u0001', '\u0000\u0000\u0000\u0010'].map(
      text => {
        const socket = connectTcp(gateway.address.port, '127.0.0.1')
        socket.on('error', () => {})
        socket.write(text)
        return socket
      },
    )
    await new Promise(resolve => setTimeout(resolve, 200))
    await isAlive()
    for (const socket of sockets) socket.destroy()
  })

  test('more connections than grpcMaxConnections are closed, and those before them go on', async () => {
    const sockets = Array.from({ length: 40 }, () => connectTcp(gateway.address.port, '127.0.0.1'))
    const closed = await Promise.all(
      sockets.map(
        socket =>
          new Promise<boolean>(resolve => {
            socket.on('error', () => {})
            socket.on('close', () => resolve(true))
            setTimeout(() => resolve(false), 1000)
          }),
      ),
    )
    assert.ok(closed.filter(Boolean).length >= 20, `${closed.filter(Boolean).length} closed`)
    await isAlive()
    for (const socket of sockets) socket.destroy()
  })
})

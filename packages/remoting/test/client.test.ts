import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Command, queryConsumerOffset, updateConsumerOffset } from '@skua-mq/protocol'
import { NetError, type SimRuntime, simRuntime } from '@skua-mq/runtime'
import {
  type Connection,
  ok,
  parseAddress,
  RemotingClient,
  type RemotingClientOptions,
  RemotingServer,
  type RemotingServerParts,
  route,
} from '../src/index.ts'

const place = { consumerGroup: 'g', topic: 't', queueId: 4 }
const port = 9000

/** A client and a server, each on a machine of its own. */
async function world(options: Partial<RemotingClientOptions> = {}, parts: Partial<RemotingServerParts> = {}) {
  const there = simRuntime({ seed: 1, host: 'server' })
  const { clock, network } = there
  const here = simRuntime({ seed: 2, host: 'client', clock, network })
  const seen: Command[] = []
  const connections = new Set<Connection>()
  const server = new RemotingServer({
    ...there,
    name: 'server',
    listen: [{ host: '0.0.0.0', port }],
    routes: [
      route(queryConsumerOffset, ({ queueId }, { command, connection }) => {
        seen.push(command)
        connections.add(connection)
        return ok({ offset: queueId * 10 })
      }),
      route(updateConsumerOffset, (_header, { command, connection }) => {
        seen.push(command)
        connections.add(connection)
        return ok({})
      }),
    ],
    ...parts,
  })
  await clock.until(server.start())
  const client = new RemotingClient({ ...here, ...options })
  const address = `${network.addressOf('server')}:${port}`
  const request = (more: Parameters<RemotingClient['request']>[3] = {}) =>
    clock.until(client.request(address, queryConsumerOffset, place, more))
  return { clock, network, here, there, server, client, address, seen, connections, request }
}

describe('an address', () => {
  test('is host:port, also of IPv6', () => {
    assert.deepEqual(parseAddress('broker-a:10911'), { host: 'broker-a', port: 10911 })
    assert.deepEqual(parseAddress('127.0.0.1:1'), { host: '127.0.0.1', port: 1 })
    assert.deepEqual(parseAddress('[::1]:65535'), { host: '::1', port: 65535 })
    assert.deepEqual(parseAddress('fe80::1:9876'), { host: 'fe80::1', port: 9876 })
  })

  test('that is none is refused with what is wanted, before anything is connected', async () => {
    for (const text of ['', 'host', 'host:', ':9876', 'host:0', 'host:65536', 'host:98.5', 'host:port', 'host:-1'])
      assert.throws(() => parseAddress(text), { code: 'EADDRESS', message: /host:port is wanted/ }, text)
    const { client, clock } = await world()
    await assert.rejects(clock.until(client.request('nowhere', queryConsumerOffset, place)), { code: 'EADDRESS' })
  })
})

describe('a request', () => {
  test('carries language, version and further fields, and what signs sees all of them last', async () => {
    const signed: Record<string, string>[] = []
    const { request, seen } = await world({
      language: 12,
      version: 479,
      sign: command => {
        signed.push({ ...command.extFields })
        command.extFields['Signature'] = `${command.code} ${Object.keys(command.extFields).length}`
      },
    })
    const reply = await request({ extra: { ns: 'space' }, body: Buffer.from('abc') })
    const [command] = seen
    assert.deepEqual([command!.language, command!.version, command!.extFields['ns']], [12, 479, 'space'])
    assert.equal(command!.extFields['Signature'], '14 4')
    assert.deepEqual(signed, [{ consumerGroup: 'g', topic: 't', queueId: '4', ns: 'space' }])
    assert.equal(Buffer.from(command!.body!).toString(), 'abc')
    assert.deepEqual([reply.code, reply.header.offset, reply.version], [0, 40, 409])
  })

  test('by default says JAVA and 409, and asks with opaques from 1 on', async () => {
    const { request, seen } = await world()
    await request()
    await request()
    assert.deepEqual(
      seen.map(({ language, version, opaque }) => [language, version, opaque]),
      [
        [0, 409, 1],
        [0, 409, 2],
      ],
    )
  })

  test('that is refused gives code and remark; the header is only read when it is asked for', async () => {
    const { clock, client, address } = await world()
    const reply = await clock.until(
      client.request(address, { ...queryConsumerOffset, code: 999 } as never, place as never),
    )
    assert.equal(reply.code, 3)
    assert.match(reply.remark!, /999 is not supported/)
    assert.throws(() => reply.header, /offset/)
  })

  test('connects and waits for the answer within its time, both together', async () => {
    const { clock, client, network } = await world()
    network.partition('client', 'server')
    const begun = clock.monotonic()
    await assert.rejects(
      clock.until(
        client.request(`${network.addressOf('server')}:${port}`, queryConsumerOffset, place, { timeoutMs: 700 }),
      ),
      NetError,
    )
    assert.ok(clock.monotonic() - begun <= 800)
  })

  test('that is given up before it was sent is not sent', async () => {
    const { clock, client, address, seen, request } = await world()
    await request()
    const abort = new AbortController()
    abort.abort(new Error('too late'))
    await assert.rejects(
      clock.until(client.request(address, queryConsumerOffset, place, { signal: abort.signal })),
      /too late/,
    )
    await clock.advanceAsync(100)
    assert.equal(seen.length, 1)
  })

  test('that is given up while it connects ends at once, and whoever shares the connection goes on', async () => {
    const { clock, client, address } = await world()
    const abort = new AbortController()
    const given = client.request(address, queryConsumerOffset, place, { signal: abort.signal })
    const kept = client.request(address, queryConsumerOffset, place)
    const refused = assert.rejects(given, /enough/)
    abort.abort(new Error('enough'))
    await clock.until(refused)
    assert.equal((await clock.until(kept)).header.offset, 40)
  })
})

describe('what is told', () => {
  test('goes out one way, and is not answered', async () => {
    const { clock, client, address, seen } = await world()
    await clock.until(client.tell(address, updateConsumerOffset, { ...place, commitOffset: 9 }, { extra: { a: 'b' } }))
    await clock.advanceAsync(100)
    const [command] = seen
    assert.equal(command!.flag & 2, 2)
    assert.deepEqual([command!.extFields['commitOffset'], command!.extFields['a']], ['9', 'b'])
    assert.equal(seen.length, 1)
  })

  test('to an address that does not answer is refused, too', async () => {
    const { clock, client, network } = await world()
    await assert.rejects(
      clock.until(client.tell(`${network.addressOf('server')}:1`, updateConsumerOffset, { ...place, commitOffset: 9 })),
      NetError,
    )
  })
})

describe('connections', () => {
  test('are made anew when the server was away, and whoever waited is told that it went', async () => {
    const gone: string[] = []
    const { clock, request, server, connections, address } = await world({ onGone: address => gone.push(address) })
    await request()
    for (const connection of connections) connection.close()
    await clock.advanceAsync(100)
    assert.deepEqual(gone, [address])
    assert.equal((await request()).header.offset, 40)
    assert.equal(server.connectionCount, 1)
    assert.equal(connections.size, 2)
  })

  test('that were never there are no news; one that the client closes itself at its end is none either', async () => {
    const gone: string[] = []
    const { clock, client, network, request } = await world({ onGone: address => gone.push(address) })
    await assert.rejects(clock.until(client.request(`${network.addressOf('server')}:1`, queryConsumerOffset, place)))
    await request()
    await clock.until(client.close())
    await clock.advanceAsync(100)
    assert.deepEqual(gone, [])
  })

  test('that are idle for idleMs are closed from here, and made again when needed', async () => {
    const { clock, request, server } = await world({ limits: { idleMs: 20_000 } })
    await request()
    await clock.advanceAsync(15_000)
    assert.equal(server.connectionCount, 1)
    await request()
    await clock.advanceAsync(15_000)
    assert.equal(server.connectionCount, 1)
    await clock.advanceAsync(15_000)
    assert.equal(server.connectionCount, 0)
    assert.equal((await request()).header.offset, 40)
  })

  test('to several servers are several; one that fails leaves the others alone', async () => {
    const { clock, network, client, request } = await world()
    await request()
    const other = simRuntime({ seed: 3, host: 'other', clock, network })
    const second = new RemotingServer({
      ...other,
      name: 'other',
      listen: [{ host: '0.0.0.0', port }],
      routes: [route(queryConsumerOffset, () => ok({ offset: 77 }))],
    })
    await clock.until(second.start())
    const to = `${network.addressOf('other')}:${port}`
    assert.equal((await clock.until(client.request(to, queryConsumerOffset, place))).header.offset, 77)
    await clock.until(second.stop())
    await assert.rejects(clock.until(client.request(to, queryConsumerOffset, place)), NetError)
    assert.equal((await request()).header.offset, 40)
  })

  test('of a client that was closed are no more: requests are refused with ECLOSED, also those that were connecting', async () => {
    const { clock, client, address, server } = await world()
    const early = client.request(address, queryConsumerOffset, place)
    const refused = assert.rejects(early, { code: 'ECLOSED' })
    await clock.until(client.close())
    await clock.until(refused)
    await clock.until(client.close())
    await assert.rejects(clock.until(client.request(address, queryConsumerOffset, place)), { code: 'ECLOSED' })
    await assert.rejects(clock.until(client.tell(address, queryConsumerOffset, place)), { code: 'ECLOSED' })
    await clock.advanceAsync(3000)
    assert.equal(server.connectionCount, 0)
  })

  test('of a client that was only made hold nothing: no timer, no slot of a turn', () => {
    const runtime: SimRuntime = simRuntime({ seed: 1 })
    new RemotingClient(runtime)
    assert.equal(runtime.clock.nextInMs, undefined)
  })
})

describe('what a server asks of a client', () => {
  const asks = (code: number) => ({ code, extFields: { consumerGroup: 'g', topic: 't', queueId: '6' } })

  test('is answered by the client’s routes, with code 3 where it has none', async () => {
    const { clock, request, connections } = await world({
      routes: [route(queryConsumerOffset, ({ queueId }) => ok({ offset: queueId + 1 }))],
    })
    await request()
    const [connection] = [...connections]
    const reply = await clock.until(connection!.call(asks(14)))
    assert.deepEqual([reply.code, reply.extFields['offset']], [0, '7'])
    assert.equal((await clock.until(connection!.call(asks(15)))).code, 3)
  })

  test('and is told one way is done and not answered', async () => {
    let told = 0
    const { clock, request, connections } = await world({
      routes: [
        route(queryConsumerOffset, () => {
          told++
          return ok({ offset: 1 })
        }),
      ],
    })
    await request()
    const [connection] = [...connections]
    connection!.tell(asks(14))
    await clock.advanceAsync(100)
    assert.equal(told, 1)
  })

  test('and is not answered in time is over with ETIMEOUT; over a connection that ends, with ECLOSED', async () => {
    const { clock, request, connections, client } = await world({
      routes: [route(queryConsumerOffset, () => new Promise(() => {}))],
    })
    await request()
    const [connection] = [...connections]
    await assert.rejects(clock.until(connection!.call(asks(14), 500)), { code: 'ETIMEOUT' })
    const waiting = assert.rejects(connection!.call(asks(14), 60_000), { code: 'ECLOSED' })
    await clock.advanceAsync(100)
    await clock.until(client.close())
    await clock.until(waiting)
    await assert.rejects(connection!.call(asks(14)), { code: 'ECLOSED' })
    connection!.tell(asks(14))
  })

  test('runs what waits for its end once, and at once when it is over already', async () => {
    const { clock, request, connections, client } = await world()
    await request()
    const [connection] = [...connections]
    const ran: string[] = []
    connection!.onClose(() => ran.push('a'))
    connection!.onClose(() => ran.push('b'))
    await clock.until(client.close())
    await clock.advanceAsync(100)
    assert.deepEqual([ran, connection!.open], [['a', 'b'], false])
    connection!.onClose(() => ran.push('c'))
    connection!.close()
    assert.deepEqual(ran, ['a', 'b', 'c'])
  })
})

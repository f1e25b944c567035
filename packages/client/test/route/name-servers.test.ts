import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, test } from 'node:test'
import { getRouteInfoByTopic } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { NetError, SimClock, SimRandom } from '@skua-mq/runtime'
import { NameServers } from '../../src/route/name-servers.ts'

/** Name servers of which each does what the test says; keeps who was asked, and whose connection was closed. */
function servers(answers: Record<string, () => unknown>, seed = 1) {
  const asked: string[] = []
  const closed: string[] = []
  const remoting = {
    request: async (address: string) => {
      asked.push(address)
      return answers[address]!()
    },
    closeAddress: (address: string) => void closed.push(address),
  } as unknown as Pick<RemotingClient, 'request' | 'closeAddress'>
  const names = new NameServers({
    remoting,
    clock: new SimClock(),
    random: new SimRandom(seed),
    addresses: Object.keys(answers),
    endpoint: undefined,
    timeoutMs: 3000,
  })
  const request = () => names.request(getRouteInfoByTopic, { topic: 'T' })
  return { names, asked, closed, request }
}

const fails = (code: string) => () => {
  throw new NetError(code, `it failed with ${code}`)
}

describe('name servers', () => {
  test('are asked one after another until one answers, which is asked first from then on', async () => {
    const { asked, request } = servers({ a: fails('ECONNREFUSED'), b: fails('ECONNREFUSED'), c: () => ({ code: 0 }) })
    await request()
    assert.equal(asked.at(-1), 'c')
    const before = asked.length
    await request()
    await request()
    assert.deepEqual(asked.slice(before), ['c', 'c'])
  })

  test('are chosen at random for the first time, so that clients do not all ask one', async () => {
    const first = new Set<string>()
    for (let seed = 1; seed <= 30; seed++) {
      const { asked, request } = servers({ a: () => ({}), b: () => ({}), c: () => ({}) }, seed)
      await request()
      first.add(asked[0]!)
    }
    assert.deepEqual([...first].sort(), ['a', 'b', 'c'])
  })

  test('of which none answers are all named, with what each did and what to check', async () => {
    const { request } = servers({ a: fails('ECONNREFUSED'), b: fails('ETIMEOUT') })
    await assert.rejects(request(), error => {
      const { code, message, retriable } = error as { code: string; message: string; retriable: boolean }
      assert.deepEqual([code, retriable], ['NAME_SERVER', true])
      assert.match(message, /a: it failed with ECONNREFUSED/)
      assert.match(message, /b: it failed with ETIMEOUT/)
      assert.match(message, /check that it runs, and namesrvAddr/)
      return true
    })
  })

  test('that close the connection may want TLS, which is said', async () => {
    const { request } = servers({ a: fails('ECLOSED') })
    await assert.rejects(request(), /the option tls/)
  })

  test('whose certificate is refused are not worth another try', async () => {
    const { request } = servers({ a: fails('ETLS') })
    await assert.rejects(request(), { retriable: false })
  })

  test('that do not answer in time lose their connection; those that refuse one have none', async () => {
    const { closed, request } = servers({ a: fails('ETIMEOUT'), b: fails('ECONNREFUSED') })
    await assert.rejects(request())
    assert.deepEqual(closed, ['a'])
  })

  test('do not hide errors that are not of the network', async () => {
    const { asked, request } = servers({
      a: () => {
        throw new RangeError('a header of ours')
      },
    })
    await assert.rejects(request(), RangeError)
    assert.deepEqual(asked, ['a'])
  })

  test('of which none is known are an error that says what to give', async () => {
    const { names } = servers({})
    await assert.rejects(names.start(), { code: 'NAME_SERVER', message: /give namesrvAddr, or set NAMESRV_ADDR/ })
  })
})

describe('an endpoint', () => {
  /** Only when an answer was taken up is the next question the next thing on the clock; before, it is the answer's deadline. */
  const periodMs = 120_000

  async function endpoint(answers: (() => { status?: number; text: string })[]) {
    let asked = 0
    const server = createServer((_request, response) => {
      const { status = 200, text } = answers[Math.min(asked, answers.length - 1)]!()
      asked++
      response.writeHead(status).end(text)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const clock = new SimClock()
    const names = new NameServers({
      remoting: {} as never,
      clock,
      random: new SimRandom(1),
      addresses: [],
      endpoint: `http://127.0.0.1:${port}/list`,
      timeoutMs: 3000,
    })
    return { names, clock, count: () => asked, end: () => new Promise(resolve => server.close(resolve)) }
  }

  /** Until the answer of a real server was taken up. */
  async function until(holds: () => boolean): Promise<void> {
    for (let n = 0; n < 200 && !holds(); n++) await new Promise(resolve => setTimeout(resolve, 5))
    assert.ok(holds())
  }

  test('gives the list at the start, and is asked again after 10 s and every 2 minutes', async () => {
    const lists = ['a:1;b:2', 'c:3', 'd:4']
    const { names, clock, count, end } = await endpoint(lists.map(text => () => ({ text })))
    await names.start()
    assert.deepEqual(names.addresses, ['a:1', 'b:2'])
    clock.advance(10_000)
    await until(() => names.addresses[0] === 'c:3')
    assert.equal(count(), 2)
    await until(() => clock.nextInMs === periodMs)
    clock.advance(119_000)
    assert.equal(count(), 2)
    clock.advance(1000)
    await until(() => names.addresses[0] === 'd:4' && clock.nextInMs === periodMs)
    names.stop()
    assert.equal(clock.nextInMs, undefined)
    await end()
  })

  test('that fails later keeps the list that is known', async () => {
    const { names, clock, count, end } = await endpoint([
      () => ({ text: 'a:1' }),
      () => ({ status: 500, text: 'broken' }),
      () => ({ text: ' \n' }),
    ])
    await names.start()
    clock.advance(10_000)
    await until(() => count() === 2 && clock.nextInMs === periodMs)
    assert.deepEqual(names.addresses, ['a:1'])
    clock.advance(periodMs)
    await until(() => count() === 3 && clock.nextInMs === periodMs)
    assert.deepEqual(names.addresses, ['a:1'])
    names.stop()
    await end()
  })

  test('that fails at the start is an error that names it', async () => {
    for (const [answer, expected] of [
      [() => ({ status: 404, text: '' }), /HTTP status 404/],
      [() => ({ text: ' ' }), /names no address/],
    ] as const) {
      const { names, end } = await endpoint([answer])
      await assert.rejects(names.start(), { code: 'NAME_SERVER', retriable: true, message: expected })
      await end()
    }
  })
})

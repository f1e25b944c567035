import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Command, getKvListByNamespace, registerBroker, unregisterBroker } from '@skua-mq/protocol'
import { ok, RemotingClient, RemotingServer, refuse, route } from '@skua-mq/remoting'
import { EventHub, simRuntime } from '@skua-mq/runtime'
import { announceWaitMs, Registration, registrationFailed } from '../../src/registration/registration.ts'
import { topicConfig } from '../../src/topic/topic-config.ts'

const periodMs = 30_000

/** A broker and name servers of which a test sees each request that reaches them. */
function world(names: readonly string[]) {
  const first = simRuntime({ seed: 3, host: 'broker' })
  const { clock, network } = first
  const events = new EventHub()
  const failures: unknown[] = []
  events.subscribe(event => event.name === registrationFailed.eventName && failures.push(event.fields['namesrvAddr']))
  const addressOf = (name: string) => `${network.addressOf(name)}:9876`
  const client: RemotingClient = new RemotingClient({ ...first, onGone: address => registration.lost(address) })
  const topics = new Map([['T', topicConfig('T', 4)]])
  const ordered: ReadonlySet<string>[] = []
  const registration: Registration = new Registration({
    client,
    clock,
    events,
    namesrvAddrs: () => names.map(addressOf),
    identity: () => ({
      clusterName: 'c1',
      brokerName: 'b1',
      brokerAddr: '10.0.0.1:10911',
      brokerId: 0,
      haServerAddr: '10.0.0.1:10912',
    }),
    body: () => ({
      filterServerList: [],
      dataVersion: { timestamp: 1, counter: topics.size },
      topics: topics.values(),
    }),
    orderTopics: async found => void ordered.push(found),
    periodMs: () => periodMs,
    timeoutMs: () => 6000,
  })
  const server = async (
    name: string,
    { orderTopics, broken = false }: { orderTopics?: string[]; broken?: boolean } = {},
  ) => {
    const seen: { code: number; topics?: string[]; atMs: number }[] = []
    const note = (command: Command, names?: string[]) =>
      seen.push({ code: command.code, atMs: clock.monotonic(), ...(names === undefined ? {} : { topics: names }) })
    const table = new Map((orderTopics ?? []).map(topic => [topic, 'b1:4']))
    const remoting = new RemotingServer({
      ...simRuntime({ seed: 4, host: name, clock, network }),
      name,
      listen: [{ host: '0.0.0.0', port: 9876 }],
      routes: [
        route(registerBroker, (_header, { command, body }) => {
          note(command, [...registerBroker.body!.decode(body).topicConfigSerializeWrapper.topicConfigTable.keys()])
          if (broken) return refuse(1, 'no')
          return ok({}, orderTopics === undefined ? undefined : getKvListByNamespace.replyBody!.encode({ table }))
        }),
        route(unregisterBroker, (_header, { command }) => {
          note(command)
          return ok({})
        }),
      ],
    })
    await clock.until(remoting.start())
    return { remoting, seen, codes: () => seen.map(({ code }) => code) }
  }
  return { clock, network, client, registration, topics, ordered, failures, server, addressOf }
}

describe('registration', () => {
  test('tells every name server at the start, again each period, and says good-bye at the stop', async () => {
    const { clock, registration, server } = world(['ns1', 'ns2'])
    const servers = [await server('ns1'), await server('ns2')]
    await clock.until(registration.start())
    for (const { seen } of servers)
      assert.deepEqual(
        seen.map(({ topics }) => topics),
        [['T']],
      )
    await clock.advanceAsync(2 * periodMs + 1000)
    for (const { codes } of servers) assert.deepEqual(codes(), [103, 103, 103])
    await clock.until(registration.stop())
    for (const { codes } of servers) assert.deepEqual(codes(), [103, 103, 103, 104])
    await clock.advanceAsync(3 * periodMs)
    for (const { codes } of servers) assert.equal(codes().length, 4, 'nothing after the stop')
  })

  test('tells of a change at once, and of many changes in one', async () => {
    const { clock, registration, server, topics } = world(['ns1'])
    const { seen } = await server('ns1')
    await clock.until(registration.start())
    const begun = clock.monotonic()
    for (const name of ['U', 'V', 'W']) {
      topics.set(name, topicConfig(name, 4))
      registration.changed()
    }
    await clock.advanceAsync(50)
    assert.deepEqual(
      seen.slice(1).map(({ topics }) => topics),
      [['T', 'U', 'V', 'W']],
    )
    assert.ok(seen[1]!.atMs - begun < 20)
    await clock.until(registration.stop())
  })

  test('an announced change is known to the name server when the announcement resolves', async () => {
    const { clock, registration, server, topics } = world(['ns1'])
    const { seen } = await server('ns1')
    await clock.until(registration.start())
    topics.set('U', topicConfig('U', 4))
    await clock.until(registration.announce())
    assert.deepEqual(seen.at(-1)?.topics, ['T', 'U'])
    await clock.until(registration.stop())
  })

  test('before the start and after the stop a change is told to nobody', async () => {
    const { clock, registration, server } = world(['ns1'])
    const { codes } = await server('ns1')
    registration.changed()
    await clock.until(registration.announce())
    await clock.advanceAsync(100)
    assert.deepEqual(codes(), [])
    await clock.until(registration.start())
    await clock.until(registration.stop())
    registration.changed()
    await clock.advanceAsync(100)
    assert.deepEqual(codes(), [103, 104])
  })
})

describe('a name server that does not answer', () => {
  test('keeps no other from hearing, neither at the start nor of changes, and delays nobody for longer than a second', async () => {
    const { clock, network, registration, server, topics, addressOf, failures } = world(['dead', 'ns1'])
    const { seen } = await server('ns1')
    const dead = await server('dead')
    network.drop('dead', { announce: false })
    const begun = clock.monotonic()
    await clock.until(registration.start())
    assert.ok(clock.monotonic() - begun <= announceWaitMs + 10)
    assert.ok(seen[0]!.atMs - begun < 50, 'the living one heard at once')
    topics.set('U', topicConfig('U', 4))
    const changed = clock.monotonic()
    await clock.until(registration.announce())
    assert.ok(clock.monotonic() - changed <= announceWaitMs + 30)
    assert.ok(seen[1]!.atMs - changed < 50)
    await clock.advanceAsync(10_000)
    topics.set('V', topicConfig('V', 4))
    const again = clock.monotonic()
    await clock.until(registration.announce())
    assert.ok(clock.monotonic() - again < 50, 'once it is known to be silent it is not waited for')
    assert.deepEqual(seen.at(-1)?.topics, ['T', 'U', 'V'])
    assert.deepEqual(new Set(failures), new Set([addressOf('dead')]))
    assert.deepEqual(dead.codes(), [])
    const stopping = clock.monotonic()
    await clock.until(registration.stop())
    assert.ok(clock.monotonic() - stopping < 1000)
  })

  test('is told a few seconds after it comes up, not a whole period later', async () => {
    const { clock, registration, server } = world(['late'])
    await clock.until(registration.start())
    const up = clock.monotonic()
    const { seen } = await server('late')
    await clock.advanceAsync(7000)
    assert.equal(seen[0]?.code, 103)
    assert.ok(seen[0].atMs - up < 7000)
    await clock.until(registration.stop())
  })

  test('is told a few seconds after it was started anew, since it then knows nothing', async () => {
    const { clock, registration, server } = world(['ns1'])
    const before = await server('ns1')
    await clock.until(registration.start())
    await clock.until(before.remoting.stop())
    const after = await server('ns1')
    await clock.advanceAsync(5000)
    assert.deepEqual(after.codes(), [registerBroker.code])
    await clock.until(registration.stop())
  })

  test('or refuses, is an event and no failure of the broker', async () => {
    const { clock, registration, server, failures, addressOf } = world(['ns1'])
    await server('ns1', { broken: true })
    await clock.until(registration.start())
    assert.deepEqual(failures, [addressOf('ns1')])
    await clock.until(registration.stop())
  })
})

describe('order topics', () => {
  test('come from the answers of all name servers together, after periodic rounds only', async () => {
    const { clock, registration, server, ordered } = world(['ns1', 'ns2', 'ns3'])
    await server('ns1', { orderTopics: ['T'] })
    await server('ns2', { orderTopics: ['U'] })
    await server('ns3')
    await clock.until(registration.start())
    await clock.advanceAsync(10)
    assert.deepEqual(ordered, [new Set(['T', 'U'])])
    await clock.until(registration.announce())
    assert.equal(ordered.length, 1)
    await clock.advanceAsync(periodMs + 1000)
    assert.equal(ordered.length, 2)
    await clock.until(registration.stop())
  })

  test('stay as they are when no name server has any', async () => {
    const { clock, registration, server, ordered } = world(['ns1'])
    await server('ns1')
    await clock.until(registration.start())
    await clock.advanceAsync(100)
    assert.deepEqual(ordered, [])
    await clock.until(registration.stop())
  })
})

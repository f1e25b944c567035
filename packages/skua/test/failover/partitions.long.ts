import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sleep } from '../flows.ts'
import { BrokerGroup, type Host, type Member } from './broker-group.ts'
import { Etcd, withoutEtcd } from './etcd.ts'
import { EveryBroker } from './every-broker.ts'
import { NetLab, type Weather, withoutNamespaces } from './net-lab.ts'

const topic = 'Everywhere'
const seed = Number(process.env['SKUA_SEED'] ?? 1)
/** SKUA_PARTITION_MS: how long each fault lasts; longer than the lease, and than connections that nobody answers on are kept. */
const faultMs = Number(process.env['SKUA_PARTITION_MS'] ?? 15_000)

/** Each on a machine of its own: three members of etcd, a name server, three brokers of one name. */
interface World {
  readonly etcds: readonly Host[]
  readonly names: Host
  readonly master: Member
  readonly slaves: readonly Member[]
  readonly leader: Host
}

const oneWay = (from: readonly Host[], to: readonly Host[]) =>
  from.flatMap(one => to.map(other => [one, other] as const))
const bothWays = (some: readonly Host[], others: readonly Host[]) => [...oneWay(some, others), ...oneWay(others, some)]
const hosts = (members: readonly Member[]) => members.map(({ host }) => host)

interface Fault {
  readonly what: string
  readonly weather: (world: World) => Weather
  /** Somebody acknowledges meanwhile, after so many ms at most; undefined: nobody can. */
  readonly goesOnMs: number | undefined
}

/** What a lease needs to end, somebody else to begin, and followers to come. */
const failoverMs = 12_000

const faults: readonly Fault[] = [
  {
    what: 'the master cut from one of its slaves',
    weather: ({ master, slaves }) => ({ cut: bothWays([master.host], hosts(slaves.slice(0, 1))) }),
    goesOnMs: failoverMs,
  },
  {
    what: 'the master cut from all of its slaves',
    weather: ({ master, slaves }) => ({ cut: bothWays([master.host], hosts(slaves)) }),
    goesOnMs: undefined,
  },
  {
    what: 'the master cut from etcd',
    weather: ({ master, etcds }) => ({ cut: bothWays([master.host], etcds) }),
    goesOnMs: failoverMs,
  },
  {
    what: 'the master cut from etcd and from its slaves',
    weather: ({ master, slaves, etcds }) => ({ cut: bothWays([master.host], [...etcds, ...hosts(slaves)]) }),
    goesOnMs: failoverMs,
  },
  {
    what: 'the master cut from the name server',
    weather: ({ master, names }) => ({ cut: bothWays([master.host], [names]) }),
    goesOnMs: 2000,
  },
  {
    what: 'what the master says does not reach its slaves',
    weather: ({ master, slaves }) => ({ cut: oneWay([master.host], hosts(slaves)) }),
    goesOnMs: undefined,
  },
  {
    what: 'what its slaves say does not reach the master',
    weather: ({ master, slaves }) => ({ cut: oneWay(hosts(slaves), [master.host]) }),
    goesOnMs: undefined,
  },
  {
    what: 'what the master says does not reach etcd',
    weather: ({ master, etcds }) => ({ cut: oneWay([master.host], etcds) }),
    goesOnMs: failoverMs,
  },
  {
    what: 'what etcd says does not reach the master',
    weather: ({ master, etcds }) => ({ cut: oneWay(etcds, [master.host]) }),
    goesOnMs: failoverMs,
  },
  {
    what: 'the leader of etcd cut from its other members, and not from the brokers',
    weather: ({ leader, etcds }) => ({
      cut: bothWays(
        [leader],
        etcds.filter(each => each !== leader),
      ),
    }),
    goesOnMs: failoverMs,
  },
  {
    what: 'a member of etcd cut from the others, and not from the brokers',
    weather: ({ leader, etcds }) => {
      const one = etcds.find(each => each !== leader)!
      return {
        cut: bothWays(
          [one],
          etcds.filter(each => each !== one),
        ),
      }
    },
    goesOnMs: 2000,
  },
  { what: '200 ms there and back between all', weather: () => ({ delayMs: 100 }), goesOnMs: failoverMs },
  { what: '5 % of all packets lost', weather: () => ({ loss: 0.05 }), goesOnMs: failoverMs },
  {
    what: '5 % of all packets lost, and 200 ms there and back',
    weather: () => ({ delayMs: 100, loss: 0.05 }),
    goesOnMs: failoverMs,
  },
]

describe('three brokers of a name, three etcds and a name server, each on a machine of its own', {
  skip: withoutEtcd() ?? withoutNamespaces() ?? false,
}, () => {
  let lab: NetLab
  let etcd: Etcd
  let group: BrokerGroup
  let flow: EveryBroker
  before(async () => {
    lab = await NetLab.make(7, seed)
    const { places } = lab
    etcd = await Etcd.start(3, places.slice(0, 3))
    group = await BrokerGroup.make({
      ...{ endpoint: etcd.endpoint, names: { a: 3 }, nameServers: 1, hosts: places.slice(3) },
    })
    await group.start()
    await group.makeTopic(topic, await group.master('a', 3))
    flow = new EveryBroker(topic, group.members)
    flow.start()
    await flow.next()
  })
  after(async () => {
    await flow?.stop()
    await group?.end()
    await etcd?.stop()
    await lab?.end()
  })

  async function world(): Promise<World> {
    const etcds = lab.places.slice(0, 3)
    const leader = etcds[etcd.members.indexOf(await etcd.leader())]!
    const master = await group.master('a', 3)
    const slaves = group.members.filter(each => each !== master)
    return { etcds, names: lab.places[3]!, master, slaves, leader }
  }

  for (const { what, weather, goesOnMs } of faults)
    test(`${what}: it heals by itself`, { timeout: 180_000 + faultMs }, async t => {
      const before = await world()
      flow.longestGap()
      await lab.set(weather(before))
      await sleep(faultMs)
      const meanwhile = flow.longestGap()
      const changed = performance.now()
      await lab.set({})
      const master = await group.master('a', 3)
      await flow.next()
      const healed = Math.round(performance.now() - changed)
      t.diagnostic(
        `${what}: ${meanwhile} ms at most between two acknowledged; ${healed} ms until all are in sync again; ` +
          `the master is ${master === before.master ? 'the same' : 'another one'}`,
      )
      if (healed > 10_000)
        if (goesOnMs !== undefined) assert.ok(meanwhile <= goesOnMs, `nobody acknowledged for ${meanwhile} ms`)
    })

  test('everything that was acknowledged stands where it was said to stand, and nothing else does', async t => {
    await flow.stop()
    t.diagnostic(`${flow.acknowledged.length} acknowledged`)
    assert.ok(flow.acknowledged.length > 1000)
    assert.deepEqual(await flow.wrong(group.namesrvAddr), [])
  })
})

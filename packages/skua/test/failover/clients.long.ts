import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { goClient } from '../../../../tools/interop/src/go-client.ts'
import { type JavaVersion, javaClient } from '../../../../tools/interop/src/java-client.ts'
import { skipWithout } from '../../../../tools/interop/src/toolchain.ts'
import { sleep } from '../flows.ts'
import { BrokerGroup } from './broker-group.ts'
import { ClientsRun } from './clients-run.ts'
import { Etcd, withoutEtcd } from './etcd.ts'
import { type ClientSides, officialSides, ownSides } from './tried-client.ts'

/** SKUA_CLIENT_KILLS: masters that are killed in the first test. */
const kills = Number(process.env['SKUA_CLIENT_KILLS'] ?? 8)
const skip = withoutEtcd() ?? (skipWithout('java') || skipWithout('go'))

const java = (version: JavaVersion, namesrvAddr: string, pollMs?: number): ClientSides =>
  officialSides({
    name: `Java ${version}${pollMs === undefined ? '' : ` pollNameServerInterval=${pollMs}`}`,
    driver: took => javaClient(version, { took }),
    namesrvAddr,
    ...(pollMs === undefined ? {} : { pollMs }),
  })

const go = (namesrvAddr: string): ClientSides =>
  officialSides({ name: 'Go', driver: took => goClient({ took }), namesrvAddr })

const everyClient = (namesrvAddr: string): ClientSides[] => [
  java('4.9.8', namesrvAddr),
  java('5.3.3', namesrvAddr),
  go(namesrvAddr),
  ownSides(namesrvAddr),
]

async function begun(
  t: TestContext,
  names: readonly string[],
  members: number,
  clients: (namesrvAddr: string) => ClientSides[],
): Promise<{ readonly etcd: Etcd; readonly group: BrokerGroup; readonly run: ClientsRun }> {
  const etcd = await Etcd.start(3)
  t.after(() => etcd.stop())
  const counts = Object.fromEntries(names.map(name => [name, members]))
  const group = await BrokerGroup.make({ endpoint: etcd.endpoint, names: counts, nameServers: 2 })
  t.after(() => group.end())
  await group.start()
  const run = new ClientsRun(clients(group.namesrvAddr))
  t.after(() => run.close())
  await run.begin(group, names, members)
  return { etcd, group, run }
}

test(`two names of two brokers on three etcds, ${kills} masters and the leader of etcd killed: Java, Go and the SDK go on, and lose nothing`, {
  skip: skip || false,
  timeout: 300_000 + kills * 120_000,
}, async t => {
  const names = ['a', 'b']
  const { etcd, group, run } = await begun(t, names, 2, everyClient)
  for (let kill = 0; kill < kills; kill++) {
    const name = names[kill % 2]!
    const master = await group.master(name, 2)
    run.nextStretch()
    const leader = kill === Math.floor(kills / 2) ? await etcd.leader() : undefined
    await Promise.all([group.kill(master, { deletes: kill % 4 === 3 }), leader?.kill()])
    const next = await group.master(name, 1)
    assert.notEqual(next, master)
    await group.startMember(master)
    leader?.start()
    await group.master(name, 2)
    // Routes are asked for every 30 s: whoever consumes from this name does so again.
    await sleep(35_000)
  }
  await run.check(t)
})

for (const { after, startsMs } of [
  { after: 'when the next master is there', startsMs: undefined },
  { after: 'a second later', startsMs: 1000 },
])
  test(`one name of two brokers, whose masters are killed and started again ${after}: how long each client waits`, {
    skip: skip || false,
    timeout: 600_000,
  }, async t => {
    const { group, run } = await begun(t, ['a'], 2, namesrvAddr => [
      ...everyClient(namesrvAddr),
      java('5.3.3', namesrvAddr, 5000),
    ])
    for (let kill = 0; kill < 3; kill++) {
      const master = await group.master('a', 2)
      run.nextStretch()
      await group.kill(master, { deletes: false })
      if (startsMs === undefined) assert.notEqual(await group.master('a', 1), master)
      else await sleep(startsMs)
      await group.startMember(master)
      await group.master('a', 2)
      await run.allWork()
      // Not always the same moment before the clients ask again.
      await sleep(7000)
    }
    await run.check(t)
  })

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flows, sleep } from '../flows.ts'
import { BrokerGroup } from './broker-group.ts'
import { Etcd, withoutEtcd } from './etcd.ts'

/** SKUA_FAILOVER_KILLS: masters that are killed with -9, one after another; every second one loses its directory. */
const members = 3
const kills = Number(process.env['SKUA_FAILOVER_KILLS'] ?? 3)

test(`${kills} masters killed with -9: the other one goes on by itself, and nothing acknowledged is lost`, {
  skip: withoutEtcd() ?? false,
  timeout: 120_000 + kills * 30_000,
}, async t => {
  const etcd = await Etcd.start()
  t.after(() => etcd.stop())
  const group = await BrokerGroup.make({ endpoint: etcd.endpoint, names: { a: members }, nameServers: 1 })
  t.after(() => group.end())
  await group.start()
  await group.master('a', members)
  const flows = new Flows(group.namesrvAddr)
  await flows.start()
  const running = flows.run()
  const gaps: string[] = []
  for (let kill = 0; kill < kills; kill++) {
    const master = await group.master('a', members)
    await sleep(1000)
    const killedMs = performance.now()
    await group.kill(master, { deletes: kill % 2 === 1 })
    const next = await group.master('a', members - 1)
    assert.notEqual(next, master)
    const chosenMs = performance.now() - killedMs
    const acknowledgedMs = (await flows.nextAcknowledged()) - killedMs
    gaps.push(`${Math.round(chosenMs)}/${Math.round(acknowledgedMs)}`)
    await group.startMember(master)
  }
  await group.master('a', members)
  flows.stop()
  await running
  const { missing, wrong } = await flows.settled()
  await flows.close()
  t.diagnostic(
    `${[...flows.counts()].map(([kind, count]) => `${count} ${kind}`).join(', ')}; ms until the next master/an acknowledged send: ${gaps.join(', ')}`,
  )
  assert.deepEqual(missing, [])
  assert.deepEqual(wrong, [])
  for (const kind of ['retried', 'delayed', 'committed', 'checked', 'rolled back'])
    assert.ok((flows.counts().get(kind) ?? 0) > 5 * kills, `${flows.counts().get(kind)} ${kind}`)
  await group.stop()
})

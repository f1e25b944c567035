import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getBrokerRuntimeInfo, promoteBroker, updateBrokerConfig } from '@skua-mq/protocol'
import { bodies, Cluster, type Role } from './cluster.ts'
import { told } from './pair.ts'

const body = (i: number) => `message ${i} ${'x'.repeat(2000)}`

/** A master whose log has several files. */
async function filled(count: number): Promise<Cluster> {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  for (let i = 0; i < count; i++) assert.equal((await cluster.send('master', body(i))).code, 0)
  return cluster
}

async function infoOf(cluster: Cluster, role: Role): Promise<ReadonlyMap<string, string>> {
  const reply = await cluster.ask(role, getBrokerRuntimeInfo, {} as never)
  return getBrokerRuntimeInfo.replyBody!.decode(reply.body!).table
}

async function all(cluster: Cluster, role: Role): Promise<string[]> {
  const found: string[] = []
  for (let got = ['']; got.length > 0; found.push(...got)) got = bodies((await cluster.pull(role, found.length)).body)
  return found
}

const promote = (cluster: Cluster) => cluster.ask('slave', promoteBroker, { force: false } as never)

describe('a slave that comes back with nothing', () => {
  test('takes the whole log of its master, and is as good a master as any', async () => {
    const cluster = await filled(100)
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(40_000)
    const [own, masters] = [await infoOf(cluster, 'slave'), await infoOf(cluster, 'master')]
    for (const key of ['commitLogMinOffset', 'commitLogMaxOffset']) assert.equal(own.get(key), masters.get(key))
    assert.deepEqual(
      await all(cluster, 'slave'),
      Array.from({ length: 100 }, (_, i) => body(i)),
    )
    assert.equal(told(cluster, /all of the master's log is here/).length, 1)
    await cluster.stopBroker('master')
    assert.equal((await promote(cluster)).code, 0)
    await cluster.stop()
  })

  test('begins where its master does, whose first files are deleted', async () => {
    const cluster = await filled(100)
    await cluster.stopBroker('master')
    // As retention does.
    cluster.disk('master').remove('/store/commitlog/00000000000000000000')
    await cluster.startBroker('master')
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(40_000)
    const [own, masters] = [await infoOf(cluster, 'slave'), await infoOf(cluster, 'master')]
    assert.ok(Number(masters.get('commitLogMinOffset')) > 0)
    for (const key of ['commitLogMinOffset', 'commitLogMaxOffset']) assert.equal(own.get(key), masters.get(key))
    await cluster.stop()
  })

  test('takes no more of it in a second than it is told, says how far it is, is refused as a master until it has all, and goes on after a restart', async () => {
    const cluster = await filled(100)
    const slow = { haCopyBytesPerSecond: 4000, slaveReadEnable: true }
    await cluster.startBroker('slave', slow)
    await cluster.pass(15_000)
    const copied = Number((await infoOf(cluster, 'slave')).get('commitLogMaxOffset'))
    assert.ok(copied > 30_000 && copied < 100_000, `${copied}`)
    assert.match((await infoOf(cluster, 'slave')).get('skuaCopying') ?? '', /^\d+\/2\d{5}$/)
    assert.ok(told(cluster, /so much of the master's log is here/).length > 0)
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', slow)
    // What is sent meanwhile comes behind.
    for (let i = 100; i < 105; i++) await cluster.send('master', body(i))
    await cluster.pass(10_000)
    await cluster.stopBroker('master')
    await cluster.pass(3000)
    assert.match((await promote(cluster)).remark ?? '', /still copying the log of its master \(\d+\/\d+ bytes\)/)
    await cluster.startBroker('master')
    await cluster.pass(10_000)
    await cluster.ask('slave', updateBrokerConfig, {} as never, Buffer.from('haCopyBytesPerSecond=0\n'))
    await cluster.pass(20_000)
    assert.equal((await infoOf(cluster, 'slave')).get('skuaCopying'), undefined)
    assert.equal((await all(cluster, 'slave')).length, 105)
    await cluster.stop()
  })

  test('takes the last file only, as in RocketMQ, where it is told so', async () => {
    const cluster = await filled(100)
    await cluster.startBroker('slave', { haCopyWholeLog: false })
    await cluster.pass(40_000)
    const [own, masters] = [await infoOf(cluster, 'slave'), await infoOf(cluster, 'master')]
    assert.equal(own.get('commitLogMaxOffset'), masters.get('commitLogMaxOffset'))
    assert.ok(Number(own.get('commitLogMinOffset')) > 100_000)
    await cluster.stop()
  })

  test('says so where nobody can be asked where the log begins', async () => {
    const cluster = await filled(1)
    const haMasterAddress = `${cluster.network.addressOf('master')}:10912`
    await cluster.startBroker('slave', { haMasterAddress, namesrvAddr: '' })
    await cluster.pass(10_000)
    const reasons = told(cluster, /connection to the master lost/).map(({ fields }) => String(fields['reason']))
    assert.match(reasons.join(), /name servers have not said; with haCopyWholeLog=false only its last file is taken/)
    await cluster.stop()
  })
})

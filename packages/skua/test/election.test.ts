import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getBrokerConfig } from '@skua-mq/protocol'
import { bodies, Cluster, type Role } from './cluster.ts'
import { promote, roleOf, sync, told } from './pair.ts'

/** Brokers that choose their master; the first one is it. */
async function electing(...slaves: readonly ('slave' | 'further')[]): Promise<Cluster> {
  const cluster = await new Cluster().elects().start()
  await cluster.startBroker('master', sync)
  for (const slave of slaves) await cluster.startBroker(slave)
  await cluster.pass(40_000)
  assert.equal((await cluster.send('master', 'before')).code, 0)
  return cluster
}

/** Everything between a broker and the rest. */
function isolate(cluster: Cluster, role: Role, others: readonly string[]): void {
  cluster.cutOff.add(role)
  for (const other of others) cluster.network.partition(role, other)
}

const elections = (cluster: Cluster) => told(cluster, /holds the lease of the master of its name$/).length

async function idOf(cluster: Cluster, role: Role): Promise<string> {
  const { body } = await cluster.ask(role, getBrokerConfig, {} as never)
  return /^brokerId=(.*)$/m.exec(Buffer.from(body!).toString())![1]!
}

describe('brokers of one name choose their master', () => {
  test('one that stops is followed at once, comes back as a slave, and is the master again when the other one stops', async () => {
    const cluster = await electing('slave')
    await cluster.stopBroker('master')
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    assert.notEqual((await cluster.send('slave', 'alone')).code, 14)
    await cluster.startBroker('master', sync)
    assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
    await cluster.pass(40_000)
    assert.equal((await cluster.send('slave', 'both')).code, 0)
    await cluster.stopBroker('slave')
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'master'), 'SYNC_MASTER')
    assert.deepEqual(bodies((await cluster.pull('master')).body), ['before', 'alone', 'both'])
    assert.deepEqual(told(cluster, /is cut|could not begin/), [])
    await cluster.stop()
  })

  test('whoever follows a SYNC_MASTER is one, also where there was no message that it could be heard of by', async () => {
    const cluster = await new Cluster().elects().start()
    await cluster.startBroker('master', sync)
    await cluster.startBroker('slave')
    await cluster.pass(10_000)
    await cluster.stopBroker('master')
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    await cluster.stop()
  })

  test('one that is cut off acknowledges nothing that its successor has not, and its tail is cut and kept', async () => {
    const cluster = await electing('slave')
    isolate(cluster, 'master', ['slave', 'names'])
    await cluster.pass(1000)
    assert.notEqual((await cluster.send('master', 'to the former')).code, 0)
    await cluster.pass(6000)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    assert.equal(await roleOf(cluster, 'master'), 'SYNC_MASTER')
    assert.notEqual((await cluster.send('master', 'to the former again')).code, 0)
    assert.notEqual((await cluster.send('slave', 'to the new one')).code, 14)
    cluster.cutOff.clear()
    for (const other of ['slave', 'names']) cluster.network.heal('master', other)
    await cluster.pass(60_000)
    assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
    assert.equal((await cluster.send('slave', 'after')).code, 0)
    await cluster.pass(1000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before', 'to the new one', 'after'])
    assert.equal(told(cluster, /the end of the log.*was cut/).length, 1)
    await cluster.stop()
  })

  test('one that has not all that was acknowledged does not become the master', async () => {
    const cluster = await electing('slave')
    cluster.network.partition('master', 'slave')
    await cluster.pass(5000)
    assert.notEqual((await cluster.send('master', 'the slave has it not')).code, 14)
    await cluster.stopBroker('master')
    await cluster.pass(20_000)
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    assert.match(String(told(cluster, /nobody is the master/)[0]?.fields.reason), /not one of those that have all/)
    cluster.network.heal('master', 'slave')
    await cluster.startBroker('master', sync)
    await cluster.pass(40_000)
    assert.equal(await roleOf(cluster, 'master'), 'SYNC_MASTER')
    assert.equal((await cluster.send('master', 'together again')).code, 0)
    await cluster.stop()
  })

  test('of three all must have what is acknowledged, until one is gone: whoever is chosen then has it', async () => {
    const cluster = await electing('slave', 'further')
    cluster.network.partition('master', 'further')
    await cluster.pass(5000)
    assert.equal((await cluster.send('master', 'two have it')).code, 0)
    isolate(cluster, 'master', ['slave', 'names'])
    await cluster.pass(40_000)
    assert.deepEqual([await roleOf(cluster, 'slave'), await roleOf(cluster, 'further')], ['SYNC_MASTER', 'SLAVE'])
    assert.equal((await cluster.send('slave', 'with the third one')).code, 0)
    await cluster.pass(1000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before', 'two have it', 'with the third one'])
    await cluster.stop()
  })

  test('a store that was emptied is nobody that has anything', async () => {
    const cluster = await electing('slave')
    await cluster.stopBroker('slave')
    await cluster.stopBroker('master')
    cluster.disk('slave').remove('/store')
    await cluster.startBroker('slave')
    await cluster.pass(20_000)
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    await cluster.startBroker('master', sync)
    await cluster.pass(60_000)
    assert.deepEqual([await roleOf(cluster, 'slave'), await roleOf(cluster, 'master')], ['SLAVE', 'SYNC_MASTER'])
    assert.equal((await cluster.send('master', 'both have it')).code, 0)
    await cluster.stop()
  })

  test('one that was replaced is a slave as soon as it reads so in the registry, whoever else is out of its reach', async () => {
    const cluster = await electing('slave')
    isolate(cluster, 'master', ['slave', 'names'])
    await cluster.pass(7000)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    cluster.cutOff.clear()
    await cluster.pass(2000)
    assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
    await cluster.stop()
  })

  test('an ASYNC_MASTER takes nothing once its lease may have ended, and goes on where it has not', async () => {
    const cluster = await new Cluster().elects().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.pass(40_000)
    assert.equal((await cluster.send('master', 'before')).code, 0)
    cluster.cutOff.add('master')
    cluster.cutOff.add('slave')
    await cluster.pass(2600)
    const refused = await cluster.send('master', 'too late')
    assert.equal(refused.code, 14)
    assert.match(refused.remark ?? '', /lease of the master could not be renewed in time/)
    cluster.cutOff.clear()
    await cluster.pass(3000)
    const master = (await roleOf(cluster, 'slave')) === 'SLAVE' ? 'master' : 'slave'
    assert.equal((await cluster.send(master, 'after')).code, 0)
    await cluster.stop()
  })

  test('a SYNC_MASTER goes on while nobody reaches the registry: nobody else can be chosen', async () => {
    const cluster = await electing('slave')
    for (const role of ['master', 'slave'] as const) cluster.cutOff.add(role)
    await cluster.pass(30_000)
    assert.equal((await cluster.send('master', 'meanwhile')).code, 0)
    cluster.cutOff.clear()
    await cluster.pass(20_000)
    const master = (await roleOf(cluster, 'slave')) === 'SLAVE' ? 'master' : 'slave'
    assert.equal((await cluster.send(master, 'after')).code, 0)
    // A read of what lies on the disk ends where that does.
    await cluster.pass(1000)
    assert.deepEqual(bodies((await cluster.pull(master)).body), ['before', 'meanwhile', 'after'])
    assert.ok(elections(cluster) >= 2)
    await cluster.stop()
  })

  test('nobody is promoted by hand meanwhile', async () => {
    const cluster = await electing('slave')
    assert.match((await promote(cluster, 'slave')).remark ?? '', /failoverEndpoints/)
    await cluster.stop()
  })

  test('one that is not of the set becomes the master by force alone, and by none while the master lives', async () => {
    const cluster = await electing('slave')
    cluster.network.partition('master', 'slave')
    await cluster.pass(10_000)
    // Nobody else is in the set any more.
    assert.equal((await cluster.send('master', 'what the other one lacks')).code, 11)
    assert.match(
      (await promote(cluster, 'slave', { force: true })).remark ?? '',
      /holds the lease of the master: stop it/,
    )
    await cluster.stopBroker('master')
    await cluster.pass(20_000)
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    assert.equal(told(cluster, /nobody is the master, and this broker does not become it/).length, 1)
    // Where it cannot write that down it does not begin, and may be told again.
    cluster.disk('slave').faults.fail({ on: 'write', code: 'EIO', path: 'skuaRole' })
    assert.equal((await promote(cluster, 'slave', { force: true })).code, 0)
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    cluster.disk('slave').faults.clear()
    assert.equal((await promote(cluster, 'slave', { force: true })).code, 0)
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    cluster.network.healAll()
    await cluster.startBroker('master', sync)
    await cluster.pass(40_000)
    assert.equal((await cluster.send('slave', 'both')).code, 0)
    assert.equal(told(cluster, /the end of the log.*was cut/).length, 1)
    await cluster.pass(1000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before', 'both'])
    await cluster.stop()
  })

  test('one that cannot write down that it is the master lets another one be it', async () => {
    const cluster = await electing('slave', 'further')
    for (const role of ['slave', 'further'] as const)
      cluster.disk(role).faults.fail({ on: 'write', code: 'EIO', path: 'skuaRole' })
    await cluster.stopBroker('master')
    await cluster.pass(3000)
    assert.deepEqual([await roleOf(cluster, 'slave'), await roleOf(cluster, 'further')], ['SLAVE', 'SLAVE'])
    const holder = told(cluster, /holds the lease of the master of its name$/).length
    assert.ok(holder >= 2)
    cluster.disk('further').faults.clear()
    await cluster.pass(40_000)
    assert.equal(await roleOf(cluster, 'further'), 'SYNC_MASTER')
    cluster.disk('slave').faults.clear()
    await cluster.stop()
  })

  test('a slave that began while it did not reach the registry gets an id of its own as soon as it does', async () => {
    const cluster = await electing('slave', 'further')
    for (const role of ['slave', 'master'] as const) cluster.cutOff.add(role)
    await cluster.stopBroker('master')
    await cluster.startBroker('master', sync)
    await cluster.pass(10_000)
    assert.equal(await roleOf(cluster, 'further'), 'SYNC_MASTER')
    cluster.cutOff.clear()
    await cluster.pass(60_000)
    const ids = await Promise.all((['slave', 'further', 'master'] as const).map(role => idOf(cluster, role)))
    assert.equal(new Set(ids).size, 3, `each has its own: ${ids}`)
    assert.equal(ids[1], '0')
    await cluster.stop()
  })
})

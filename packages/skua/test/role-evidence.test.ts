import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { promoteBroker } from '@skua-mq/protocol'
import { bodies, type Cluster, type Role } from './cluster.ts'
import { pair, promote, roleOf, sync } from './pair.ts'

const roleFile = '/store/config/skuaRole.json'

const names = (cluster: Cluster, name: RegExp) =>
  cluster.events.filter(event => name.test(event.name)).map(event => JSON.stringify(event.fields))
const cuts = (cluster: Cluster) => names(cluster, /was cut|begins anew in another role/)
const lost = (cluster: Cluster) => names(cluster, /connection to the master lost/).join()

/** A store of before there were epochs, or of RocketMQ. */
function forgetRole(cluster: Cluster, role: Role): void {
  for (const path of [roleFile, `${roleFile}.bak`])
    if (cluster.disk(role).stat(path) !== undefined) cluster.disk(role).remove(path)
}

describe('roles of the configuration alone: nothing is cut', () => {
  test('of a slave without an epoch, where its master comes with an empty store', async () => {
    const cluster = await pair('slave')
    for (const role of ['master', 'slave'] as const) await cluster.stopBroker(role)
    forgetRole(cluster, 'slave')
    cluster.disk('master').remove('/store')
    await cluster.startBroker('master', sync)
    await cluster.startBroker('slave')
    await cluster.pass(40_000)
    assert.deepEqual(cuts(cluster), [])
    assert.match(lost(cluster), /its epoch is 1, the one here 0: nothing is cut/)
    await cluster.stopBroker('master')
    assert.equal((await promote(cluster, 'slave')).code, 0)
    await cluster.pass(3000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before'])
    await cluster.stop()
  })

  test('of a master without an epoch, where a new one was put in its place', async () => {
    const cluster = await pair('slave')
    for (const role of ['master', 'slave'] as const) await cluster.stopBroker(role)
    forgetRole(cluster, 'master')
    await cluster.startBroker('further', { ...sync, brokerId: 0 })
    await cluster.startBroker('master', sync)
    await cluster.pass(40_000)
    assert.equal(await roleOf(cluster, 'master'), 'SYNC_MASTER')
    assert.deepEqual(cuts(cluster), [])
    assert.ok(names(cluster, /masters of one epoch/).length > 0)
    await cluster.stop()
  })

  test('of a master that lives, where its slave is started as a second one', async () => {
    const cluster = await pair('slave')
    await cluster.stopBroker('slave')
    assert.equal((await cluster.send('master', 'since')).code, 11)
    await cluster.startBroker('slave', { ...sync, brokerId: 0 })
    await cluster.pass(40_000)
    assert.equal(await roleOf(cluster, 'master'), 'SYNC_MASTER')
    assert.deepEqual(cuts(cluster), [])
    // Put right again by the operator, it is the slave that it was.
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave')
    await cluster.pass(40_000)
    assert.equal((await cluster.send('master', 'both have it')).code, 0)
    assert.deepEqual(cuts(cluster), [])
    await cluster.stop()
  })
})

describe('a disk that takes nothing', () => {
  test('a promotion that could not be written down comes to nothing, at the next start as well', async () => {
    const cluster = await pair('slave')
    await cluster.stopBroker('master')
    const lift = cluster.disk('slave').faults.fail({ on: 'write', path: 'skuaRole', code: 'ENOSPC' })
    assert.match((await promote(cluster, 'slave')).remark ?? '', /could not be written down/)
    lift()
    await cluster.startBroker('master', sync)
    await cluster.pass(40_000)
    assert.equal((await cluster.send('master', 'both have it')).code, 0)
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave')
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    await cluster.stop()
  })

  test('a cut that could not be ordered is done when it can be', async () => {
    const cluster = await pair('slave')
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'tail')).code, 11)
    cluster.network.reset('master', 'slave')
    await cluster.stopBroker('master')
    cluster.network.healAll()
    assert.equal((await promote(cluster, 'slave')).code, 0)
    await cluster.pass(3000)
    const lift = cluster.disk('master').faults.fail({ on: 'write', path: 'skua.cut', code: 'ENOSPC' })
    await cluster.startBroker('master', sync)
    await cluster.pass(20_000)
    lift()
    await cluster.pass(40_000)
    assert.equal((await cluster.send('slave', 'both have it')).code, 0)
    assert.equal(names(cluster, /was cut/).length, 1)
    await cluster.stop()
  })
})

describe('a promotion is refused', () => {
  test('where a slave of the name does not answer, and may have more', async () => {
    const cluster = await pair('slave', 'further')
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'only further has it')).code, 0)
    await cluster.stopBroker('master')
    cluster.network.partition('slave', 'further')
    assert.match((await promote(cluster, 'slave')).remark ?? '', /the slave 10\.\S+ does not answer, and may have more/)
    await cluster.stop()
  })

  test('where a slave that tells no epoch has more, as one of RocketMQ would', async () => {
    const cluster = await pair('slave', 'further')
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'only further has it')).code, 0)
    await cluster.stopBroker('master')
    await cluster.stopBroker('further')
    forgetRole(cluster, 'further')
    await cluster.startBroker('further')
    await cluster.pass(3000)
    assert.match((await promote(cluster, 'slave')).remark ?? '', /the log of 10\.\S+ ends at \d+, the one here at \d+/)
    await cluster.stop()
  })

  test('where a master that the name servers have forgotten is followed, here or by another slave', async () => {
    for (const parts of [[], ['slave']] as const) {
      const cluster = await pair('slave', 'further')
      for (const other of ['names', ...parts] as const) cluster.network.partition('master', other)
      await cluster.pass(130_000)
      assert.equal((await cluster.send('master', 'acknowledged')).code, 0)
      assert.match((await promote(cluster, 'slave')).remark ?? '', /the master at 10\.\S+ lives, a slave follows it/)
      await cluster.stop()
    }
  })

  test('where no name server says who else has the name', async () => {
    const cluster = await pair('slave', 'further')
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'only further has it')).code, 0)
    await cluster.stopBroker('master')
    cluster.network.partition('slave', 'names')
    assert.match((await promote(cluster, 'slave')).remark ?? '', /no name server answers/)
    await cluster.stop()
  })
})

test('a slave whose haMasterAddress is another broker than the one that the name servers name cuts nothing', async () => {
  const cluster = await pair('slave', 'further')
  await cluster.stopBroker('further')
  assert.equal((await cluster.send('master', 'slave has it')).code, 0)
  cluster.network.partition('master', 'slave')
  assert.equal((await cluster.send('master', 'tail')).code, 11)
  await cluster.stopBroker('slave')
  // It follows the master by name, whatever the name servers say, and has all of its log.
  const haMasterAddress = `${cluster.network.addressOf('master')}:10912`
  await cluster.startBroker('further', { haMasterAddress })
  await cluster.pass(20_000)
  await cluster.stopBroker('further')
  cluster.network.partition('master', 'names')
  await cluster.startBroker('slave')
  await cluster.pass(130_000)
  await cluster.ask('slave', promoteBroker, { force: true } as never)
  await cluster.pass(5000)
  await cluster.startBroker('further', { haMasterAddress })
  await cluster.pass(10_000)
  // What connects now knows what the name servers say.
  cluster.network.reset('master', 'further')
  await cluster.pass(40_000)
  assert.deepEqual(
    cuts(cluster).filter(text => /parts at|kept/.test(text)),
    [],
  )
  await cluster.stop()
})

/** A master whose tail its promoted slave has not, about to be started. */
async function withTail(): Promise<Cluster> {
  const cluster = await pair('slave')
  cluster.network.partition('master', 'slave')
  for (let i = 0; i < 3; i++) assert.equal((await cluster.send('master', `tail ${i}`)).code, 11)
  cluster.network.reset('master', 'slave')
  await cluster.stopBroker('master')
  cluster.network.healAll()
  assert.equal((await promote(cluster, 'slave')).code, 0)
  await cluster.pass(3000)
  assert.equal((await cluster.send('slave', 'new')).code, 11)
  return cluster
}

test('a broker that is about to begin anew for a cut is not promoted', async () => {
  const cluster = await withTail()
  await cluster.startBroker('master', sync)
  const isCutting = () => cluster.events.some(({ fields }) => String(fields['reason']).startsWith('its log parts'))
  const refusals: (string | undefined)[] = []
  for (let i = 0; i < 3000 && !isCutting(); i++) {
    const { code, remark } = await promote(cluster, 'master')
    assert.equal(code, 1)
    refusals.push(remark)
    await cluster.pass(20)
  }
  assert.ok(isCutting())
  assert.ok(refusals.some(remark => /under way already/.test(remark ?? '')))
  await cluster.pass(40_000)
  assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
  assert.equal((await cluster.send('slave', 'both have it')).code, 0)
  await cluster.stop()
})

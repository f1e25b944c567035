import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PushConsumer } from '@skua-mq/client'
import {
  getBrokerClusterInfo,
  queryConsumerOffset,
  updateAndCreateSubscriptionGroup,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { storedMessages } from '@skua-mq/store'
import { bodies, type Cluster, type Role } from './cluster.ts'
import { demote, pair, promote, roleOf, sync, told } from './pair.ts'

async function routeOf(cluster: Cluster): Promise<Record<number, string>> {
  const info = await cluster.ask('names', getBrokerClusterInfo, {} as never)
  const table = getBrokerClusterInfo.replyBody!.decode(info.body!).brokerAddrTable
  return Object.fromEntries(table.get('broker-a')?.brokerAddrs ?? [])
}

/** The planned change of places: what `skua broker promote` does. */
async function change(cluster: Cluster, from: Role, to: Role, brokerId: number): Promise<void> {
  const gone = await demote(cluster, from, { brokerId })
  assert.equal(gone.code, 0, gone.remark)
  await cluster.pass(3000)
  const atLeast = (gone.header as { logEnd: number }).logEnd
  const come = await promote(cluster, to, { atLeast, takeFrom: cluster.address(from) })
  assert.equal(come.code, 0, come.remark)
  await cluster.pass(3000)
}

describe('a change of roles while both run', () => {
  test('and back: the route says so at once, messages go on, offsets and delays stay, the next slave follows', async () => {
    const cluster = await pair('slave', 'further')
    assert.equal((await cluster.send('master', 'late', { properties: 'DELAY\x015' })).code, 0)
    const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }
    await cluster.ask('master', updateAndCreateSubscriptionGroup, {} as never, { groupName: 'g' })
    await cluster.ask('master', updateConsumerOffset, { ...place, commitOffset: 1 } as never)
    await change(cluster, 'master', 'slave', 3)
    assert.deepEqual(await routeOf(cluster), {
      0: cluster.address('slave'),
      2: cluster.address('further'),
      3: cluster.address('master'),
    })
    assert.deepEqual([await roleOf(cluster, 'slave'), await roleOf(cluster, 'master')], ['SYNC_MASTER', 'SLAVE'])
    const offset = await cluster.ask('slave', queryConsumerOffset, place as never)
    assert.equal((offset.header as { offset: number }).offset, 1)
    assert.equal((await cluster.send('master', 'to the wrong one')).code, 14)
    await cluster.pass(40_000)
    assert.equal((await cluster.send('slave', 'after')).code, 0)
    await cluster.pass(60_000)
    await change(cluster, 'slave', 'master', 1)
    await cluster.pass(40_000)
    assert.equal((await cluster.send('master', 'home again')).code, 0)
    await cluster.pass(1000)
    const all = ['before', 'after', 'late', 'home again']
    assert.deepEqual(bodies((await cluster.pull('master')).body).sort(), [...all].sort())
    assert.deepEqual(told(cluster, /is cut|could not begin/), [])
    await cluster.stop()
  })

  test('lasts over a restart, until the configuration says something else', async () => {
    const cluster = await pair('slave')
    await change(cluster, 'master', 'slave', 2)
    for (const role of ['master', 'slave'] as const) await cluster.stopBroker(role)
    await cluster.startBroker('master', sync)
    await cluster.startBroker('slave')
    assert.deepEqual([await roleOf(cluster, 'slave'), await roleOf(cluster, 'master')], ['SYNC_MASTER', 'SLAVE'])
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', { brokerId: 3 })
    assert.equal(await roleOf(cluster, 'slave'), 'SLAVE')
    await cluster.stop()
  })
})

describe('a promotion is refused', () => {
  test('while the master lives, with its offsets', async () => {
    const cluster = await pair('slave')
    const refused = await promote(cluster, 'slave')
    assert.equal(refused.code, 1)
    assert.match(refused.remark ?? '', /the master 10\.\S+ lives, and its log ends at \d+: demote it before/)
    assert.match((await promote(cluster, 'master')).remark ?? '', /is the master already/)
    await cluster.stop()
  })

  test('where another slave has more, and where the master was heard to have more, and not with force', async () => {
    const cluster = await pair('slave', 'further')
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'only further has it')).code, 0)
    await cluster.stopBroker('master')
    await cluster.pass(3000)
    const refused = await promote(cluster, 'slave')
    assert.match(refused.remark ?? '', /the log of 10\.\S+ ends at \d+, the one here at \d+: promote that one/)
    await cluster.stopBroker('further')
    const behind = await promote(cluster, 'slave', { atLeast: 1_000_000 })
    assert.match(behind.remark ?? '', /its log ends at \d+, that of the master at 1000000 or later/)
    assert.equal((await promote(cluster, 'slave', { atLeast: 1_000_000, force: true })).code, 0)
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'slave'), 'SYNC_MASTER')
    await cluster.stop()
  })
})

describe('a demotion is refused', () => {
  test('where no slave has all, with the offsets, and the master goes on', async () => {
    const cluster = await pair('slave')
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'only here')).code, 11)
    const refused = await demote(cluster, 'master', { waitMs: 1000 })
    assert.match(refused.remark ?? '', /the first one has the log until \d+, and it ends at \d+/)
    assert.equal((await cluster.send('master', 'goes on')).code, 11)
    await cluster.stopBroker('slave')
    cluster.network.healAll()
    await cluster.pass(30_000)
    assert.match((await demote(cluster, 'master', { waitMs: 1000 })).remark ?? '', /no slave is connected/)
    assert.equal((await demote(cluster, 'master', { force: true, waitMs: 1000 })).code, 0)
    await cluster.pass(3000)
    assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
    await cluster.stop()
  })
})

describe('a master that was away while its slave was promoted', () => {
  const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }

  async function parted(): Promise<Cluster> {
    const cluster = await pair('slave')
    await cluster.ask('master', updateAndCreateSubscriptionGroup, {} as never, { groupName: 'g' })
    cluster.network.partition('master', 'slave')
    for (let i = 0; i < 3; i++) assert.equal((await cluster.send('master', `tail ${i}`)).code, 11)
    await cluster.ask('master', updateConsumerOffset, { ...place, commitOffset: 4 } as never)
    // Nothing of it is under way any more.
    cluster.network.reset('master', 'slave')
    await cluster.stopBroker('master')
    cluster.network.healAll()
    assert.equal((await promote(cluster, 'slave')).code, 0)
    await cluster.pass(3000)
    return cluster
  }

  test('comes back as its slave: its tail is cut where the two logs part, and kept as a store', async () => {
    for (const further of [[], ['new 1'], ['tail 0', 'tail 1', 'tail 2', 'more']]) {
      const cluster = await parted()
      for (const body of further) await cluster.send('slave', body)
      await cluster.startBroker('master', sync)
      assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
      // Where the group stood is gone, and something else will be there.
      let stands = 4
      for (let ms = 0; ms < 5000 && stands === 4; ms += 5) {
        await cluster.pass(5)
        const { header } = await cluster.ask('master', queryConsumerOffset, place as never)
        stands = (header as { offset: number }).offset
      }
      assert.equal(stands, 1)
      await cluster.pass(37_500)
      assert.equal((await cluster.send('slave', 'both have it')).code, 0)
      const [cut] = told(cluster, /which its master has not, was cut/)
      const tail: string[] = []
      for await (const message of storedMessages(cluster.disk('master'), String(cut?.fields['kept']), {}))
        if (message.physicalOffset >= Number(cut?.fields['at'])) tail.push(Buffer.from(message.body).toString())
      assert.deepEqual(tail, ['tail 0', 'tail 1', 'tail 2'])
      await change(cluster, 'slave', 'master', 2)
      const got = bodies((await cluster.pull('master')).body)
      assert.deepEqual(got, ['before', ...further, 'both have it'])
      await cluster.stop()
    }
  })

  test('that comes back with an empty store is its slave, too, and takes all', async () => {
    const cluster = await parted()
    cluster.disk('master').remove('/store')
    await cluster.startBroker('master', sync)
    assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
    await cluster.pass(40_000)
    assert.equal((await cluster.send('slave', 'both have it')).code, 0)
    await cluster.stop()
  })

  test('that runs on beside it, cut off, becomes its slave when the way is free', async () => {
    const cluster = await pair('slave')
    for (const other of ['slave', 'names'] as const) cluster.network.partition('master', other)
    await cluster.pass(130_000)
    assert.equal((await promote(cluster, 'slave')).code, 0)
    await cluster.pass(3000)
    assert.equal((await cluster.send('master', 'lost')).code, 11)
    cluster.network.healAll()
    await cluster.pass(60_000)
    assert.equal(await roleOf(cluster, 'master'), 'SLAVE')
    assert.deepEqual(Object.keys(await routeOf(cluster)).sort(), ['0', '1'])
    assert.equal((await cluster.send('slave', 'after')).code, 0)
    assert.equal(told(cluster, /was cut/).length, 1)
    await cluster.stop()
  })

  test('is not believed where its store was emptied and nobody was promoted: the slave keeps what it has, and says so', async () => {
    const cluster = await pair('slave')
    await cluster.stopBroker('master')
    cluster.disk('master').remove('/store')
    await cluster.startBroker('master', sync)
    await cluster.pass(40_000)
    const reasons = told(cluster, /connection to the master lost/).map(({ fields }) => fields['reason'])
    assert.ok(reasons.length < 6, reasons.join())
    assert.match(
      reasons.join(),
      /its log ends at 0, the one here at \d+; its epoch is 1, the one here 1: nothing is cut/,
    )
    await cluster.stopBroker('master')
    assert.equal((await promote(cluster, 'slave')).code, 0)
    await cluster.pass(3000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before'])
    await cluster.stop()
  })
})

test('a slave that becomes a master within the first seconds of a topic has that topic', async () => {
  const cluster = await pair('slave')
  assert.equal((await cluster.send('master', 'new', { topic: 'New' })).code, 0)
  await cluster.stopBroker('master')
  await cluster.pass(1000)
  assert.equal((await promote(cluster, 'slave')).code, 0)
  await cluster.pass(3000)
  assert.deepEqual(bodies((await cluster.pull('slave', 0, 'New')).body), ['new'])
  await cluster.stop()
})

test('a push consumer goes on over a change of roles by itself', async () => {
  const cluster = await pair('slave')
  const got: string[] = []
  const consumer = new PushConsumer({
    ...{ group: 'go', runtime: cluster.machine('go'), namesrvAddr: `${cluster.network.addressOf('names')}:9876` },
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  })
  consumer.subscribe('T').onMessage(message => {
    got.push(Buffer.from(message.body).toString())
  })
  await cluster.settle(consumer.start())
  await cluster.pass(10_000)
  await change(cluster, 'master', 'slave', 2)
  await cluster.send('slave', 'after')
  await cluster.pass(40_000)
  assert.deepEqual(got, ['before', 'after'])
  await cluster.settle(consumer.close())
  await cluster.stop()
})

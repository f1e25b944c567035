import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { PushConsumer } from '@skua-mq/client'
import {
  deleteSubscriptionGroup,
  deleteTopicInBroker,
  getBrokerClusterInfo,
  getBrokerHaStatus,
  getTopicConfig,
  queryConsumerOffset,
  ResponseCode,
  setMessageRequestMode,
  updateAndCreateSubscriptionGroup,
  updateBrokerConfig,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { bodies, Cluster } from './cluster.ts'

describe('a slave', () => {
  test('has the messages, topics, groups and offsets of its master, is in the route, and is read when it may be', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave', { slaveReadEnable: true })
    for (let i = 0; i < 5; i++) assert.equal((await cluster.send('master', `message ${i}`)).code, 0)
    await cluster.pull('master')
    const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }
    await cluster.ask('master', updateConsumerOffset, { ...place, commitOffset: 3 } as never)
    await cluster.pass(35_000)
    const pulled = await cluster.pull('slave')
    assert.deepEqual(bodies(pulled.body), ['message 0', 'message 1', 'message 2', 'message 3', 'message 4'])
    assert.equal((await cluster.ask('slave', getTopicConfig, { topic: 'T' } as never)).code, 0)
    const offset = await cluster.ask('slave', queryConsumerOffset, place as never)
    assert.equal((offset.header as { offset: number }).offset, 3)
    const info = await cluster.ask('names', getBrokerClusterInfo, {} as never)
    const table = getBrokerClusterInfo.replyBody!.decode(info.body!).brokerAddrTable
    assert.deepEqual([...(table.get('broker-a')?.brokerAddrs.keys() ?? [])].sort(), [0, 1])
    await cluster.stop()
  })

  test('and its master tell how far it is (907)', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    const status = async (role: 'master' | 'slave') => {
      const { code, body } = await cluster.ask(role, getBrokerHaStatus, {} as never)
      assert.equal(code, 0)
      return getBrokerHaStatus.replyBody!.decode(body!)
    }
    assert.equal((await cluster.send('master', 'x'.repeat(1000))).code, 0)
    await cluster.pass(35_000)
    const master = await status('master')
    const end = master.masterCommitLogMaxOffset
    assert.ok(end > 1000)
    assert.deepEqual([master.master, master.inSyncSlaveNums, master.haConnectionInfo.length], [true, 1, 1])
    const [slave] = master.haConnectionInfo
    assert.deepEqual(
      { ...slave, addr: slave?.addr.split(':')[0] },
      {
        ...{ addr: cluster.network.addressOf('slave'), slaveAckOffset: end, transferFromWhere: end, diff: 0 },
        ...{ inSync: true, transferredByteInSecond: 0 },
      },
    )
    const { haClientRuntimeInfo: link, ...rest } = await status('slave')
    assert.deepEqual([rest.master, rest.haConnectionInfo], [false, []])
    assert.equal(link.masterAddr, `${cluster.network.addressOf('master')}:10912`)
    assert.deepEqual([link.maxOffset, link.masterFlushOffset, link.activated], [end, end, true])
    for (const time of [link.lastReadTimestamp, link.lastWriteTimestamp])
      assert.ok(time > cluster.clock.now() - 10_000 && time <= cluster.clock.now())
    await cluster.stopBroker('slave')
    await cluster.pass(1000)
    assert.deepEqual((await status('master')).haConnectionInfo, [])
    await cluster.stop()
  })

  test('is read by a group that is new, and by one that has an offset, when its master is gone', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave', { slaveReadEnable: true })
    for (let i = 0; i < 5; i++) assert.equal((await cluster.send('master', `message ${i}`)).code, 0)
    await cluster.pull('master')
    const place = { consumerGroup: 'known', topic: 'T', queueId: 0 }
    await cluster.ask('master', updateAndCreateSubscriptionGroup, {} as never, { groupName: 'known' })
    await cluster.ask('master', updateConsumerOffset, { ...place, commitOffset: 3 } as never)
    await cluster.pass(35_000)
    await cluster.stopBroker('master')
    await cluster.pass(1000)
    const got: Record<string, string[]> = { new: [], known: [] }
    for (const group of ['new', 'known']) {
      const consumer = new PushConsumer({
        ...{ group, runtime: cluster.machine(group), namesrvAddr: `${cluster.network.addressOf('names')}:9876` },
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      })
      consumer.subscribe('T').onMessage(message => {
        got[group]!.push(Buffer.from(message.body).toString())
      })
      await cluster.settle(consumer.start())
      await cluster.pass(30_000)
      await cluster.settle(consumer.close())
    }
    assert.deepEqual(
      got['new']?.sort(),
      [0, 1, 2, 3, 4].map(i => `message ${i}`),
    )
    assert.deepEqual(got['known']?.sort(), ['message 3', 'message 4'])
    await cluster.stop()
  })

  test('takes no messages of its own, makes no topics for them, and sends readers to its master', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.send('master', 'there')
    await cluster.pass(35_000)
    const refused = await cluster.send('slave', 'mine')
    assert.equal(refused.code, 14)
    assert.match(refused.remark ?? '', /SLAVE/)
    assert.equal((await cluster.send('slave', 'mine', { topic: 'New' })).code, 14)
    assert.equal((await cluster.ask('slave', getTopicConfig, { topic: 'New' } as never)).code, 17)
    const sentAway = await cluster.pull('slave')
    assert.equal(sentAway.code, 20)
    assert.deepEqual([sentAway.header.nextBeginOffset, sentAway.header.suggestWhichBrokerId], [0, 0])
    await cluster.stop()
  })

  test('is a master after a start as one: delayed messages that were not due go on', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.send('master', 'before', { properties: 'DELAY\x011' })
    await cluster.pass(15_000)
    await cluster.send('master', 'late', { properties: 'DELAY\x015' })
    await cluster.pass(20_000)
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.pass(60_000)
    const pulled = await cluster.pull('slave')
    // What was delivered long before is not delivered again.
    assert.deepEqual(bodies(pulled.body), ['before', 'late'])
    assert.equal((await cluster.send('slave', 'new')).code, 0)
    await cluster.stop()
  })

  test('whose log stands still counts as delivered what it has delivered itself: started as a master it delivers the rest', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.pass(15_000)
    await cluster.send('master', 'late', { properties: 'DELAY\x015' })
    await cluster.pass(20_000)
    // Tables come all the same, while the log here gets no further.
    const { faults } = cluster.disk('slave')
    faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1_000_000 })
    await cluster.pass(60_000)
    assert.deepEqual(bodies((await cluster.pull('master')).body), ['late'])
    await cluster.pass(40_000)
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    faults.clear()
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.pass(90_000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['late'])
    await cluster.stop()
  })

  test('has no offset of a topic that was deleted and made again: started as a master it would skip what was sent since', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    for (let i = 0; i < 5; i++) await cluster.send('master', `old ${i}`)
    const place = { consumerGroup: 'g', topic: 'T', queueId: 0 }
    await cluster.ask('master', updateAndCreateSubscriptionGroup, {} as never, { groupName: 'g' })
    await cluster.ask('master', updateConsumerOffset, { ...place, commitOffset: 5 } as never)
    await cluster.pass(35_000)
    const offsetOf = (role: 'master' | 'slave') => cluster.ask(role, queryConsumerOffset, place as never)
    assert.equal(((await offsetOf('slave')).header as { offset: number }).offset, 5)
    await cluster.ask('master', deleteTopicInBroker, { topic: 'T' } as never)
    for (let i = 0; i < 3; i++) await cluster.send('master', `new ${i}`)
    await cluster.pass(35_000)
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['new 0', 'new 1', 'new 2'])
    const { code, header } = await offsetOf('slave')
    assert.deepEqual([code, (header as { offset: number } | undefined)?.offset], [ResponseCode.success, 0])
    await cluster.stop()
  })

  test('loses what is deleted at the master: topics, groups, offsets, and whether a group pops', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    for (const topic of ['T', 'U', 'V']) await cluster.send('master', 'm', { topic })
    for (const [topic, group] of [
      ['T', 'gone'],
      ['U', 'stays'],
      ['V', 'stays'],
    ] as const) {
      await cluster.ask('master', updateAndCreateSubscriptionGroup, {} as never, { groupName: group })
      const place = { consumerGroup: group, topic, queueId: 0, commitOffset: 1 }
      await cluster.ask('master', updateConsumerOffset, place as never)
      const mode = { topic, consumerGroup: group, mode: 'POP', popShareQueueNum: 0 }
      await cluster.ask('master', setMessageRequestMode, {} as never, mode)
    }
    await cluster.pass(35_000)
    const saved = () => {
      const of = (name: string) => cluster.disk('slave').readFile(`/store/config/${name}.json`).toString()
      return {
        topics: ['T', 'U', 'V'].filter(name => of('topics').includes(`"topicName":"${name}"`)),
        groups: ['gone', 'stays'].filter(name => of('subscriptionGroup').includes(`"${name}"`)),
        offsets: ['T@gone', 'U@stays', 'V@stays'].filter(name => of('consumerOffset').includes(`"${name}"`)),
        modes: ['T', 'U', 'V'].filter(name => of('messageRequestMode').includes(`"${name}"`)),
      }
    }
    assert.deepEqual(saved(), {
      topics: ['T', 'U', 'V'],
      groups: ['gone', 'stays'],
      offsets: ['T@gone', 'U@stays', 'V@stays'],
      modes: ['T', 'U', 'V'],
    })
    await cluster.ask('master', deleteSubscriptionGroup, { groupName: 'gone', removeOffset: true } as never)
    await cluster.ask('master', deleteTopicInBroker, { topic: 'U' } as never)
    await cluster.pass(35_000)
    assert.deepEqual(saved(), { topics: ['T', 'V'], groups: ['stays'], offsets: ['V@stays'], modes: ['V'] })
    await cluster.stop()
  })

  test('that is ahead of its master stays apart, and both say why', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.send('slave', 'a log of its own')
    await cluster.stopBroker('slave')
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.pass(40_000)
    const reasons = cluster.events
      .filter(event => /slave is gone/.test(event.name))
      .map(({ fields }) => fields['reason'])
    assert.match(String(reasons[0]), /the slave's log ends at \d+, this one at 0/)
    await cluster.stop()
  })

  test('goes on where it was after either end was away', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave', { slaveReadEnable: true })
    let sent = 0
    const send = async () => assert.equal((await cluster.send('master', `message ${sent++}`)).code, 0)
    await send()
    await cluster.pass(35_000)
    await cluster.stopBroker('slave')
    await send()
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(10_000)
    await cluster.stopBroker('master')
    await cluster.startBroker('master')
    await send()
    await cluster.pass(40_000)
    await send()
    await cluster.pass(1000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['message 0', 'message 1', 'message 2', 'message 3'])
    await cluster.stop()
  })
})

describe('SYNC_MASTER', () => {
  const config = { brokerRole: 'SYNC_MASTER' } as const

  test('answers 11 without a slave, 0 when one has the message, 11 when it does not answer', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master', config)
    assert.equal((await cluster.send('master', 'alone')).code, 11)
    await cluster.startBroker('slave', { slaveReadEnable: true })
    await cluster.pass(35_000)
    const begun = cluster.clock.monotonic()
    assert.equal((await cluster.send('master', 'together')).code, 0)
    assert.ok(cluster.clock.monotonic() - begun < 100)
    assert.equal((await cluster.send('master', 'not waited for', { properties: 'WAIT\x01false' })).code, 0)
    cluster.network.partition('master', 'slave')
    const waited = cluster.clock.monotonic()
    assert.equal((await cluster.send('master', 'cut off')).code, 11)
    assert.ok(cluster.clock.monotonic() - waited >= 1000)
    const slow = cluster.events.filter(({ name }) => name === 'slow request').at(-1)?.fields
    assert.equal(slow?.['cause'], 'waited for the slave')
    assert.ok(Number(slow?.['slaveMs']) >= 990, JSON.stringify(slow))
    await cluster.pass(25_000)
    assert.equal((await cluster.send('master', 'alone again')).code, 11)
    cluster.network.healAll()
    await cluster.pass(40_000)
    assert.equal((await cluster.send('master', 'together again')).code, 0)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), [
      ...['alone', 'together', 'not waited for', 'cut off', 'alone again', 'together again'],
    ])
    await cluster.stop()
  })

  test('waits for as many copies as inSyncReplicas says, and takes nothing while fewer than minInSyncReplicas can be made', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master', { ...config, inSyncReplicas: 3, minInSyncReplicas: 2 })
    const alone = await cluster.send('master', 'alone')
    assert.equal(alone.code, 14)
    assert.match(alone.remark ?? '', /in-sync replicas not enough: 1 with the master, minInSyncReplicas is 2/)
    await cluster.startBroker('slave')
    await cluster.pass(35_000)
    assert.equal((await cluster.send('master', 'two copies')).code, 11)
    await cluster.startBroker('further')
    await cluster.pass(35_000)
    assert.equal((await cluster.send('master', 'three copies')).code, 0)
    cluster.network.partition('master', 'further')
    assert.equal((await cluster.send('master', 'one is cut off')).code, 11)
    cluster.network.partition('master', 'slave')
    assert.equal((await cluster.send('master', 'both are')).code, 11)
    await cluster.pass(25_000)
    assert.equal((await cluster.send('master', 'alone again')).code, 14)
    const change = Buffer.from('minInSyncReplicas=1\n')
    assert.equal((await cluster.ask('master', updateBrokerConfig, {} as never, change)).code, 0)
    assert.equal((await cluster.send('master', 'as told')).code, 11)
    await cluster.stop()
  })
})

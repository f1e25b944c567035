import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ackMessage,
  batchAckMessage,
  changeMessageInvisibleTime,
  deleteTopicInBroker,
  getAllConsumerOffset,
  invokeBrokerToResetOffset,
  orderReviveQueue,
  popMessage,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { bodies, Cluster } from './cluster.ts'

const wish = {
  ...{ consumerGroup: 'g', topic: 'T', queueId: -1, maxMsgNums: 32, invisibleTime: 60_000, pollTime: 0, bornTime: 0 },
  ...{ initMode: 0, order: false },
}

const pop = async (cluster: Cluster, role: 'master' | 'slave') =>
  bodies((await cluster.ask(role, popMessage, wish as never)).body)

const asMaster = { brokerRole: 'ASYNC_MASTER', brokerId: 0 } as const

test('a slave whose log stood still while its master was popped has the messages popped when it is a master', async () => {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  await cluster.startBroker('slave')
  for (let n = 0; n < 3; n++) await cluster.send('master', `m${n}`)
  await cluster.pass(15_000)
  const { faults } = cluster.disk('slave')
  faults.fail({ on: 'write', code: 'EIO', path: 'commitlog' })
  assert.deepEqual(await pop(cluster, 'master'), ['m0', 'm1', 'm2'])
  await cluster.pass(30_000)
  await cluster.stopBroker('master')
  await cluster.stopBroker('slave')
  faults.clear()
  await cluster.startBroker('slave', asMaster)
  assert.deepEqual(await pop(cluster, 'slave'), ['m0', 'm1', 'm2'])
  await cluster.stop()
})

test('a slave takes no acknowledgement: it has no say in what is in flight', async () => {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  await cluster.startBroker('slave')
  await cluster.send('master', 'm')
  const { header } = await cluster.ask('master', popMessage, wish as never)
  const { popTime, reviveQid } = header as { popTime: number; reviveQid: number }
  await cluster.pass(15_000)
  for (const queue of [reviveQid, orderReviveQueue]) {
    const extraInfo = `0 ${popTime} 60000 ${queue} 0 broker-a 0 0`
    const place = { consumerGroup: 'g', topic: 'T', queueId: 0, offset: 0, extraInfo }
    for (const [spec, further] of [
      [ackMessage, {}],
      [changeMessageInvisibleTime, { invisibleTime: 1000 }],
    ] as const) {
      const { code, remark } = await cluster.ask('slave', spec, { ...place, ...further } as never)
      assert.deepEqual([code, /is a slave/.test(remark ?? '')], [16, true])
    }
    const one = { c: 'g', r: '0', t: 'T', q: 0, so: 0, pt: popTime, it: 60_000, rq: queue, b: 'AQ==' }
    const batch = await cluster.ask('slave', batchAckMessage, {} as never, { acks: [one] })
    assert.equal(batch.code, 16)
  }
  await cluster.stop()
})

test('a reset that is asked of a slave leaves alone what its master says of pops', async () => {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  await cluster.startBroker('slave')
  for (let n = 0; n < 3; n++) await cluster.send('master', `m${n}`)
  await cluster.send('master', 'other', { topic: 'U' })
  assert.deepEqual(await pop(cluster, 'master'), ['m0', 'm1', 'm2'])
  await cluster.pass(15_000)
  await cluster.stopBroker('master')
  const reset = { topic: 'U', group: 'g', timestamp: 0, isForce: true, queueId: 0, offset: 0 }
  await cluster.ask('slave', invokeBrokerToResetOffset, reset as never)
  await cluster.stopBroker('slave')
  await cluster.startBroker('slave', asMaster)
  await cluster.pass(61_000)
  assert.deepEqual(await pop(cluster, 'slave'), ['m0', 'm1', 'm2'])
  await cluster.stop()
})

test('offsets that a slave has put off are not of a topic that was made anew meanwhile', async () => {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  await cluster.startBroker('slave')
  for (let n = 0; n < 3; n++) await cluster.send('master', `m${n}`)
  await cluster.pass(15_000)
  const { faults } = cluster.disk('slave')
  faults.fail({ on: 'write', code: 'EIO', path: 'commitlog' })
  await cluster.send('master', 'not at the slave', { topic: 'U' })
  const commit = { consumerGroup: 'g', topic: 'T', queueId: 0, commitOffset: 3 }
  await cluster.ask('master', updateConsumerOffset, commit as never)
  await cluster.pass(20_000)
  await cluster.ask('master', deleteTopicInBroker, { topic: 'T' } as never)
  for (let n = 0; n < 5; n++) await cluster.send('master', `new${n}`)
  faults.clear()
  await cluster.pass(40_000)
  const { body } = await cluster.ask('slave', getAllConsumerOffset, {} as never)
  const { offsetTable } = getAllConsumerOffset.replyBody!.decode(body!)
  assert.ok(!offsetTable.has('T@g'))
  assert.equal((await cluster.pull('slave')).header!.maxOffset, 5)
  await cluster.stop()
})

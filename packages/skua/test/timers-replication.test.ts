import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getTimerCheckPoint } from '@skua-mq/protocol'
import { decodeTimerCheckpoint } from '@skua-mq/store'
import { bodies, Cluster } from './cluster.ts'

const inMs = (ms: number) => ({ properties: `TIMER_DELAY_MS\x01${ms}` })

describe('a slave that is started as a master', () => {
  test('delivers the timers that its master had not, and not again those of long before', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.send('master', 'before', inMs(5000))
    await cluster.send('master', 'late', inMs(100_000))
    await cluster.pass(45_000)
    await cluster.send('master', 'later', inMs(200_000))
    await cluster.pass(5000)
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.pass(40_000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before'])
    await cluster.pass(200_000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['before', 'late', 'later'])
    assert.equal((await cluster.send('slave', 'new', inMs(2000))).code, 0)
    await cluster.pass(2100)
    assert.deepEqual(bodies((await cluster.pull('slave', 3)).body), ['new'])
    await cluster.stop()
  })

  test('and was a master before goes by what the master of now has delivered', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.send('master', 'a', inMs(60_000))
    await cluster.send('master', 'b', inMs(200_000))
    await cluster.pass(10_000)
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.startBroker('master', { brokerRole: 'SLAVE', brokerId: 1 })
    await cluster.pass(100_000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['a'])
    await cluster.stopBroker('slave')
    await cluster.stopBroker('master')
    await cluster.startBroker('master')
    await cluster.pass(150_000)
    assert.deepEqual(bodies((await cluster.pull('master')).body), ['a', 'b'])
    await cluster.stop()
  })

  test('while its log stood still delivers what lies in it', async () => {
    const cluster = await new Cluster().start()
    await cluster.startBroker('master')
    await cluster.startBroker('slave')
    await cluster.pass(15_000)
    await cluster.send('master', 'late', inMs(30_000))
    await cluster.pass(20_000)
    const { faults } = cluster.disk('slave')
    faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1_000_000 })
    await cluster.pass(60_000)
    assert.deepEqual(bodies((await cluster.pull('master')).body), ['late'])
    await cluster.stopBroker('master')
    await cluster.stopBroker('slave')
    faults.clear()
    await cluster.startBroker('slave', { brokerRole: 'ASYNC_MASTER', brokerId: 0 })
    await cluster.pass(30_000)
    assert.deepEqual(bodies((await cluster.pull('slave')).body), ['late'])
    await cluster.stop()
  })
})

test('a master tells how far its timers have come', async () => {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master')
  await cluster.send('master', 'x', inMs(2000))
  await cluster.pass(10_000)
  const reply = await cluster.ask('master', getTimerCheckPoint, {} as never)
  const check = decodeTimerCheckpoint(Buffer.from(reply.body!))!
  assert.ok(cluster.clock.now() - check.readMs < 3000)
  assert.deepEqual([check.logFlushed, check.queueOffset, check.masterQueueOffset], [52, 1, 1])
  await cluster.stop()
})

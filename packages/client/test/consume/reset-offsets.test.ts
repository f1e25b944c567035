import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notifyConsumerIdsChanged, ResponseCode, resetConsumerClientOffset, resetOffsetBody } from '@skua-mq/protocol'
import { PushConsumer } from '../../src/index.ts'
import { world } from '../scripted-cluster.ts'

/** A consumer of two queues at offset 30, of which an operator moves the first one to 5. */
async function reset() {
  const at = await world(1)
  const broker = at.brokers[0]!
  const stored = [30, 30]
  broker.storedOffset = queueId => {
    const commit = broker.commits.findLast(one => one.queueId === queueId)
    return commit?.commitOffset ?? stored[queueId]
  }
  const { runtime, namesrvAddr } = at
  const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg' }).subscribe('T').onMessage(() => {})
  await at.settle(consumer.start())
  const body = resetOffsetBody.encode({ offsetTable: new Map([[{ topic: 'T', brokerName: 'b0', queueId: 0 }, 5]]) })
  const extFields = { topic: 'T', group: 'cg', timestamp: '0', isForce: 'true' }
  broker.connection!.tell({ code: resetConsumerClientOffset.code, extFields, body })
  await at.clock.advanceAsync(3_000)
  return { at, broker, consumer }
}

test('a rebalance while offsets are being moved does not leave a loop behind that goes on from the old one', async () => {
  const { at, broker, consumer } = await reset()
  broker.connection!.tell({ code: notifyConsumerIdsChanged.code, extFields: { consumerGroup: 'cg' } })
  broker.pulls.length = 0
  let pulls = 0
  broker.onPull = ({ queueId, queueOffset }) => {
    if (queueId !== 0 || ++pulls > 20) return 'held'
    return { code: ResponseCode.pullRetryImmediately, next: queueOffset + 1 }
  }
  await at.clock.advanceAsync(20_000)
  const offsets = broker.pulls
    .filter(({ topic, queueId }) => topic === 'T' && queueId === 0)
    .map(one => one.queueOffset)
  assert.deepEqual(
    offsets.filter(offset => offset >= 30),
    [],
  )
  assert.equal(
    broker.commits.some(({ queueId, commitOffset }) => queueId === 0 && commitOffset === 5),
    true,
  )
  await at.settle(consumer.close())
  await at.stop()
})

test('a consumer that closes while offsets are being moved writes the new ones down, and leaves no timer', async () => {
  const { at, broker, consumer } = await reset()
  await at.settle(consumer.close())
  const last = broker.commits.findLast(({ queueId }) => queueId === 0)
  assert.equal(last?.commitOffset, 5)
  await at.stop()
  await at.clock.advanceAsync(1_000)
  assert.equal(at.clock.nextInMs, undefined)
})

test('a consumer that was suspended stays so behind a reset, and one that is resumed amid it waits for its end', async () => {
  for (const said of ['suspend', 'resume'] as const) {
    const { at, broker, consumer } = await reset()
    consumer[said]()
    broker.pulls.length = 0
    await at.clock.advanceAsync(5_000)
    assert.deepEqual(broker.pulls, [], `${said}: nothing is pulled while offsets are being moved`)
    await at.clock.advanceAsync(25_000)
    assert.equal(
      broker.pulls.some(({ topic }) => topic === 'T'),
      said === 'resume',
      said,
    )
    await at.settle(consumer.close())
    await at.stop()
  }
})

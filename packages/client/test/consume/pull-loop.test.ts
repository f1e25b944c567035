import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import { LitePullConsumer, PushConsumer } from '../../src/index.ts'
import { type World, world } from '../scripted-cluster.ts'

interface Running {
  close(): Promise<void>
}

/** Both kinds that pull by themselves; each has subscribed to T, and its first pulls are under way. */
const kinds: Readonly<Record<string, (at: World) => Promise<Running>>> = {
  push: async at => {
    const { runtime, namesrvAddr } = at
    const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg' }).subscribe('T').onMessage(() => {})
    await at.settle(consumer.start())
    return consumer
  },
  'lite pull': async at => {
    const { runtime, namesrvAddr } = at
    const consumer = new LitePullConsumer({ runtime, namesrvAddr, group: 'cg' }).subscribe('T')
    await at.settle(consumer.start())
    return consumer
  },
}

for (const [kind, start] of Object.entries(kinds)) {
  test(`a ${kind} consumer that the broker does not know tells it again, and pulls on`, async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    let isKnown = false
    broker.onPull = () => (isKnown ? 'held' : { code: ResponseCode.subscriptionNotExist, next: 0 })
    const consumer = await start(at)
    await at.clock.advanceAsync(100)
    isKnown = true
    const [beats, pulls] = [broker.heartbeats.length, broker.pulls.length]
    await at.clock.advanceAsync(4000)
    assert.ok(broker.heartbeats.length > beats, 'no heartbeat')
    assert.equal(broker.pulls.length, pulls + 2)
    await at.settle(consumer.close())
    await at.stop()
  })

  test(`a ${kind} consumer of a broker that is busy asks again soon, and after another failure later`, async () => {
    const at = await world(1)
    const broker = at.brokers[0]!
    let code: ResponseCode = ResponseCode.flowControl
    broker.onPull = () => ({ code, next: 0 })
    const consumer = await start(at)
    broker.pulls.length = 0
    await at.clock.advanceAsync(1000)
    assert.ok(broker.pulls.length > 20, `${broker.pulls.length} pulls`)
    code = ResponseCode.systemError
    await at.clock.advanceAsync(100)
    broker.pulls.length = 0
    await at.clock.advanceAsync(9000)
    assert.equal(broker.pulls.length, 2 * 3)
    await at.settle(consumer.close())
    await at.stop()
  })
}

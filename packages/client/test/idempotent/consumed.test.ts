import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerSendMsgBack, ResponseCode } from '@skua-mq/protocol'
import { ok, route } from '@skua-mq/remoting'
import { idempotent, PushConsumer } from '../../src/index.ts'
import { records } from '../records.ts'
import { world } from '../scripted-cluster.ts'

/** A consumer whose broker has one message, and brings it again each time that it is given back. */
async function consumed(verdict: (run: number, message: Parameters<Parameters<typeof idempotent>[1]>[0]) => unknown) {
  const back: number[] = []
  const at = await world(1, {
    routes: [
      route(consumerSendMsgBack, ({ delayLevel }) => {
        back.push(delayLevel)
        return ok({})
      }),
    ],
  })
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  let next = 0
  broker.onPull = ({ topic, queueId }) => {
    if (topic !== 'T' || queueId !== 0 || next > back.length) return 'held'
    next++
    // The unique id stays the same from one time to the next.
    const body = records(next - 1, next, { properties: { UNIQ_KEY: 'SAME' } })
    return { code: ResponseCode.success, next, body }
  }
  let runs = 0
  const { runtime, namesrvAddr } = at
  const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', pullInterval: 1000 })
    .subscribe('T')
    .onMessage(idempotent({}, async message => (await verdict(++runs, message)) as undefined))
  await at.settle(consumer.start())
  await at.clock.advanceAsync(40_000)
  await at.settle(consumer.close())
  await at.stop()
  return { runs, back }
}

test('what nack gives back is handled again, and what ack takes is not', async () => {
  const nacked = await consumed((run, message) => (run < 3 ? message.nack({ delay: 5000 }) : undefined))
  assert.deepEqual(nacked, { runs: 3, back: [2, 2] })
  const acked = await consumed(async (_run, message) => {
    await message.ack()
    return 'RECONSUME_LATER'
  })
  assert.deepEqual(acked, { runs: 1, back: [] })
})

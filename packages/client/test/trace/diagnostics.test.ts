import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { consumerSendMsgBack, ResponseCode } from '@skua-mq/protocol'
import { ok, route } from '@skua-mq/remoting'
import {
  type ConsumeDiagnostic,
  type EventDiagnostic,
  Producer,
  PushConsumer,
  type SendDiagnostic,
} from '../../src/index.ts'
import { records } from '../records.ts'
import { world } from '../scripted-cluster.ts'

/** What a channel tells while `work` runs. */
async function heard<T>(name: string, work: () => Promise<unknown>): Promise<T[]> {
  const told: T[] = []
  const listen = (message: unknown) => void told.push(message as T)
  subscribe(name, listen)
  await work()
  unsubscribe(name, listen)
  return told
}

test('whoever watches the process hears of each send: where, how long, and what came of it', async () => {
  const at = await world(1)
  const { runtime, namesrvAddr } = at
  const producer = new Producer({ runtime, namesrvAddr, group: 'pg', logger: false })
  const sends = await heard<SendDiagnostic>('skua:client:send', async () => {
    await at.settle(producer.send({ topic: 'T', body: 'xyz' }))
    at.brokers[0]!.onSend = () => ({ code: ResponseCode.messageIllegal })
    await assert.rejects(at.settle(producer.send({ topic: 'T', body: 'x' })))
  })
  assert.deepEqual(
    sends.map(({ topic, group, messages, bodyBytes, result, error }) => [
      ...[topic, group, messages, bodyBytes, result?.sendStatus],
      (error as { responseCode?: number } | undefined)?.responseCode,
    ]),
    [
      ['T', 'pg', 1, 3, 'SEND_OK', undefined],
      ['T', 'pg', 1, 1, undefined, 13],
    ],
  )
  assert.ok(sends[0]!.durationMs >= 0 && sends[0]!.msgId.length === 32)
  await at.settle(producer.close())
  await at.stop()
})

test('and of each run of a handler, and of what clients tell', async () => {
  const at = await world(1, { routes: [route(consumerSendMsgBack, () => ok({}))] })
  const broker = at.brokers[0]!
  broker.storedOffset = () => 0
  broker.onPull = ({ topic, queueId, queueOffset }) =>
    topic === 'T' && queueId === 0 && queueOffset === 0
      ? { code: ResponseCode.success, next: 2, body: records(0, 2) }
      : 'held'
  const { runtime, namesrvAddr } = at
  const consumer = new PushConsumer({ runtime, namesrvAddr, group: 'cg', logger: false })
    .subscribe('T')
    .onMessage(({ msgId }) => {
      if (msgId === 'ID1') throw new Error('down')
    })
  let events: EventDiagnostic[] = []
  const runs = await heard<ConsumeDiagnostic>('skua:client:consume', async () => {
    events = await heard<EventDiagnostic>('skua:client:event', async () => {
      await at.settle(consumer.start())
      await at.clock.advanceAsync(100)
    })
  })
  assert.deepEqual(
    // The two run at the same time: which ends first is chance.
    runs
      .map(({ topic, group, messages, status, error }) => [
        topic,
        group,
        messages.length,
        status,
        (error as Error | undefined)?.message,
      ])
      .sort(),
    [
      ['T', 'cg', 1, 'CONSUME_SUCCESS', undefined],
      ['T', 'cg', 1, 'RECONSUME_LATER', 'down'],
    ],
  )
  assert.deepEqual(
    events.map(({ name, level }) => [name, level]),
    [
      ['queuesChanged', 'info'],
      ['handlerFailed', 'warn'],
    ],
  )
  await at.settle(consumer.close())
  await at.stop()
})

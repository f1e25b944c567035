import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reviveTopicPrefix, wheelTimerTopic } from '@skua-mq/protocol'
import { CheckPoint } from '../../src/pop/check-point.ts'
import { PopJournal } from '../../src/pop/journal.ts'
import { StoreMachine, text } from '../store-machine.ts'

const storeHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f)
const names = { topic: 'Plain', group: 'pg', queueId: 0, startOffset: 0, popTime: 1795955810331 }
const point = new CheckPoint({
  ...names,
  invisibleTime: 20_000,
  reviveQid: 0,
  brokerName: 'broker-a',
  diffs: [0, 1, 2],
})

test('check points and acknowledgements are written as RocketMQ 5.3.3 wrote them', async () => {
  const machine = new StoreMachine()
  const { store, runtime } = await machine.boot()
  const reviveTopic = `${reviveTopicPrefix}DefaultCluster`
  const journal = new PopJournal({ store, clock: runtime.clock, storeHost, reviveTopic, ensureTopics: () => {} })
  const waiter = { stored: () => {} }
  journal.checkPoint(point, waiter)
  journal.ack(point, [0], waiter)
  journal.ack(point, [1, 2], waiter)
  await machine.clock.advanceAsync(0)
  const [ck, ack, batch] = machine.read(store, wheelTimerTopic)
  assert.equal(
    text(ck!),
    '{"bm":0,"bn":"broker-a","c":"pg","d":[0,1,2],"it":20000,"n":3,"pt":1795955810331,"q":0,"reviveTime":1795955830331,"ro":0,"so":0,"t":"Plain"}',
  )
  assert.equal(text(ack!), '{"ao":0,"bn":"broker-a","c":"pg","pt":1795955810331,"q":0,"so":0,"t":"Plain"}')
  assert.equal(
    text(batch!),
    '{"ao":-1,"aol":[1,2],"bn":"broker-a","c":"pg","pt":1795955810331,"q":0,"so":0,"t":"Plain"}',
  )
  const common = { REAL_TOPIC: 'rmq_sys_REVIVE_LOG_DefaultCluster', REAL_QID: '0' }
  assert.deepEqual(Object.fromEntries(ck!.properties), {
    ...{ ...common, TAGS: 'ck', TIMER_DELIVER_MS: '1795955829331', TIMER_OUT_MS: '1795955829000' },
    UNIQ_KEY: 'Plain@0@0@pg@1795955810331@broker-a@ck',
  })
  assert.deepEqual(Object.fromEntries(ack!.properties), {
    ...{ ...common, TAGS: 'ack', TIMER_DELIVER_MS: '1795955830331', TIMER_OUT_MS: '1795955830000' },
    UNIQ_KEY: 'Plain@0@0@pg@1795955810331@broker-a@ack',
  })
  assert.deepEqual(Object.fromEntries(batch!.properties), {
    ...{ ...common, TAGS: 'bAck', TIMER_DELIVER_MS: '1795955830331', TIMER_OUT_MS: '1795955830000' },
    UNIQ_KEY: 'Plain@0@-1@pg@1795955810331@broker-a@ack',
  })
})

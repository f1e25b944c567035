import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerOffsetFile, popRetryTopic, reviveGroup, wheelTimerTopic } from '@skua-mq/protocol'
import { EventHub } from '@skua-mq/runtime'
import { OffsetTable } from '../../src/offset/offset-table.ts'
import { PendingResets } from '../../src/offset/pending-resets.ts'
import { TableFile } from '../../src/persist/table-file.ts'
import { CheckPoints } from '../../src/pop/check-points.ts'
import { PopJournal } from '../../src/pop/journal.ts'
import { PopRecovery } from '../../src/pop/pop-recovery.ts'
import { PopPositions } from '../../src/pop/positions.ts'
import { StoreMachine } from '../store-machine.ts'

const reviveTopic = 'rmq_sys_REVIVE_LOG_DefaultCluster'
const timerCheckPath = '/store/config/timercheck'

const ck = (so: number, changes: Record<string, unknown> = {}) =>
  JSON.stringify({
    bm: 0,
    bn: 'b',
    c: 'g',
    d: [0, 1],
    it: 60_000,
    n: 2,
    pt: 1000 + so,
    q: 0,
    ro: 0,
    so,
    t: 'T',
    ...changes,
  })
const ack = (so: number, ...offsets: number[]) =>
  JSON.stringify({ ao: -1, aol: offsets, bn: 'b', c: 'g', pt: 1000 + so, q: 0, so, t: 'T' })

const timed = (tag: string, body: string, outMs: number) => ({
  topic: wheelTimerTopic,
  body,
  properties: { TAGS: tag, TIMER_OUT_MS: `${outMs}`, REAL_TOPIC: reviveTopic, REAL_QID: '0' },
})
const moved = (tag: string, body: string) => ({ topic: reviveTopic, body, properties: { TAGS: tag } })

/** What is in memory after a start of a store with these records; `done`: what Java called done of the revive queue. */
async function recovered(
  records: Parameters<StoreMachine['put']>[1],
  { done, timer }: { done?: number; timer?: { readToMs: number; queueOffset: number } } = {},
) {
  const machine = new StoreMachine()
  const { store, runtime } = await machine.boot()
  // What is popped lies before its check point.
  const popped = Array.from({ length: 10 }, (_, n) => ({ topic: 'T', body: `m${n}` }))
  await machine.put(store, [...popped, ...records])
  const events = new EventHub()
  const file = new TableFile({ ...runtime, codec: consumerOffsetFile, path: '/store/config/consumerOffset.json' })
  const offsets = new OffsetTable({ ...runtime, events, file, intervalMs: () => 5000 })
  if (done !== undefined)
    offsets.commit({ group: reviveGroup, topic: reviveTopic, queueId: 0, offset: done, who: 'Java' })
  if (timer !== undefined) {
    const bytes = Buffer.alloc(4096)
    bytes.writeBigInt64BE(BigInt(timer.readToMs), 0)
    bytes.writeBigInt64BE(BigInt(timer.queueOffset), 16)
    runtime.disk.makeDirectory('/store/config')
    runtime.disk.writeFile(timerCheckPath, bytes)
  }
  const points = new CheckPoints(runtime.clock, () => 1e6)
  const parts = { ...runtime, store, offsets, points, reviveTopic, reviveQueues: () => 1, timerCheckPath, events }
  const resets = new PendingResets()
  const positions = new PopPositions({
    ...parts,
    resets,
    wasReset: () => {},
    checkInMemory: true,
    rereadLimit: () => 1000,
  })
  const journal = new PopJournal({ ...parts, storeHost: new Uint8Array(8), ensureTopics: () => {} })
  const retries = { of: popRetryTopic }
  await machine.clock.until(new PopRecovery({ ...parts, positions, journal, retries }).run())
  const open = [...points.all()].map(point => `${point.startOffset}: ${point.offsetsWithout(point.settled)}`)
  return { open, next: positions.peek('T', 'g', 0) }
}

test('what is not acknowledged is in memory again, and the group goes on behind all of it', async () => {
  const records = [timed('ck', ck(0), 61_000), timed('ck', ck(2), 63_000), timed('bAck', ack(0, 0, 1), 61_000)]
  assert.deepEqual(await recovered([...records, timed('bAck', ack(2, 3), 63_000)]), { open: ['2: 2'], next: 4 })
})

test('bits of a check point count, and so do those of before there were distances', async () => {
  const old = ck(5, { d: undefined, n: 3 })
  const { open } = await recovered([timed('ck', ck(0, { bm: 2 }), 61_000), timed('ck', old, 61_000)])
  assert.deepEqual(open, ['0: 0', '5: 5,6,7'])
})

test('what Java has moved into the revive topic counts there, once, up to where it was done', async () => {
  const timer = { readToMs: 62_000, queueOffset: 4 }
  const inTimer = [
    timed('ck', ck(0), 60_000),
    timed('ck', ck(2), 61_000),
    timed('ck', ck(4), 90_000),
    timed('bAck', ack(2, 2), 61_000),
  ]
  const inRevive = [moved('ck', ck(0)), moved('ck', ck(2)), moved('bAck', ack(2, 2))]
  assert.deepEqual((await recovered([...inTimer, ...inRevive], { done: 0, timer })).open, ['2: 3', '4: 4,5'])
  // Nothing is done: the first one too.
  assert.deepEqual((await recovered([...inTimer, ...inRevive], { timer })).open, ['0: 0,1', '2: 3', '4: 4,5'])
})

test('an acknowledgement before its check point in the revive topic counts', async () => {
  const { open } = await recovered([moved('bAck', ack(0, 0)), moved('ck', ck(0))])
  assert.deepEqual(open, ['0: 1'])
})

test('what does not read, and what is of another topic, is passed by', async () => {
  const foreign = { topic: wheelTimerTopic, body: 'a user’s', properties: { REAL_TOPIC: 'Orders', TIMER_OUT_MS: '1' } }
  assert.deepEqual((await recovered([foreign, timed('ck', '{"so":', 1), timed('ck', ck(0), 61_000)])).open, ['0: 0,1'])
})

test('a change of the invisible time of which only the first half is there counts as a whole', async () => {
  const changed = ck(1, { d: [0], n: 1, pt: 5000 })
  const { open } = await recovered([timed('ck', ck(0), 61_000), timed('ck', changed, 65_000)])
  assert.deepEqual(open, ['0: 0', '1: 1'])
})

test('a check point counts for messages that lie before it, not for those of a topic that was made again behind it', async () => {
  const messages = Array.from({ length: 3 }, (_, n) => ({ topic: 'V', body: `m${n}` }))
  const point = timed('ck', ck(0, { t: 'V' }), 61_000)
  assert.deepEqual((await recovered([...messages, point])).open, ['0: 0,1'])
  assert.deepEqual((await recovered([point, ...messages])).open, [])
  assert.deepEqual((await recovered([point])).open, [], 'the topic is gone')
  assert.deepEqual((await recovered([messages[0]!, point])).open, [], 'it has not so many')
})

test('a check point that was written again moves nobody: the group may have been reset behind the first one', async () => {
  assert.equal((await recovered([timed('ck', ck(0), 61_000)])).next, 2)
  const { open, next } = await recovered([timed('ck', ck(0, { rp: '0' }), 61_000)])
  assert.deepEqual([open, next], [['0: 0,1'], 0])
})

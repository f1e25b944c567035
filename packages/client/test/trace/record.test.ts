import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { TraceDispatcher, traceBatches } from '../../src/trace/dispatcher.ts'
import { type PubRecord, traceKeys, traceText } from '../../src/trace/record.ts'

const pub: PubRecord = {
  kind: 'Pub',
  timestampMs: 1,
  regionId: 'R',
  group: 'pg',
  topic: 'T',
  msgId: 'ID',
  keys: 'k1 k2',
  storeHost: '10.0.0.1:10911',
  bodyLength: 5,
  costMs: 3,
  messageType: 0,
  offsetMsgId: 'OFF',
  success: true,
}

test('records have their fields in the order of the page', () => {
  const text = (parts: unknown[]) => `${parts.join('\u0001')}\u0002`
  assert.equal(
    traceText(pub),
    text(['Pub', 1, 'R', 'pg', 'T', 'ID', '', 'k1 k2', '10.0.0.1:10911', 5, 3, 0, 'OFF', true]),
  )
  const before = {
    kind: 'SubBefore',
    timestampMs: 1,
    regionId: 'R',
    group: 'cg',
    requestId: 'Q',
    msgId: 'ID',
    retryTimes: 2,
  } as const
  assert.equal(traceText(before), text(['SubBefore', 1, 'R', 'cg', 'Q', 'ID', 2, '']))
  const after = {
    kind: 'SubAfter',
    requestId: 'Q',
    msgId: 'ID',
    costMs: 4,
    success: false,
    contextCode: 2,
    timestampMs: 9,
    group: 'cg',
  } as const
  assert.equal(traceText(after), text(['SubAfter', 'Q', 'ID', 4, false, '', 2, 9, 'cg']))
  const end = {
    kind: 'EndTransaction',
    timestampMs: 1,
    regionId: 'R',
    group: 'pg',
    topic: 'T',
    msgId: 'ID',
    storeHost: 'h',
    messageType: 2,
    transactionId: 'X',
    state: 'COMMIT_MESSAGE',
    fromTransactionCheck: false,
  } as const
  assert.equal(
    traceText(end),
    text(['EndTransaction', 1, 'R', 'pg', 'T', 'ID', '', '', 'h', 2, 'X', 'COMMIT_MESSAGE', false]),
  )
})

test('a trace message is found by each id and key in it', () => {
  assert.equal(traceKeys([pub, { ...pub, msgId: 'ID2', keys: undefined }]), 'ID k1 k2 ID2')
})

test('a trace message holds at most 100 records and 128000 bytes', () => {
  assert.deepEqual(
    traceBatches(Array.from({ length: 250 }, () => pub)).map(batch => batch.length),
    [100, 100, 50],
  )
  const large = { ...pub, keys: 'k'.repeat(60_000) }
  assert.deepEqual(
    traceBatches([large, large, large]).map(batch => batch.length),
    [2, 1],
  )
})

test('records go out after 5 s, at once when there are 100, and what does not fit is counted', async () => {
  const clock = new SimClock()
  const sent: number[] = []
  const dropped: number[] = []
  const traces = new TraceDispatcher({
    clock,
    topic: 'RMQ_SYS_TRACE_TOPIC',
    emit: (_name, fields) => dropped.push((fields as { records: number }).records),
    send: async ({ body }) => sent.push(body.split('\u0002').length - 1),
  })
  traces.add(pub)
  await clock.advanceAsync(4_999)
  assert.deepEqual(sent, [])
  await clock.advanceAsync(1)
  assert.deepEqual(sent, [1])
  for (let i = 0; i < 100; i++) traces.add(pub)
  await clock.advanceAsync(0)
  assert.deepEqual(sent, [1, 100])
  traces.add(pub)
  await traces.stop()
  assert.deepEqual([sent, dropped], [[1, 100, 1], []])
  assert.equal(clock.nextInMs, undefined)
})

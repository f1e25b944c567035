import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  consumerSendMsgBack,
  endTransaction,
  pullMessage,
  queryConsumerOffset,
  ResponseCode,
  updateAndCreateSubscriptionGroup,
  updateAndCreateTopic,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import type { Peer, World } from '../world.ts'
import { metricsWorld, scraped } from './scrape-world.ts'

const pull = (peer: Peer, topic: string, { group = 'g', offset = 0, holdMs = 0, commit = -1 } = {}) =>
  peer.ask(pullMessage, {
    consumerGroup: group,
    topic,
    queueId: 0,
    queueOffset: offset,
    maxMsgNums: 32,
    sysFlag: (holdMs > 0 ? 2 : 0) | (commit >= 0 ? 1 : 0) | 4,
    commitOffset: Math.max(0, commit),
    suspendTimeoutMillis: holdMs,
    subscription: '*',
    subVersion: 1,
    expressionType: 'TAG',
  })

describe('messages', () => {
  test('are counted by the topic where they are stored and by kind, batches by their messages, retries not at all', async () => {
    const world = await metricsWorld().start()
    const peer = world.client('peer')
    await peer.send('T', 'one')
    await peer.send('T', 'two', { properties: { __SHARDINGKEY: 'k' } })
    await peer.send('T', 'later', { properties: { DELAY: '18' } })
    await peer.send('T', 'half', { properties: { TRAN_MSG: 'true', PGROUP: 'producers' }, sysFlag: 4 })
    await peer.send('%RETRY%g', 'again')
    const now = await scraped(world)
    const counted = now
      .samples('rocketmq_messages_in_total')
      .map(({ labels, value }) => [labels.get('topic'), labels.get('message_type'), labels.get('is_system'), value])
    assert.deepEqual(counted.sort(), [
      ['RMQ_SYS_TRANS_HALF_TOPIC', 'transaction', 'true', 1],
      ['SCHEDULE_TOPIC_XXXX', 'delay', 'true', 1],
      ['T', 'fifo', 'false', 1],
      ['T', 'normal', 'false', 1],
    ])
    const of = { topic: 'T', message_type: 'normal' }
    const bytes = now.value('rocketmq_throughput_in_total', of)
    assert.equal(now.value('rocketmq_message_size_sum', of), bytes)
    assert.equal(now.value('rocketmq_message_size_bucket', { ...of, le: '1024.0' }), 1)
    await world.stop()
  })

  test('above the limit topics are counted together, and no message is lost', async () => {
    const world = await metricsWorld({ metricsOtelCardinalityLimit: 3 }).start()
    const peer = world.client('peer')
    for (let i = 0; i < 5; i++) await peer.send(`T${i}`, 'x')
    const now = await scraped(world)
    const samples = now.samples('rocketmq_messages_in_total')
    assert.deepEqual(
      samples.map(({ labels, value }) => [labels.get('topic') ?? labels.get('otel_metric_overflow'), value]),
      [
        ['T0', 1],
        ['T1', 1],
        ['T2', 1],
        ['true', 2],
      ],
    )
    assert.equal(now.value('skua_metrics_dropped_series', { family: 'rocketmq_processor_watermark' }), 9)
    await world.stop()
  })
})

test('a lag is what is not consumed; what was handed out is not ready any more', async () => {
  const world = await metricsWorld().start()
  const peer = world.client('peer')
  await peer.consume('g', ['T', '%RETRY%g'])
  for (let i = 0; i < 10; i++) await peer.send('T', String(i))
  await world.pass(1000)
  await peer.send('T', 'last')
  await peer.ask(updateConsumerOffset, { consumerGroup: 'g', topic: 'T', queueId: 0, commitOffset: 4 } as never)
  await world.pass(500)
  const before = await lagsOf(world)
  assert.deepEqual(before.counts, { lag: 7, inflight: 0, ready: 7 })
  assert.ok(before.lagMs >= 1500 && before.lagMs < 1700, String(before.lagMs))
  assert.equal(before.queueingMs, before.lagMs)
  await pull(peer, 'T', { offset: 4 })
  const handed = await lagsOf(world)
  assert.deepEqual([handed.counts, handed.queueingMs], [{ lag: 7, inflight: 7, ready: 0 }, 0])
  assert.ok(handed.lagMs >= before.lagMs)
  await peer.ask(updateConsumerOffset, { consumerGroup: 'g', topic: 'T', queueId: 0, commitOffset: 11 } as never)
  assert.deepEqual(await lagsOf(world), { counts: { lag: 0, inflight: 0, ready: 0 }, lagMs: 0, queueingMs: 0 })
  const now = await scraped(world)
  assert.equal(now.value('rocketmq_messages_out_total', { consumer_group: 'g', topic: 'T' }), 7)
  await world.stop()
})

async function lagsOf(world: World) {
  const now = await scraped(world)
  const of = (name: string) =>
    now.value(`rocketmq_consumer_${name}`, { consumer_group: 'g', topic: 'T', is_retry: 'false', is_system: 'false' })
  return {
    counts: { lag: of('lag_messages'), inflight: of('inflight_messages'), ready: of('ready_messages') },
    lagMs: of('lag_latency_milliseconds')!,
    queueingMs: of('queueing_latency_milliseconds')!,
  }
}

test('transactions wait, are committed and rolled back; those of before a restart wait on', async () => {
  const world = await metricsWorld().start()
  const peer = world.client('peer')
  const half = () =>
    peer.send('T', 'half', { properties: { TRAN_MSG: 'true', PGROUP: 'producers', UNIQ_KEY: 'u' }, sysFlag: 4 })
  const sent = [await half(), await half(), await half()]
  const end = ({ header }: (typeof sent)[number], commitOrRollback: number) =>
    peer.ask(endTransaction, {
      producerGroup: 'producers',
      tranStateTableOffset: header!.queueOffset,
      commitLogOffset: Number.parseInt(header!.msgId.slice(16), 16),
      commitOrRollback,
      fromTransactionCheck: false,
      msgId: 'u',
      transactionId: 'u',
    } as never)
  await world.pass(7000)
  assert.equal((await end(sent[0]!, 8)).code, ResponseCode.success)
  assert.equal((await end(sent[1]!, 12)).code, ResponseCode.success)
  const now = await scraped(world)
  const of = { topic: 'T' }
  assert.equal(now.value('rocketmq_half_messages', of), 1)
  assert.equal(now.value('rocketmq_commit_messages_total', of), 1)
  assert.equal(now.value('rocketmq_rollback_messages_total', of), 1)
  assert.equal(now.value('rocketmq_finish_message_latency_milliseconds_sum', of), 7)
  assert.equal(now.value('rocketmq_finish_message_latency_milliseconds_bucket', { ...of, le: '60.0' }), 1)
  await world.stop()
  await world.start()
  assert.equal((await scraped(world)).value('rocketmq_half_messages', of), 1)
  await world.settle(world.broker.stop())
})

test('dead letters are counted by group and by the topic that they came from', async () => {
  const world = await metricsWorld().start()
  const peer = world.client('peer')
  await peer.consume('g', ['T'])
  const sent = await peer.send('T', 'bad')
  const back = {
    group: 'g',
    offset: Number.parseInt(sent.header!.msgId.slice(16), 16),
    delayLevel: -1,
    originMsgId: 'x',
    originTopic: 'T',
    unitMode: false,
    maxReconsumeTimes: 16,
  }
  assert.equal((await peer.ask(consumerSendMsgBack, back as never)).code, ResponseCode.success)
  await peer.send('%RETRY%g', 'in order', { reconsumeTimes: 17 })
  const now = await scraped(world)
  const of = (topic: string) =>
    now.value('rocketmq_send_to_dlq_messages_total', { consumer_group: 'g', topic, is_system: 'false' })
  assert.deepEqual([of('T'), of('%RETRY%g')], [1, 1])
  await world.stop()
})

test('requests are timed by what they ask, what became of them, and whether they were held', async () => {
  const world = await metricsWorld().start()
  const peer = world.client('peer')
  await peer.consume('g', ['T'])
  await peer.send('T', 'one')
  await peer.ask(queryConsumerOffset, { consumerGroup: 'other', topic: 'T', queueId: 1 } as never)
  await pull(peer, 'T')
  const held = pull(peer, 'T', { offset: 1, holdMs: 10_000 })
  await world.pass(200)
  assert.equal((await scraped(world)).value('skua_held_pulls'), 1)
  await held
  const now = await scraped(world)
  const of = (request_code: string, more: Record<string, string> = {}) =>
    now.value('rocketmq_rpc_latency_milliseconds_count', { request_code, protocol_type: 'remoting', ...more })
  assert.equal(of('send_message_v2', { response_code: 'success', result: 'success', is_long_polling: 'false' }), 1)
  assert.equal(of('heart_beat'), 1)
  assert.equal(of('pull_message', { is_long_polling: 'false', response_code: 'success' }), 1)
  assert.equal(of('pull_message', { is_long_polling: 'true', response_code: 'pull_not_found' }), 1)
  const bucket = { request_code: 'pull_message', is_long_polling: 'true' }
  assert.equal(now.value('rocketmq_rpc_latency_milliseconds_bucket', { ...bucket, le: '3000.0' }), 0)
  assert.ok(now.value('rocketmq_rpc_latency_milliseconds_sum', bucket)! >= 10_000)
  await world.stop()
})

test('requests of no name are counted together, whatever their numbers', async () => {
  const world = await metricsWorld().start()
  const peer = world.client('peer')
  for (const code of [70_001, 70_002, 2_000_000_000])
    await peer.ask({ ...queryConsumerOffset, code, header: {}, reply: {} } as never, {} as never)
  const now = await scraped(world)
  const unknown = { request_code: 'unknown', response_code: 'request_code_not_supported' }
  assert.equal(now.value('rocketmq_rpc_latency_milliseconds_count', unknown), 3)
  await world.stop()
})

test('topics and groups that tools make are timed, those that are refused, too', async () => {
  const world = await metricsWorld().start()
  const tool = world.client('tool')
  const topic = (name: string) =>
    tool.ask(updateAndCreateTopic, {
      ...{ topic: name, defaultTopic: 'TBW102', readQueueNums: 2, writeQueueNums: 2, perm: 6 },
      ...{ topicFilterType: 'SINGLE_TAG', topicSysFlag: 0, order: false },
    })
  const before = (await scraped(world)).value('rocketmq_topic_number')!
  await topic('Made')
  await topic('no name')
  const config = { groupName: 'made', retryQueueNums: 1, retryMaxTimes: 16 }
  await tool.ask(updateAndCreateSubscriptionGroup, {}, Buffer.from(JSON.stringify(config)))
  const now = await scraped(world)
  const made = (status: string) =>
    now.value('rocketmq_topic_create_execution_time_milliseconds_count', { invocation_status: status })
  assert.deepEqual([made('success'), made('failure')], [1, 1])
  assert.equal(
    now.value('rocketmq_consumer_group_create_execution_time_milliseconds_count', { invocation_status: 'success' }),
    1,
  )
  assert.equal(now.value('rocketmq_topic_number'), before + 1)
  await world.stop()
})

test('who is connected is told by group, language and version', async () => {
  const world = await metricsWorld({ metricsLabel: 'zone:a,no pair,9th:x' }).start()
  for (const name of ['one', 'two']) await world.client(name).consume('g', ['T'])
  await world.client('old', [], 275).produce('pg')
  const now = await scraped(world)
  const [consumers] = now.samples('rocketmq_consumer_connections')
  assert.deepEqual(Object.fromEntries(consumers!.labels), {
    otel_scope_name: 'broker-meter',
    _9th: 'x',
    cluster: 'DefaultCluster',
    consume_mode: 'push',
    consumer_group: 'g',
    is_system: 'false',
    language: 'java',
    node_id: 'broker-a',
    node_type: 'broker',
    protocol_type: 'remoting',
    version: 'v4_9_8',
    zone: 'a',
  })
  assert.equal(consumers!.value, 2)
  assert.equal(now.value('rocketmq_producer_connections', { version: 'v4_3_1' }), 1)
  assert.equal(now.value('skua_connections'), 3)
  await world.stop()
})

test('figures of the store: what is not synced, and how old the oldest message is', async () => {
  const world = await metricsWorld().start()
  const empty = await scraped(world)
  assert.equal(empty.value('rocketmq_storage_message_reserve_time_milliseconds'), undefined)
  await world.client('peer').send('T', 'x')
  const now = await scraped(world)
  assert.ok(now.value('rocketmq_storage_flush_behind_bytes', { storage_type: 'local', storage_medium: 'disk' })! > 0)
  await world.pass(20_000)
  const later = await scraped(world)
  assert.equal(later.value('rocketmq_storage_flush_behind_bytes'), 0)
  assert.ok(later.value('skua_fsync_milliseconds_count')! > 0)
  const age = later.value('rocketmq_storage_message_reserve_time_milliseconds')!
  assert.ok(age >= 20_000 && age < 20_500, String(age))
  await world.stop()
})

test('a loop that was busy is seen', async () => {
  const world = await metricsWorld().start()
  await world.pass(1000)
  world.runtime.clock.block(700)
  await world.pass(1000)
  const now = await scraped(world)
  const late = (le: string) => now.value('skua_event_loop_lag_milliseconds_bucket', { le })!
  assert.equal(late('1000.0') - late('500.0'), 1)
  await world.stop()
})

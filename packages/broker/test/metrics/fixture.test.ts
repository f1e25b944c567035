import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { startStandalone } from 'skua'
import { rocketmq } from '../../src/metrics/rocketmq-families.ts'
import { type ParsedFamily, parseExposition, parseSample, type Sample } from './exposition-parser.ts'

/** What a real 5.3.3 told after the same load (50 small messages and a delayed one, a consumer that takes them all). */
const reference = readFileSync(new URL('./scrape-5.3.3.txt', import.meta.url), 'utf8').split('\n')

/** POP is not here yet; the rest of the names belongs to the format. */
const missing = /^(rocketmq_pop_|target_info$|otel_scope_info$)/

const referenceSamples = reference
  .filter(line => line !== '' && !line.startsWith('#'))
  .map(parseSample)
  .filter(({ name }) => !missing.test(name))

/** Names with the names of their labels, in the order of the line. */
const shapes = (samples: Iterable<Sample>) =>
  [...new Set([...samples].map(({ name, labels }) => `${name} ${[...labels.keys()].join()}`))].sort()

/** 5.3.3 types its families without the unit that its samples carry. */
function referenceType(name: string): string {
  const bare = name.replace(/_(bucket|sum|count)$/, '')
  const names = [name, bare, bare.replace(/_(milliseconds|bytes)$/, '')]
  for (const line of reference) {
    const [, typed = '', type = ''] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? []
    if (names.includes(typed)) return type
  }
  throw new Error(`${name} has no type`)
}

async function load() {
  const config = { metricsExporterType: 'PROM', metricsPromExporterPort: 0 } as const
  const skua = await startStandalone({ port: 0, store: 'memory', config })
  const { namesrvAddr } = skua
  const producer = new Producer({ namesrvAddr, group: 'pg' })
  const consumer = new PushConsumer({ namesrvAddr, group: 'cg', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  let taken = 0
  const all = new Promise<void>(resolve => {
    consumer.subscribe('Orders').onMessage(() => {
      if (++taken === 51) resolve()
    })
  })
  for (let i = 0; i < 50; i++) await producer.send({ topic: 'Orders', body: 'x'.repeat(100 + i) })
  await producer.send({ topic: 'Orders', body: 'later', delayLevel: 1 })
  await consumer.start()
  await all
  const at = `http://${skua.brokers[0]!.metrics}`
  const text = await (await fetch(`${at}/metrics`)).text()
  const ready = (await fetch(`${at}/ready`)).status
  await consumer.close()
  await producer.close()
  await skua.stop()
  await assert.rejects(fetch(`${at}/ready`), 'its port is free')
  return { text, ready }
}

const { text, ready } = await load()
const families = parseExposition(text)
const samples = [...families.values()].flatMap((family: ParsedFamily) => family.samples)

test('all that 5.3.3 tells is told here under the same names with the same labels, and nothing else under its names', () => {
  const ours = samples.filter(({ name }) => name.startsWith('rocketmq_'))
  // Ours has no request 10 from a tool and no offset that is not there, which are labels' values.
  assert.deepEqual(shapes(ours), shapes(referenceSamples))
})

test('types are those of 5.3.3, by the names that samples really have', () => {
  for (const { name, type } of families.values())
    if (name.startsWith('rocketmq_')) assert.equal(type, referenceType(name), name)
  const table = new Set<string>(Object.values(rocketmq).map(({ name }) => name))
  for (const name of families.keys()) if (name.startsWith('rocketmq_')) assert.ok(table.has(name), name)
})

test('counts are those of 5.3.3', () => {
  const counted = (all: readonly Sample[], name: string, labels: readonly string[]) =>
    all
      .filter(sample => sample.name === name && sample.labels.get('topic') !== 'skua_reference_probe')
      .map(sample => [...labels.map(label => sample.labels.get(label)), sample.value].join(' '))
      .sort()
  const labels = ['topic', 'message_type', 'consumer_group', 'is_system', 'le']
  for (const name of [
    'rocketmq_messages_in_total',
    'rocketmq_messages_out_total',
    'rocketmq_message_size_count',
    'rocketmq_message_size_bucket',
    'rocketmq_broker_permission',
  ])
    assert.deepEqual(counted(samples, name, labels), counted(referenceSamples, name, labels), name)
})

test('upper ends of classes, processors and constant labels are those of 5.3.3', () => {
  const values = (all: readonly Sample[], name: string, label: string) =>
    [...new Set(all.filter(sample => sample.name === name).map(sample => sample.labels.get(label)))].sort()
  for (const [name, label] of [
    ['rocketmq_rpc_latency_milliseconds_bucket', 'le'],
    ['rocketmq_rpc_latency_milliseconds_bucket', 'result'],
    ['rocketmq_rpc_latency_milliseconds_bucket', 'protocol_type'],
    ['rocketmq_message_size_bucket', 'le'],
    ['rocketmq_processor_watermark', 'processor'],
    ['rocketmq_storage_size_bytes', 'storage_medium'],
    ['rocketmq_storage_size_bytes', 'storage_type'],
    ['rocketmq_consumer_connections', 'consume_mode'],
    ['rocketmq_consumer_connections', 'version'],
    ['rocketmq_topic_number', 'node_type'],
    ['rocketmq_topic_number', 'otel_scope_name'],
  ] as const)
    assert.deepEqual(values(samples, name, label), values(referenceSamples, name, label), `${name} ${label}`)
  // What a client says of itself; that of the recording was Java's.
  assert.deepEqual(values(samples, 'rocketmq_consumer_connections', 'language'), ['other'])
  const requests = values(samples, 'rocketmq_rpc_latency_milliseconds_count', 'request_code')
  for (const name of ['send_message_v2', 'pull_message', 'heart_beat', 'get_consumer_list_by_group'])
    assert.ok(requests.includes(name), name)
})

test('what is known of the process is told, and the broker was ready', () => {
  const value = (name: string) => families.get(name)!.samples[0]!.value
  assert.ok(value('skua_process_resident_bytes') > value('skua_heap_bytes'))
  assert.ok(value('skua_process_cpu_seconds_total') > 0)
  assert.equal(ready, 200)
})

const promtool = spawnSync('promtool', ['--version']).status === 0
test('promtool finds nothing to complain of', { skip: promtool ? false : 'promtool is not on PATH' }, () => {
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  assert.equal(status, 0, stderr)
})

// What timers cost: memory of many that wait, and how late those are that are due. Store and timers on a real disk, without
// network, so that nothing else is measured: node --conditions=skua-source --import tsx packages/broker/test/timer/figures.long.ts
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { printProperties, wheelTimerTopic } from '@skua-mq/protocol'
import { EventHub, NodeProcessFacts, nodeRuntime } from '@skua-mq/runtime'
import { Draft, type PutResult, Store, storeConfig } from '@skua-mq/store'
import { TimerTopicCounts } from '../../src/timer/timer-counts.ts'
import { Timers } from '../../src/timer/timers.ts'

const MiB = 1024 * 1024
const body = Buffer.alloc(100, 'x')
const bornHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x1f, 0x90)
function put(store: Store, deliverMs: number, key: number, topic = wheelTimerTopic): Promise<void> {
  return new Promise((resolve, reject) => {
    const draft = new Draft()
    const out = Math.ceil(deliverMs / 1000 - 1) * 1000
    const properties = { UNIQ_KEY: `7F000001${key}`, TIMER_DELIVER_MS: `${deliverMs}`, TIMER_OUT_MS: `${out}` }
    Object.assign(draft, { topic, body, bodyEnd: body.length, bornHost, bornAtMs: Date.now() })
    draft.properties = Buffer.from(printProperties(Object.entries({ ...properties, REAL_TOPIC: 'T', REAL_QID: '0' })))
    draft.propertiesEnd = draft.properties.length
    const stored = (result: PutResult) => (result.isStored ? resolve() : reject(new Error(result.remark)))
    store.append(draft, { stored })
  })
}

async function putAll(store: Store, count: number, deliverMs: (n: number) => number): Promise<number> {
  const begin = performance.now()
  for (let n = 0; n < count; n += 500) {
    const some = Array.from({ length: Math.min(500, count - n) }, (_, m) => put(store, deliverMs(n + m), n + m))
    await Promise.all(some)
  }
  return performance.now() - begin
}

async function main(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'skua-bench-timers-'))
  const hub = new EventHub()
  hub.subscribe(event => {
    if (event.level !== 'info' && event.level !== 'debug') console.log(event.name, event.fields)
  })
  const runtime = nodeRuntime(hub)
  const config = storeConfig({ storePathRootDir: root, mappedFileSizeCommitLog: 256 * MiB })
  const store = new Store(config, { ...runtime, facts: new NodeProcessFacts() })
  const late: number[] = []
  const file = { load: () => undefined, saveLater: async () => true, saveAtStop: () => true }
  const counts = new TimerTopicCounts(file as never, () => Date.now())
  const settings = {
    ...{ precisionMs: 1000, flushMs: 1000, fileBytes: 100 * MiB, windowMs: () => 172_800_000 },
    ...{ isIntakeStopped: () => false, isDeliveryStopped: () => false },
  }
  const delivered = ({ lateMs }: { lateMs: number }) => late.push(lateMs)
  const timers = new Timers({ ...runtime, store, root, settings, counts, undeliverable: () => 'kept', delivered })
  try {
    await store.start()
    await timers.start()
    await memory(store, timers)
    await lateness(store, timers, late)
    const begin = performance.now()
    await timers.stop()
    await store.stop()
    console.log(`stop: ${Math.round(performance.now() - begin)} ms`)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

const cpuSeconds = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
const anon = () => Number(/RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024

async function memory(store: Store, timers: Timers): Promise<void> {
  const count = 1_000_000
  const [from, span] = [Date.now() + 600_000, 250_000_000]
  // What the store keeps of any messages is there before.
  for (let n = 0; n < count; n += 500)
    await Promise.all(Array.from({ length: 500 }, (_, m) => put(store, from, n + m, 'Plain')))
  await sleep(2000)
  const before = anon()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, anon())
  }, 100)
  const cpu = cpuSeconds()
  const ms = await putAll(store, count, () => from + Math.floor(Math.random() * span))
  while (timers.book.size < count) await sleep(50)
  await sleep(3000)
  clearInterval(watch)
  const spent = cpuSeconds() - cpu
  console.log(`${count} timers: stored in ${Math.round(ms)} ms, CPU ${spent.toFixed(1)} s`)
  assert.ok(most - before < 64, `${Math.round(most - before)} MiB more`)
  console.log(`RssAnon before ${before.toFixed(0)}, most ${most.toFixed(0)}, after ${anon().toFixed(0)} MiB`)
}

async function lateness(store: Store, timers: Timers, late: number[]): Promise<void> {
  const [rate, seconds] = [10_000, 20]
  const count = rate * seconds
  const from = Date.now() + 15_000
  // Due one after another, sent in no order.
  const places = Array.from({ length: count }, (_, n) => n)
  for (let n = count - 1; n > 0; n--) {
    const other = Math.floor(Math.random() * (n + 1))
    ;[places[n], places[other]] = [places[other]!, places[n]!]
  }
  await putAll(store, count, n => from + Math.floor((places[n]! * 1000) / rate))
  console.log(`sent ${Math.round(from - Date.now())} ms before the first is due`)
  await sleep(from - 100 - Date.now())
  late.length = 0
  const cpu = cpuSeconds()
  await sleep(seconds * 1000 + 2000)
  const spent = cpuSeconds() - cpu
  const sorted = [...late].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
  console.log(`${sorted.length} of ${count} delivered at ${rate}/s: CPU ${((spent / count) * 1e6).toFixed(1)} µs each`)
  assert.equal(sorted.length, count)
  const [load] = readFileSync('/proc/loadavg', 'utf8').split(' ')
  // Where others have the processors it says how busy they are.
  if (Number(load) < 2) assert.ok(at(0.99)! < 50, `p99 ${at(0.99)} ms late`)
  else console.log(`load average ${load}: lateness is told, not judged`)
  console.log(`late: p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, most ${sorted.at(-1)} ms; least ${sorted[0]}`)
  console.log(`RssAnon ${anon().toFixed(0)} MiB; ${timers.book.size} left in the wheel`)
}

test('a million timers that wait take less than 64 MiB, and 99 % of 10,000 a second are late by less than 50 ms', main)

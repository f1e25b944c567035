import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseJavaJson } from '@skua-mq/protocol'
import { benchmarkProducer } from '../src/benchmark.ts'
import { ask } from '../src/reference/ask.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

const topic = 'BenchmarkTest'
const getRouteInfoByTopic = 105
const getMaxOffset = 30

interface Route {
  queueDatas: { writeQueueNums: number; brokerName: string }[]
  brokerDatas: { brokerName: string; brokerAddrs: Record<string, string> }[]
}

/** Queues of the topic at its broker, and the messages in all of them. */
async function inQueues(namesrv: string): Promise<{ queues: number; messages: number }> {
  const answer = await ask(namesrv, { code: getRouteInfoByTopic, extFields: { topic } })
  const route = parseJavaJson(answer.body ?? '') as Route
  const queues = route.queueDatas[0]?.writeQueueNums ?? 0
  const broker = route.brokerDatas[0]?.brokerAddrs['0'] ?? ''
  let messages = 0
  for (let queueId = 0; queueId < queues; queueId++) {
    const reply = await ask(broker, { code: getMaxOffset, extFields: { topic, queueId: String(queueId) } })
    messages += Number(reply.extFields['offset'])
  }
  return { queues, messages }
}

test('the official benchmark producer sends with 64 threads and not one error', {
  skip: skipWithout('java'),
}, async t => {
  const store = mkdtempSync(join(tmpdir(), 'skua-benchmark-store-'))
  const foreign = process.env['SKUA_NAMESRV'] ?? ''
  const skua = foreign === '' ? await startSkua({ port: 0, store }) : undefined
  const namesrv = skua?.namesrvAddr ?? foreign
  try {
    const before = skua === undefined ? (await inQueues(namesrv)).messages : 0
    const reports = await benchmarkProducer(namesrv, { reports: Number(process.env['SKUA_BENCHMARK_REPORTS'] ?? 1) })
    // A report is a mean over nine seconds, give or take its timer's jitter; the producer names no total. Exact counting
    // by id is the load test's. RocketMQ takes its time to create the files of 1,024 queues; its count lags behind what it answered.
    const least = reports.reduce((sum, { tps }) => sum + 8.9 * tps, 0)
    await until(async () => (await inQueues(namesrv)).messages - before >= least, 'all messages are in the queues')
    const { queues, messages } = await inQueues(namesrv)
    t.diagnostic(`${reports.at(-1)?.line}; ${messages - before} messages in ${queues} queues`)
    for (const report of reports) assert.deepEqual([report.sendFailed, report.responseFailed], [0, 0])
    assert.equal(queues, 1024)
    assert.ok((reports[0]?.tps ?? 0) > 100)
  } finally {
    await skua?.stop()
    rmSync(store, { recursive: true, force: true })
  }
})

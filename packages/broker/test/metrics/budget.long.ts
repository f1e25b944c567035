import { test } from 'node:test'
import { Producer } from '@skua-mq/client'
import { Histogram, NodeClock } from '@skua-mq/runtime'
import { startStandalone } from 'skua'
import { Exposition } from '../../src/metrics/exposition.ts'
import { rocketmq } from '../../src/metrics/rocketmq-families.ts'
import { RpcLatency } from '../../src/metrics/rpc-latency.ts'
import { scrape } from '../../src/metrics/scrape.ts'
import type { MetricSource } from '../../src/metrics/source.ts'
import { MessagesIn } from '../../src/stats/messages-in.ts'

/** Figures for people: they are printed, and depend too much on the machine to be asserted. */

const labels = { cluster: 'DefaultCluster', node_id: 'broker-a', node_type: 'broker' }

const series = (count: number): MetricSource => ({
  *collect(into) {
    for (let i = 0; i < count; i++) yield into.sample(rocketmq.messagesIn, ['false', 'normal', `Topic${i}`], i)
  },
})

test('how long a scrape of 12,200 series holds up the loop', async t => {
  for (const round of ['first', 'warm', 'warm']) {
    let [longest, sum, began, bytes] = [0, 0, 0, 0]
    const worked = () => {
      const ms = performance.now() - began
      longest = Math.max(longest, ms)
      sum += ms
    }
    const real = new NodeClock()
    const after = (ms: number, run: () => void) => {
      worked()
      return real.after(ms, () => {
        began = performance.now()
        run()
      })
    }
    began = performance.now()
    const exposition = new Exposition({ labels, limit: 50_000 })
    for await (const piece of scrape({
      clock: { after, monotonic: () => performance.now() },
      sources: [series(12_200)],
      exposition,
      isOver: () => false,
    }))
      bytes += Buffer.from(piece).length
    worked()
    t.diagnostic(`${round}: at most ${longest.toFixed(2)} ms a turn, ${sum.toFixed(1)} ms in all, ${bytes} bytes`)
  }
})

test('what counting costs by itself', t => {
  const count = 2_000_000
  const time = (what: string, run: () => void) => {
    for (let i = 0; i < 100_000; i++) run()
    const began = performance.now()
    for (let i = 0; i < count; i++) run()
    t.diagnostic(`${what}: ${(((performance.now() - began) * 1e6) / count).toFixed(0)} ns`)
  }
  const into = new MessagesIn(50_000)
  const result = { count: 1, size: 300 }
  time('a message, by topic and kind', () => into.count('Orders', 0, result))
  const latency = new RpcLatency()
  const exchange = {
    ...{ requestCode: 310, responseCode: 0, tookMs: 0.4 },
    ...{ wasHeld: false, result: 'success' as const },
  }
  time('a request', () => latency.answered(exchange))
  time('two readings of the clock', () => performance.now() - performance.now())
  const times = new Histogram([1, 3, 5, 7, 10, 100, 1000, 2000, 3000])
  time('a histogram', () => times.add(0.4))
})

test('CPU of a send with and without metrics, client included', async t => {
  const sends = 4000
  const servers = await Promise.all(
    (['DISABLE', 'PROM'] as const).map(metricsExporterType =>
      startStandalone({ port: 0, store: 'memory', config: { metricsExporterType, metricsPromExporterPort: 0 } }),
    ),
  )
  const producers = servers.map(({ namesrvAddr }) => new Producer({ namesrvAddr, group: 'pg' }))
  const micros: number[][] = [[], []]
  for (let round = 0; round < 6; round++)
    for (const [at, producer] of producers.entries()) {
      const began = process.cpuUsage()
      for (let i = 0; i < sends / 16; i++)
        await Promise.all(Array.from({ length: 16 }, () => producer.send({ topic: 'Orders', body: 'x'.repeat(100) })))
      const { user, system } = process.cpuUsage(began)
      // The first rounds warm up.
      if (round > 1) micros[at]!.push((user + system) / sends)
    }
  for (const [at, name] of ['off', 'on'].entries())
    t.diagnostic(`${name}: ${micros[at]!.map(each => each.toFixed(1)).join(', ')} µs`)
  await Promise.all(producers.map(producer => producer.close()))
  await Promise.all(servers.map(server => server.stop()))
})

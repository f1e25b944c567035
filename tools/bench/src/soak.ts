import { parseArgs } from 'node:util'
import { runLoad } from './load.ts'
import { startSkua } from './servers.ts'

/** A steady load for many minutes: memory has to stay where it is, and latency too. */
const { values } = parseArgs({ options: { minutes: { type: 'string', default: '30' } } })
const skua = await startSkua({ defaultTopicQueueNums: 8, fileReservedTime: 1, diskMaxUsedSpaceRatio: 10 })
const common = { namesrv: skua.namesrv, pid: skua.pid, topic: 'Soak', queues: 8, batch: 1, form: 'json' } as const
const minute = { ...common, bodyBytes: 256, seconds: 58, warmupSeconds: 1 } as const
console.log('| minute | sent/s | p50 / p99 ms | pulled/s | RssAnon MiB |\n| --- | --- | --- | --- | --- |')
for (let number = 1; number <= Number(values.minutes); number++) {
  const [sent, pulled] = await Promise.all([
    runLoad({ ...minute, kind: 'send', connections: 8, window: 1 }),
    runLoad({ ...minute, kind: 'pull', connections: 2, window: 1 }),
  ])
  const ms = (us: number) => (us / 1000).toFixed(2)
  console.log(
    `| ${number} | ${sent.messagesPerSecond} | ${ms(sent.p50Us)} / ${ms(sent.p99Us)} | ${pulled.messagesPerSecond} | ${sent.brokerRssAnonMiB} |`,
  )
}
await skua.stop()
process.exit(0)

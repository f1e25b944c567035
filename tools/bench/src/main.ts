import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ReferenceVersion } from '../../interop/src/reference/jars.ts'
import { measure, median, type Row, say, warm } from './compare.ts'
import { endToEnd } from './end-to-end.ts'
import { fsyncMs, machineText } from './machine.ts'
import { figuresOf } from './process-figures.ts'
import { redisLines } from './redis.ts'
import { type Contender, startApache, startSkua } from './servers.ts'
import { type Situation, situations } from './situations.ts'
import { tableOf } from './table.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    /** Versions beside Skua, joined by commas. */
    apache: { type: 'string', default: '5.3.3' },
    /** Heap of each in MiB. */
    heap: { type: 'string', default: '1024' },
    'skua-only': { type: 'boolean', default: false },
    /** Another RocketMQ: host:port of its name server; its CPU is known where its process is given. */
    address: { type: 'string' },
    pid: { type: 'string' },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rounds = { rounds: Number(values.rounds), seconds: Number(values.seconds) }

async function contendersFor(flush: Situation['flush']): Promise<Contender[]> {
  const settings = { flushDiskType: flush, defaultTopicQueueNums: 8, mappedFileSizeCommitLog: 1024 ** 3 }
  const list = [await startSkua(settings)]
  if (values.address !== undefined) {
    const pid = values.pid === undefined ? undefined : Number(values.pid)
    list.push({ name: values.address, namesrv: values.address, pid, readyMs: Number.NaN, stop: async () => {} })
  }
  if (values['skua-only'] || values.address !== undefined) return list
  for (const version of values.apache.split(','))
    list.push(await startApache(version as ReferenceVersion, settings, Number(values.heap)))
  return list
}

const MiB = (bytes: number) => Math.round(bytes / 1024 ** 2)
const memoryText = ({ pid }: Contender) => (pid === undefined ? 'unknown' : `${MiB(figuresOf(pid).rssAnonBytes)} MiB`)

const rows: Row[] = []
const further: string[] = [`fdatasync of 4 KiB on this disk: p50 ${fsyncMs().toFixed(2)} ms`]
for (const flush of ['ASYNC_FLUSH', 'SYNC_FLUSH'] as const) {
  const wanted = situations.filter(situation => situation.flush === flush && situation.name.includes(values.only))
  if (wanted.length === 0) continue
  say(`${flush}: starting`)
  const contenders = await contendersFor(flush)
  for (const contender of contenders) {
    further.push(
      `${contender.name}, ${flush}: ready after ${contender.readyMs} ms, RssAnon idle ${memoryText(contender)}`,
    )
    await warm(contender)
  }
  for (const situation of wanted) rows.push(await measure(contenders, situation, rounds))
  for (const contender of contenders) {
    further.push(`${contender.name}, ${flush}: RssAnon after the load ${memoryText(contender)}`)
    if (flush === 'ASYNC_FLUSH' && values.only === '') {
      const ends = await endToEnd({ namesrv: contender.namesrv, topic: 'EndToEnd', perSecond: 1000, seconds: 5 })
      further.push(
        `${contender.name}: send to receive at 1,000/s: p50 ${ends.p50Us} µs, p99 ${ends.p99Us} µs (${ends.received} received)`,
      )
    }
  }
  if (flush === 'ASYNC_FLUSH' && values.only === '') further.push(...(await redisLines(rounds.seconds)))
  for (const contender of contenders) await contender.stop()
}

const results = rows.flatMap(row => row.cells.flatMap(cell => cell.results))
const page = `# Benchmarks

${machineText()}, ${rounds.rounds} alternated rounds of ${rounds.seconds} s, medians; Apache's brokers warm, with a heap of ${values.heap} MiB. Written by
\`npm run bench -- ${process.argv.slice(2).join(' ')}\`. Generator and brokers share the machine. A messages/s figure is left out where the generator
used 80 % of its core. Cores in use by anything else (median): ${median(results.map(result => result.otherCores)).toFixed(2)}.

${tableOf(rows)}

${further.map(line => `- ${line}`).join('\n')}
`
if (values.json) console.log(JSON.stringify({ machine: machineText(), rows, further }))
else console.log(page)
if (values.write) {
  const docs = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs')
  mkdirSync(docs, { recursive: true })
  writeFileSync(join(docs, 'benchmarks.md'), page)
}
process.exit(0)

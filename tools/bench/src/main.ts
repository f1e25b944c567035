import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { ReferenceVersion } from '../../interop/src/reference/jars.ts'
import { endToEnd } from './end-to-end.ts'
import { type LoadOptions, type LoadResult, runLoad } from './load.ts'
import { figuresOf } from './process-figures.ts'
import { type Contender, startApache, startSkua } from './servers.ts'
import { type Situation, situations } from './situations.ts'
import { warmPages } from './warm-pages.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    apache: { type: 'string', default: '5.3.3' },
    'skua-only': { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
/** A cold JVM costs two to eight times more per message. */
const warmMessages = 500_000
/** More than a broker writes in one measured round. */
const warmPageBytes = 2 * 1024 ** 3

interface Cell {
  readonly who: string
  readonly results: LoadResult[]
}
interface Row {
  readonly situation: Situation
  readonly cells: readonly Cell[]
}

const say = (text: string) => process.stderr.write(`${text}\n`)
const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN
const cpuOf = (cell: Cell): number[] => cell.results.map(result => result.brokerCpuUsPerMessage ?? Number.NaN)

function loadOf(contender: Contender, situation: Situation, topic: string): LoadOptions {
  return {
    ...situation.load,
    namesrv: contender.namesrv,
    pid: contender.pid,
    topic,
    queues: 8,
    form: 'json',
    seconds,
    warmupSeconds: 1,
  }
}

async function warm(contender: Contender): Promise<void> {
  const load = {
    kind: 'send',
    batch: 1,
    connections: 16,
    window: 16,
    bodyBytes: 128,
    topic: 'Warm',
    queues: 8,
    form: 'json',
    warmupSeconds: 0,
    seconds: 2,
  } as const
  let sent = 0
  while (sent < warmMessages)
    sent += (await runLoad({ ...load, namesrv: contender.namesrv, pid: contender.pid })).messagesPerSecond * 2
}

async function measure(contenders: readonly Contender[], situation: Situation): Promise<Row> {
  const cells = contenders.map(({ name }) => ({ who: name, results: [] as LoadResult[] }))
  const { fillSeconds } = situation
  const topic = `Bench_${situation.load.bodyBytes}${fillSeconds === undefined ? '' : `_${situations.indexOf(situation)}`}`
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse()
    for (const contender of order) {
      // Fresh before each round: what is hot has just been written.
      if (fillSeconds !== undefined) {
        const fill = {
          kind: 'send',
          connections: 8,
          window: 16,
          warmupSeconds: 0,
          seconds: round === 0 ? fillSeconds : 0.01,
        } as const
        await runLoad({ ...loadOf(contender, situation, topic), ...fill })
      }
      if (situation.load.kind === 'send') warmPages(warmPageBytes)
      const result = await runLoad(loadOf(contender, situation, topic))
      cells.find(cell => cell.who === contender.name)?.results.push(result)
      say(`  ${situation.name} | ${contender.name} | ${JSON.stringify(result)}`)
    }
  }
  return { situation, cells }
}

function rowText({ situation, cells }: Row): string {
  const texts = cells.map(cell => {
    const rate = median(cell.results.map(result => result.messagesPerSecond))
    const busy = median(cell.results.map(result => result.generatorCores)) >= 0.8
    const us = (name: 'p50Us' | 'p99Us') => (median(cell.results.map(result => result[name])) / 1000).toFixed(2)
    return `${median(cpuOf(cell)).toFixed(2)} | ${busy ? '(generator busy)' : rate.toLocaleString('en-US')} | ${us('p50Us')} / ${us('p99Us')}`
  })
  return `| ${situation.name} | ${texts.join(' | ')} | ${ratioText(cells)} | ${situation.must === 0 ? '' : `1/${(1 / situation.must).toFixed(1)}`} |`
}

/** Ratio of medians, and the spread over the rounds. */
function ratioText(cells: readonly Cell[]): string {
  const [ours, theirs] = cells.map(cpuOf)
  if (ours === undefined || theirs === undefined) return ''
  const each = ours.map((value, round) => (theirs[round] ?? Number.NaN) / value)
  return `1/${(median(theirs) / median(ours)).toFixed(1)} (1/${Math.min(...each).toFixed(1)} to 1/${Math.max(...each).toFixed(1)})`
}

async function pair(flush: Situation['flush']): Promise<Contender[]> {
  const settings = { flushDiskType: flush, defaultTopicQueueNums: 8 }
  const ours = await startSkua(settings)
  if (values['skua-only']) return [ours]
  return [ours, await startApache(values.apache as ReferenceVersion, settings)]
}

const rows: Row[] = []
const further: string[] = []
for (const flush of ['ASYNC_FLUSH', 'SYNC_FLUSH'] as const) {
  const wanted = situations.filter(situation => situation.flush === flush && situation.name.includes(values.only))
  if (wanted.length === 0) continue
  say(`${flush}: starting`)
  const contenders = await pair(flush)
  for (const contender of contenders) {
    further.push(
      `${contender.name}, ${flush}: ready after ${contender.readyMs} ms, RssAnon idle ${Math.round(figuresOf(contender.pid).rssAnonBytes / 1048576)} MiB`,
    )
    await warm(contender)
  }
  for (const situation of wanted) rows.push(await measure(contenders, situation))
  for (const contender of contenders) {
    further.push(
      `${contender.name}, ${flush}: RssAnon after the load ${Math.round(figuresOf(contender.pid).rssAnonBytes / 1048576)} MiB`,
    )
    if (flush === 'ASYNC_FLUSH' && values.only === '') {
      const ends = await endToEnd({ namesrv: contender.namesrv, topic: 'EndToEnd', perSecond: 1000, seconds: 5 })
      further.push(
        `${contender.name}: send to receive at 1,000/s: p50 ${ends.p50Us} µs, p99 ${ends.p99Us} µs (${ends.received} received)`,
      )
    }
    await contender.stop()
  }
}

const names = rows[0]?.cells.map(cell => cell.who) ?? []
const head = `| situation | ${names.map(name => `${name}: CPU µs/message | messages/s | p50 / p99 ms`).join(' | ')} | CPU ratio (spread of rounds) | must |`
const table = [head, `|${' --- |'.repeat(3 + names.length * 3)}`, ...rows.map(rowText)].join('\n')
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD']).toString().trim()
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, commit ${commit}, ${rounds} alternated rounds of ${seconds} s, medians`
const page = `# Benchmarks\n\n${machine}. Written by \`npm run bench -- --write\`; generator and broker share the machine. A messages/s figure is left out where the\ngenerator used 80 % of its core. Other cores in use by anything else (median): ${median(rows.flatMap(row => row.cells.flatMap(cell => cell.results.map(result => result.otherCores)))).toFixed(2)}.\n\n${table}\n\n${further.map(line => `- ${line}`).join('\n')}\n`
if (values.json) console.log(JSON.stringify({ machine, rows, further }))
else console.log(page)
if (values.write) {
  const docs = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'docs')
  mkdirSync(docs, { recursive: true })
  const path = join(docs, 'benchmarks.md')
  writeFileSync(path, page)
  say(`${path}: ${readFileSync(path, 'utf8').length} bytes`)
}
process.exit(0)

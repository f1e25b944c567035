// What operators wait for, and what watching a broker costs it.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../../interop/src/reference/free-ports.ts'
import { count, type Extra, load, loadText, sleep } from './extra.ts'

const bin = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'bin')
const runs = 9

/** Wall-clock ms of a command of ours, median of some runs. */
async function answerMs(command: string, args: readonly string[]): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < runs; n++) {
    const begun = performance.now()
    await new Promise<void>((resolve, reject) => {
      const child = spawn(join(bin, command), [...args], { stdio: 'ignore' })
      child.once('error', reject)
      child.once('exit', code =>
        code === 0 ? resolve() : reject(new Error(`${command} ${args[0]} ended with ${code}`)),
      )
    })
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)]!
}

/** The same name server answers ours, whoever it is of. */
const commands: Extra = {
  name: 'an answer of the command line: mqadmin clusterList, topicStatus, skua topics (median of 9)',
  run: async ({ namesrv }) => {
    const found: number[] = []
    for (const [command, args] of [
      ['mqadmin', ['clusterList', '-n', namesrv]],
      ['mqadmin', ['topicStatus', '-n', namesrv, '-t', 'TBW102']],
      ['skua', ['topics', '-n', namesrv]],
    ] as const)
      found.push(await answerMs(command, args))
    return found.map(ms => `${Math.round(ms)} ms`).join(', ')
  },
}

const topics = 2_000

/** One connection sends one message at a time: whoever holds the loop is in its longest. */
function scrapes(port: number): Extra {
  return {
    name: `one sender beside a scrape of /metrics each 100 ms, ${count(topics)} topics`,
    skuaOnly: true,
    settings: { metricsExporterType: 'PROM', metricsPromExporterPort: port, defaultTopicQueueNums: 1 },
    run: async contender => {
      await load(contender, {
        kind: 'send',
        topics,
        queues: 1,
        connections: 32,
        window: 8,
        seconds: topics / 400,
        warmupSeconds: 0,
      })
      const steady = { kind: 'send', connections: 1, window: 1, seconds: 4 } as const
      const alone = await load(contender, steady)
      let isOver = false
      let lines = 0
      let scrapes = 0
      let tookMs = 0
      const scraping = (async () => {
        while (!isOver) {
          const begun = performance.now()
          const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
          tookMs += performance.now() - begun
          scrapes++
          lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length
          await sleep(0.1)
        }
      })()
      const beside = await load(contender, steady)
      isOver = true
      await scraping
      const longest = (us: number) => `${(us / 1000).toFixed(1)} ms`
      return `${count(lines)} series in ${Math.round(tookMs / scrapes)} ms; a send p99.9 ${longest(alone.p999Us)} alone, ${longest(beside.p999Us)} beside`
    },
  }
}

const logged = (name: string, settings: Extra['settings']): Extra => ({
  name: `send 128 B, 16 x 16, ${name}`,
  skuaOnly: true,
  ...(settings === undefined ? {} : { settings }),
  run: contender => loadText(contender, { kind: 'send' }),
})

export const operators: readonly Extra[] = [
  commands,
  scrapes(await freePort()),
  logged('log at warn', { logLevel: 'warn' }),
  logged('log at debug', { logLevel: 'debug' }),
  logged('slow requests watched from 1 ms on', { slowRequestMs: 1 }),
]

// What operators wait for, and what watching a broker costs it.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../../interop/src/reference/free-ports.ts'
import { median } from '../compare.ts'
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

/** What an open tab asks for, and how often: one of the overview, one of the topics, one of a topic. */
const asks = [
  ['overview', 3],
  ['lags', 10],
  ['history', 10],
  ['topics', 15],
  ['topics/figures?topics=More,More-1,More-2,More-3,More-4,More-5,More-6,More-7', 5],
  ['topic?topic=More', 5],
  ['groups', 10],
] as const

/** The dashboard is a process of its own; a browser would be on another machine, so its requests alone are made here. */
const watched: Extra = {
  name: `one sender beside a dashboard with three open tabs, ${count(topics)} topics (medians of 5)`,
  skuaOnly: true,
  settings: { defaultTopicQueueNums: 1 },
  run: async contender => {
    await load(contender, { kind: 'send', topics, queues: 1, connections: 32, window: 8, seconds: 5, warmupSeconds: 0 })
    const port = await freePort()
    const args = ['dashboard', '-n', contender.namesrv, '--port', String(port)]
    const dashboard = spawn(join(bin, 'skua'), args, { stdio: 'ignore' })
    const url = `http://127.0.0.1:${port}/api/`
    while (
      !(await fetch(`${url}overview`)
        .then(reply => reply.ok)
        .catch(() => false))
    )
      await sleep(0.1)
    let open = false
    let isOver = false
    let answers = 0
    const tabs = asks.map(async ([path, seconds]) => {
      while (!isOver) {
        if (open) answers += (await (await fetch(url + path)).text()) === '' ? 0 : 1
        await sleep(open ? seconds : 0.1)
      }
    })
    const found: { alone: number[]; beside: number[] } = { alone: [], beside: [] }
    for (let round = 0; round < 10; round++) {
      open = round % 2 === 1
      const { p99Us } = await load(contender, { kind: 'send', connections: 1, window: 1, seconds: 6 })
      found[open ? 'beside' : 'alone'].push(p99Us)
    }
    open = false
    isOver = true
    await Promise.all(tabs)
    const ended = new Promise(resolve => dashboard.once('exit', resolve))
    dashboard.kill('SIGTERM')
    await ended
    const [alone, beside] = [median(found.alone), median(found.beside)]
    return `${count(answers)} answers; a send p99 ${(alone / 1000).toFixed(2)} ms alone, ${(beside / 1000).toFixed(2)} ms beside: ${(beside / alone).toFixed(2)}`
  },
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
  watched,
  logged('log at warn', { logLevel: 'warn' }),
  logged('log at debug', { logLevel: 'debug' }),
  logged('slow requests watched from 1 ms on', { slowRequestMs: 1 }),
]

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freeBrokerPort } from '../../../interop/src/reference/free-ports.ts'
import { figuresOf } from '../process-figures.ts'
import { count, type Extra, load } from './extra.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..')
const bundle = join(root, 'packages', 'skua', 'dist', 'bundle', 'main.js')
const host = '127.0.0.1'

interface Family {
  readonly ports: readonly number[]
  /** Of the brokers. */
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** So many masters of one start, known to this name server. */
async function startFamily(namesrv: string, masters: number): Promise<Family> {
  const dir = mkdtempSync(join(tmpdir(), 'skua-bench-masters-'))
  const conf = {
    ...{ brokerName: 'family', brokerIP1: host, namesrvAddr: namesrv, listenPort: await freeBrokerPort() },
    ...{ storePathRootDir: join(dir, 'store'), masters, defaultTopicQueueNums: 8 },
  }
  const file = join(dir, 'broker.conf')
  writeFileSync(
    file,
    Object.entries(conf)
      .map(line => `${line.join('=')}\n`)
      .join(''),
  )
  const child = spawn(process.execPath, [bundle, 'broker', '-c', file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ports = await portsOf(child, masters)
  const pid = child.pid!
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return {
    ports,
    pids: masters === 1 ? [pid] : children.map(Number),
    stop: async () => {
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function portsOf(child: ChildProcess, masters: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('exit', code => reject(new Error(`the masters ended with ${code}: ${text}`)))
    child.stdout?.on('data', chunk => {
      text += String(chunk)
      const ports = [...text.matchAll(/broker\[\S+, \S+:(\d+)\] boot success/g)].map(([, port]) => Number(port))
      if (ports.length === masters) resolve(ports)
    })
  })
}

/** What one generator gets through so many masters, its connections shared out among them. */
const through = (masters: number): Extra => ({
  name: `send 128 B, 16 x 16, to ${masters === 1 ? 'one master' : `${masters} masters (--masters ${masters})`} beside an idle broker with the name server`,
  skuaOnly: true,
  run: async contender => {
    const family = await startFamily(contender.namesrv, masters)
    try {
      const brokers = family.ports.map(port => ({ host, port }))
      const cpu = () => family.pids.reduce((sum, pid) => sum + figuresOf(pid).cpuSeconds, 0)
      await load(contender, { kind: 'send', brokers, seconds: 1, warmupSeconds: 0 })
      const [before, begun] = [cpu(), performance.now()]
      const sent = await load(contender, { kind: 'send', brokers, seconds: 4, warmupSeconds: 0 })
      const cores = (cpu() - before) / ((performance.now() - begun) / 1000)
      if (sent.errors > 0) return `${count(sent.errors)} errors`
      const p99 = `p99 ${(sent.p99Us / 1000).toFixed(1)} ms`
      return `${count(sent.messagesPerSecond)}/s, ${p99}; ${cores.toFixed(2)} cores for the masters, ${sent.generatorCores.toFixed(2)} for the generator`
    } finally {
      await family.stop()
    }
  },
})

export const masterFamilies: readonly Extra[] = [through(1), through(2)]

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchmarkJars } from './reference/jars.ts'

export interface BenchmarkReport {
  /** Messages a second over the nine seconds before the last report. */
  readonly tps: number
  readonly maxMs: number
  readonly averageMs: number
  readonly sendFailed: number
  readonly responseFailed: number
  readonly line: string
}

/** How long a report may take: the class prints one every 10 s. */
const reportPatienceMs = 30_000

/**
 * Runs the official benchmark producer (topic BenchmarkTest, 128 byte bodies) until it has reported `reports` times, one
 * every 10 s, and kills it. Options are the class's own.
 */
export async function benchmarkProducer(
  namesrvAddr: string,
  { reports = 1, options = ['-w', '64'] }: { reports?: number; options?: readonly string[] } = {},
): Promise<BenchmarkReport[]> {
  const lib = await benchmarkJars()
  const home = mkdtempSync(join(tmpdir(), 'skua-benchmark-'))
  const main = 'org.apache.rocketmq.example.benchmark.Producer'
  const jvm = ['-Xms128m', '-Xmx512m', `-Duser.home=${home}`, '-Drocketmq.client.logLevel=WARN', '-cp', `${lib}/*`]
  const child = spawn('java', [...jvm, main, '-n', namesrvAddr, ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  const gone = new Promise(resolve => child.once('close', resolve))
  const end = Date.now() + reports * 10_000 + reportPatienceMs
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (text += String(chunk)))
  try {
    for (;;) {
      const found = reportsOf(text)
      if (found.length >= reports) return found.slice(0, reports)
      if (child.exitCode !== null) throw new Error(`the benchmark ended with ${child.exitCode}: ${text.slice(-2000)}`)
      if (Date.now() > end) throw new Error(`no report of the benchmark: ${text.slice(-2000)}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  } finally {
    child.kill('SIGKILL')
    await gone
    rmSync(home, { recursive: true, force: true })
  }
}

function reportsOf(text: string): BenchmarkReport[] {
  const figure = (line: string, pattern: RegExp): number => Number(pattern.exec(line)?.[1] ?? Number.NaN)
  return text
    .split('\n')
    .slice(0, -1)
    .filter(line => /TPS: \d/.test(line))
    .map(line => ({
      tps: figure(line, /TPS: (\d+)/),
      maxMs: figure(line, /Max RT\(ms\): +(\d+)/),
      averageMs: figure(line, /Average RT\(ms\): +([\d.]+)/),
      sendFailed: figure(line, /Send Failed: (\d+)/),
      responseFailed: figure(line, /Response Failed: (\d+)/),
      line: line.trim(),
    }))
}

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../../interop/src/reference/free-ports.ts'
import { connect } from './load.ts'
import { figuresOf } from './process-figures.ts'
import { warmPages } from './warm-pages.ts'

/** XADD with 128 bytes, as RESP. */
const xadd = (queue: number): Buffer => {
  const parts = ['XADD', `bench${queue}`, '*', 'body', 'x'.repeat(128)]
  return Buffer.from(`*${parts.length}\r\n${parts.map(part => `$${part.length}\r\n${part}\r\n`).join('')}`)
}

interface RedisLoad {
  readonly name: string
  readonly connections: number
  readonly window: number
  /** Commands in one write, answered together. */
  readonly batch: number
}

const loads: readonly RedisLoad[] = [
  { name: '16 x 16 in flight', connections: 16, window: 16, batch: 1 },
  { name: 'batches of 32 (pipelined), 8 x 4', connections: 8, window: 4, batch: 32 },
]

/** Redis Streams with its append-only file, where redis-server is on the PATH: CPU per message beside ours. */
export async function redisLines(seconds: number): Promise<string[]> {
  const version = spawnSync('redis-server', ['--version'])
  if (version.error !== undefined) return ['Redis Streams: redis-server is not on the PATH']
  const name = `Redis Streams ${/v=(\S+)/.exec(String(version.stdout))?.[1]}, append-only file (everysec)`
  const dir = mkdtempSync(join(tmpdir(), 'skua-bench-redis-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'yes', '--save', '']
  const server = spawn('redis-server', args, { stdio: 'ignore' })
  await new Promise(resolve => setTimeout(resolve, 1000))
  try {
    const lines: string[] = []
    for (const load of loads) {
      warmPages(2 * 1024 ** 3)
      const { cpuUs, perSecond } = await run(load, { port, pid: server.pid!, seconds })
      lines.push(
        `${name}, 128 B, ${load.name}: CPU ${cpuUs.toFixed(2)} µs/message, ${perSecond.toLocaleString('en-US')}/s`,
      )
    }
    return lines
  } finally {
    const gone = new Promise(resolve => server.once('exit', resolve))
    server.kill('SIGKILL')
    await gone
    rmSync(dir, { recursive: true, force: true })
  }
}

async function run(load: RedisLoad, { port, pid, seconds }: { port: number; pid: number; seconds: number }) {
  let answered = 0
  let going = true
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => connect('127.0.0.1', port)))
  for (const [index, socket] of sockets.entries()) {
    const request = Buffer.concat(Array.from({ length: load.batch }, () => xadd(index % 8)))
    let open = 0
    socket.on('data', chunk => {
      // An answer is `$15`, then the id, each on a line of its own.
      for (const byte of chunk as Buffer) if (byte === 0x24) open++
      for (; open >= load.batch; open -= load.batch) {
        answered += load.batch
        if (going) socket.write(request)
      }
    })
    for (let i = 0; i < load.window; i++) socket.write(request)
  }
  await new Promise(resolve => setTimeout(resolve, 1000))
  const before = { answered, cpu: figuresOf(pid).cpuSeconds, at: performance.now() }
  await new Promise(resolve => setTimeout(resolve, seconds * 1000))
  const count = answered - before.answered
  const cpuUs = ((figuresOf(pid).cpuSeconds - before.cpu) * 1e6) / Math.max(1, count)
  going = false
  for (const socket of sockets) socket.destroy()
  return { cpuUs, perSecond: Math.round((count * 1000) / (performance.now() - before.at)) }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freeBrokerPort } from '../../../interop/src/reference/free-ports.ts'
import { type Extra, loadText, sleep } from './extra.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..')
const bundle = join(root, 'packages', 'skua', 'dist', 'bundle', 'main.js')
/** From a slave's start to its first report. */
const joinSeconds = 2
/** The same for both, or the slave cannot follow. */
const fileBytes = 64 * 1024 * 1024

/** A slave of Skua's for whatever master registered as broker-a. */
async function startSlave(namesrv: string): Promise<{ stop(): Promise<void> }> {
  const dir = mkdtempSync(join(tmpdir(), 'skua-bench-slave-'))
  const conf = {
    ...{ brokerName: 'broker-a', brokerRole: 'SLAVE', brokerId: 1, brokerIP1: '127.0.0.1', namesrvAddr: namesrv },
    ...{ listenPort: await freeBrokerPort(), storePathRootDir: join(dir, 'store') },
    mappedFileSizeCommitLog: fileBytes,
  }
  writeFileSync(
    join(dir, 'broker.conf'),
    Object.entries(conf)
      .map(line => `${line.join('=')}\n`)
      .join(''),
  )
  const child = spawn(process.execPath, [bundle, 'broker', '-c', join(dir, 'broker.conf')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await saying(child, 'boot success')
  return {
    stop: async () => {
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

function saying(child: ChildProcess, words: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the slave ended with ${code}`)))
    child.stdout?.on('data', chunk => String(chunk).includes(words) && resolve())
  })
}

/** The same slave behind both masters. */
const synchronous = (name: string, shape: { connections: number; window: number }): Extra => ({
  name: `SYNC_MASTER with a slave of Skua’s, send 128 B, ${name}`,
  settings: { brokerRole: 'SYNC_MASTER', mappedFileSizeCommitLog: fileBytes },
  run: async contender => {
    const slave = await startSlave(contender.namesrv)
    try {
      await sleep(joinSeconds)
      return await loadText(contender, { kind: 'send', ...shape, seconds: 4 })
    } finally {
      await slave.stop()
    }
  },
})

export const replications: readonly Extra[] = [
  synchronous('64 connections', { connections: 64, window: 1 }),
  synchronous('16 x 16', { connections: 16, window: 16 }),
]

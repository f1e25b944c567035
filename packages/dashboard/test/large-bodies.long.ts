import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connect, putTopic, sendMessage } from '@skua-mq/admin'
import { startStandalone } from 'skua'

const main = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'skua', 'src', 'main.ts')
/** Bodies of 4 MiB are looked at by several: 4 tails, then 4 pages, searches and downloads at once. */
const messages = 200
/** Before bodies were let go early it was 1,700 MiB with 4 tails and 3,300 MiB with 4 pages. */
const maxAnonMiB = 500

test('memory beside a queue of large bodies stays small, whatever is looked at', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'skua-large-'))
  const skua = await startStandalone({ port: 0, store: folder, config: { brokerName: 'broker-a' } })
  const { namesrvAddr } = skua
  const session = connect({ namesrvAddr })
  const line = ['--conditions=skua-source', '--import', 'tsx', main, 'dashboard', '-n', namesrvAddr, '--port', '0']
  const child = spawn(process.execPath, line, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let told = ''
      child.once('exit', code => reject(new Error(`it ended with ${code}`)))
      child.stdout.on('data', chunk => {
        told += chunk
        const found = /http:\/\/\S+/.exec(told)
        if (found !== null) resolve(found[0])
      })
    })
    await putTopic(session, { clusterName: 'DefaultCluster' }, { topic: 'Big', readQueueNums: 1, writeQueueNums: 1 })
    let peak = 0
    const look = () => {
      const [, kib] = /RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      peak = Math.max(peak, Number(kib) / 1024)
    }
    const timer = setInterval(look, 20)
    const judge = (what: string) => {
      look()
      t.diagnostic(`${what}: ${peak.toFixed(0)} MiB at most`)
      assert.ok(peak < maxAnonMiB, `${what}: ${peak} MiB`)
      peak = 0
    }
    judge('nothing')
    const gone = new AbortController()
    const read = async (path: string, signal?: AbortSignal) => {
      const response = await fetch(`${url}${path}`, signal === undefined ? {} : { signal })
      assert.equal(response.status, 200)
      for await (const _ of response.body!);
    }
    const tails = [1, 2, 3, 4].map(() => read('api/tail?topic=Big&rate=200', gone.signal).catch(() => {}))
    const body = randomBytes(4 * 1024 * 1024 - 3000)
    for (let i = 0; i < messages; i++) await sendMessage(session, { topic: 'Big', body })
    await new Promise(resolve => setTimeout(resolve, 2_000))
    judge(`4 tails while ${messages} messages of 4 MiB come`)
    gone.abort()
    await Promise.all(tails)
    const four = (path: string) => Promise.all([1, 2, 3, 4].map(() => read(path)))
    await four('api/messages?topic=Big&from=newest&limit=200')
    judge('4 pages')
    await four('api/messages/scan?topic=Big&text=nosuchtext')
    judge('4 searches')
    await four('api/messages/export?topic=Big&limit=40')
    judge('4 downloads')
    clearInterval(timer)
  } finally {
    child.kill()
    await session.close()
    await skua.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { Flows, sleep } from './flows.ts'
import { ServerProcess } from './server-process.ts'

const kills = Number(process.env['SKUA_FLOW_KILLS'] ?? 3)
test(`SIGKILL amid retries, delays and transactions, ${kills} times: nothing promised is lost, early, or delivered though rolled back`, {
  timeout: 120_000 + kills * 10_000,
}, async t => {
  const store = mkdtempSync(join(tmpdir(), 'skua-flows-'))
  const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const config = ['transactionTimeOut=1000', 'transactionCheckInterval=1000', 'transactionCheckMax=1000']
  const flags = ['--store', store, '--port', String(broker), '--namesrv-port', String(nameServer)]
  const start = async () => {
    const skua = ServerProcess.skua([...flags, ...config.flatMap(each => ['--config', each])])
    await skua.says(/Skua is ready/)
    return skua
  }
  let skua = await start()
  t.after(() => skua.child.kill('SIGKILL'))
  const flows = new Flows(`127.0.0.1:${nameServer}`)
  await flows.start()
  const running = flows.run()
  for (let kill = 0; kill < kills; kill++) {
    await sleep(1500 + (kill % 7) * 170)
    await skua.signal('SIGKILL')
    skua = await start()
  }
  await sleep(1000)
  flows.stop()
  await running
  const { missing, wrong } = await flows.settled()
  await flows.close()
  assert.deepEqual(missing, [])
  assert.deepEqual(wrong, [])
  assert.deepEqual(flows.early, [])
  const kinds = flows.counts()
  const twice = [...flows.handled.values()].filter(count => count > 1).length
  t.diagnostic(`${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}; ${twice} came more than once`)
  for (const kind of ['retried', 'delayed', 'committed', 'checked', 'rolled back'])
    assert.ok((kinds.get(kind) ?? 0) > 10 * kills, `${kinds.get(kind)} ${kind}`)
  assert.equal((await skua.signal('SIGTERM')).code, 0)
  rmSync(store, { recursive: true, force: true })
})

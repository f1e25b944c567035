import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { sleep } from './flows.ts'
import { PopFlows } from './pop-flows.ts'
import { ServerProcess } from './server-process.ts'

/** The short form stays below ten seconds. */
const kills = Number(process.env['SKUA_POP_KILLS'] ?? 2)

test(`SIGKILL amid pops, ${kills} times: nothing sent is lost, and nothing acknowledged comes again`, {
  timeout: 90_000 + kills * 10_000,
}, async t => {
  const store = mkdtempSync(join(tmpdir(), 'skua-pops-'))
  const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const flags = ['--store', store, '--port', String(broker), '--namesrv-port', String(nameServer)]
  const start = async () => {
    const skua = ServerProcess.skua(flags)
    await skua.says(/Skua is ready/)
    return skua
  }
  let skua = await start()
  t.after(() => skua.child.kill('SIGKILL'))
  const flows = new PopFlows(`127.0.0.1:${broker}`)
  const running = flows.run()
  for (let kill = 0; kill < kills; kill++) {
    // Before and behind the moments in which offsets are saved.
    await sleep(700 + (kill % 7) * 270)
    await skua.signal('SIGKILL')
    skua = await start()
  }
  await sleep(300)
  const missing = await flows.settled()
  await running
  assert.deepEqual(missing, [], 'sent, and not acknowledged')
  assert.deepEqual(flows.wrong, [])
  const { sent, acked, again, changed, late, open } = flows.counts()
  t.diagnostic(
    `${sent} sent, ${acked} acknowledged, ${again} came again, ${changed} prolonged, ${late} acknowledged too late to count, ${open} without an answer`,
  )
  for (const [kind, count] of Object.entries({ sent, acked, again, changed }))
    assert.ok(count > 10 * kills, `${count} ${kind}`)
  // What a kill took the answer of is little: all else is accounted for.
  assert.ok(open <= 30 * kills, `${open} acknowledgements had no answer`)
  assert.equal((await skua.signal('SIGTERM')).code, 0)
  rmSync(store, { recursive: true, force: true })
})

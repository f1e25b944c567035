import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { queryConsumerOffset } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { commitSome, committed, place } from './committed.ts'
import { ServerProcess } from './server-process.ts'

/** Starts a broker, commits an offset, and lets `signals` come at 2 ms intervals until it ends; answers code and what the next start knows. */
async function endedBy(signals: readonly NodeJS.Signals[]): Promise<{ code: number; offset: unknown }> {
  const directory = mkdtempSync(join(tmpdir(), 'skua-signals-'))
  const ports = await freePorts(nodeRuntime().net, '127.0.0.1')
  const flags = ['--store', directory, '--port', `${ports.broker}`, '--namesrv-port', `${ports.nameServer}`]
  const address = `127.0.0.1:${ports.broker}`
  const client = new RemotingClient(nodeRuntime())
  try {
    const first = ServerProcess.skua(flags)
    await first.says(/is ready/)
    await commitSome(client, address)
    for (const signal of signals) {
      first.child.kill(signal)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    const code = await first.exit()
    const second = ServerProcess.skua(flags)
    await second.says(/is ready/)
    const { header } = await client.request(address, queryConsumerOffset, place)
    await second.signal('SIGTERM')
    return { code, offset: header.offset }
  } finally {
    await client.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

test('a second SIGTERM changes nothing: the stop goes on to its clean end', async () => {
  assert.deepEqual(await endedBy(['SIGTERM', 'SIGTERM', 'SIGTERM']), { code: 0, offset: committed })
})

test('a Ctrl-C behind a SIGTERM changes nothing: a group of processes gets it, and whoever started this one told it already', async () => {
  assert.deepEqual(await endedBy(['SIGTERM', 'SIGINT']), { code: 0, offset: committed })
})

test('a second Ctrl-C ends at once, and what the tables hold is saved', async () => {
  const { offset } = await endedBy(['SIGINT', 'SIGINT'])
  assert.equal(offset, committed)
})

import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { queryConsumerOffset } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { commitSome, committed, place } from './committed.ts'
import { ServerProcess } from './server-process.ts'

/** A module that a server loads before its own, and that does this when the server gets SIGUSR2. */
const preloaded = (statement: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGUSR2', () => { ${statement} })`)}`

for (const [what, statement] of [
  ['an exception that nobody catches', "throw new Error('boom')"],
  ['a rejection that nobody waits for', "Promise.reject(new Error('boom'))"],
  ['faults again and again', "setInterval(() => { throw new Error('boom') }, 1)"],
] as const) {
  test(`${what}: the server says so, saves what it has, unlocks, and ends with an error`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'skua-fault-'))
    const ports = await freePorts(nodeRuntime().net, '127.0.0.1')
    const flags = ['--store', directory, '--port', `${ports.broker}`, '--namesrv-port', `${ports.nameServer}`]
    const address = `127.0.0.1:${ports.broker}`
    const client = new RemotingClient(nodeRuntime())
    try {
      const first = ServerProcess.skua(flags, { env: { NODE_OPTIONS: preloaded(statement) } })
      await first.says(/is ready/)
      await commitSome(client, address)
      assert.equal((await first.signal('SIGUSR2')).code, 70)
      assert.match(first.errors, /skua: a fault of its own \(u\w+\), the server ends: Error: boom\n +at /)
      assert.equal(existsSync(join(directory, 'abort')), false, 'the next start need not recover')
      const second = ServerProcess.skua(flags)
      await second.says(/is ready/)
      assert.equal((await client.request(address, queryConsumerOffset, place)).header.offset, committed)
      await second.signal('SIGTERM')
    } finally {
      await client.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
}

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ServerProcess } from '../server-process.ts'

/** Whether somebody listens there. */
const answers = (host: string, port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, host, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })

test('the proxy listens where the environment says, and on all addresses where nobody says anything', async () => {
  for (const [env, isElsewhere] of [
    [{ SKUA_GRPC_BIND_ADDRESS: '127.0.0.1' }, false],
    [{}, true],
  ] as const) {
    const proxy = ServerProcess.skua(['proxy', '-n', '127.0.0.1:1'], { env: { ...env, SKUA_GRPC_SERVER_PORT: '0' } })
    const [, port] = await proxy.says(/gRPC clients: port (\d+)/)
    assert.ok(await answers('127.0.0.1', Number(port)))
    assert.equal(await answers('127.0.0.2', Number(port)), isElsewhere)
    await proxy.signal('SIGTERM')
  }
})

test('the proxy says that the keys of a port for remoting clients are without effect', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'skua-proxy-'))
  try {
    const file = join(dir, 'rmq-proxy.json')
    writeFileSync(file, '{"grpcServerPort":0,"remotingListenPort":8080,"remotingAccessAddr":"10.0.0.1"}')
    const proxy = ServerProcess.skua(['proxy', '-n', '127.0.0.1:1', '-pc', file])
    await proxy.says(/gRPC clients: port \d+/)
    await proxy.signal('SIGTERM')
    assert.match(proxy.errors, /^without effect here: remotingListenPort, remotingAccessAddr$/m)
    assert.doesNotMatch(proxy.errors, /unknown key/)
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type AdminSession, brokerRuntimeInfo, connect } from '@skua-mq/admin'
import { NameServer } from '@skua-mq/nameserver'
import { registerBroker } from '@skua-mq/protocol'
import { MemoryDisk, nodeRuntime } from '@skua-mq/runtime'
import { freePorts, startStandalone } from '../../src/index.ts'
import { ServerProcess } from '../server-process.ts'
import { people } from './run.ts'

/** Tells a name server of a broker, which is there as long as this session. */
async function register(session: AdminSession, brokerName: string, brokerAddr: string): Promise<void> {
  const told = { brokerName, brokerAddr, clusterName: 'DefaultCluster', brokerId: 0, haServerAddr: brokerAddr }
  const header = { ...told, compressed: false, bodyCrc32: 0 }
  await session.askNameServer({ spec: registerBroker, header })
}

test('ping: a line for each server, exit code 0, also of the built command', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  try {
    const { exitCode, output, errors } = await people('ping', skua.namesrvAddr)
    assert.equal(exitCode, 0, errors)
    assert.match(output, new RegExp(`^name server +${skua.namesrvAddr} +\\d+\\.\\d +answers$`, 'm'))
    assert.match(output, new RegExp(`^broker broker-a +${skua.brokers[0]!.address} +\\d+\\.\\d +answers$`, 'm'))
    const built = ServerProcess.skua(['ping', '-n', skua.namesrvAddr])
    assert.equal(await built.exit(), 0, built.errors)
  } finally {
    await skua.stop()
  }
})

test('ping: a broker that hangs or is gone is named within the timeout, exit code 1', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const silent = createServer(socket => socket.on('error', () => {}))
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  const hanging = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  const gone = `127.0.0.1:${(await freePorts(nodeRuntime().net, '127.0.0.1')).broker}`
  const session = connect({ namesrvAddr: skua.namesrvAddr })
  try {
    await register(session, 'broker-hangs', hanging)
    await register(session, 'broker-gone', gone)
    const begun = performance.now()
    const { exitCode, output, errors } = await people('ping --timeout-ms 300', skua.namesrvAddr)
    assert.ok(performance.now() - begun < 2000)
    assert.equal(exitCode, 1)
    assert.match(errors, new RegExp(`broker broker-hangs ${hanging}: .*check that it runs`))
    assert.match(errors, new RegExp(`broker broker-gone ${gone}: .*check that it runs`))
    assert.doesNotMatch(errors, /broker-a/)
    assert.match(output, new RegExp(`${hanging} +\\d+\\.\\d +does not answer`))
    assert.match(output, /^broker broker-a .* answers$/m)
  } finally {
    await session.close()
    silent.close()
    await skua.stop()
  }
})

test('ping: a name server without brokers, and none at all: exit code 1', async () => {
  const { nameServer: port } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const runtime = { ...nodeRuntime(), disk: new MemoryDisk() }
  const kvConfigPath = '/names/kvConfig.json'
  const names = new NameServer({
    runtime,
    listen: { host: '127.0.0.1', port },
    kvConfigPath,
    orderMessageEnable: false,
  })
  await names.start()
  const lonely = await people('ping', `127.0.0.1:${port}`)
  await names.stop()
  assert.equal(lonely.exitCode, 1)
  assert.match(lonely.errors, new RegExp(`127.0.0.1:${port} knows no broker`))
  const nobody = await people('ping', `127.0.0.1:${port}`)
  assert.equal(nobody.exitCode, 1)
  assert.match(nobody.errors, new RegExp(`name server 127.0.0.1:${port}: .*check that it runs`))
})

test('ping: a broker that wants an account answers all the same; others are told, and sign; TLS', async () => {
  const home = mkdtempSync(join(tmpdir(), 'skua-ping-'))
  mkdirSync(join(home, 'conf'))
  const account = { accessKey: 'operator', secretKey: 'operators-secret', admin: true }
  writeFileSync(join(home, 'conf', 'plain_acl.yml'), JSON.stringify({ accounts: [account] }))
  const config = { aclEnable: true, rocketmqHome: home }
  const skua = await startStandalone({ port: 0, store: 'memory', config })
  try {
    const unsigned = connect({ namesrvAddr: skua.namesrvAddr })
    await assert.rejects(brokerRuntimeInfo(unsigned, skua.brokers[0]!.address), /AclException/)
    await unsigned.close()
    const { exitCode, errors } = await people('ping', skua.namesrvAddr)
    assert.equal(exitCode, 0, errors)
    const refused = await people('status', skua.namesrvAddr)
    assert.equal(refused.exitCode, 1)
    assert.match(refused.errors, /AclException/)
    const keys = '--access-key operator --secret-key operators-secret'
    const signed = await people(`status --tls ${keys}`, skua.namesrvAddr)
    assert.equal(signed.exitCode, 0, signed.errors)
    const half = await people('status --access-key operator', skua.namesrvAddr)
    assert.equal(half.exitCode, 1)
    assert.match(half.errors, /belong together/)
  } finally {
    await skua.stop()
    rmSync(home, { recursive: true, force: true })
  }
})

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import type { Standalone } from 'skua'
import type { Driver, DriverOptions } from '../src/driver.ts'
import { grpcJavaClient } from '../src/grpc-java-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'

// Who is on this machine is trusted by brokers; who comes through the gateway is not on this machine for that.
const accounts = `globalWhiteRemoteAddresses:
- 127.0.0.1
accounts:
- accessKey: administrator
  secretKey: secret-of-admin
  admin: true
- accessKey: application
  secretKey: secret-of-app
  defaultTopicPerm: DENY
  defaultGroupPerm: SUB
  topicPerms:
  - Orders=PUB|SUB
  - Logs=PUB
`

describe('access control of gRPC clients', { skip: skipWithout('java') }, () => {
  const home = mkdtempSync(join(tmpdir(), 'skua-grpc-access-'))
  const drivers: Driver[] = []
  let skua: Standalone

  before(async () => {
    mkdirSync(join(home, 'conf'))
    writeFileSync(join(home, 'conf', 'plain_acl.yml'), accounts)
    const config = { aclEnable: true, rocketmqHome: home }
    skua = await startSkua({ port: 0, grpcPort: 0, store: 'memory', config })
    await using tool = new Admin({ namesrvAddr: skua.namesrvAddr })
    for (const topic of ['Orders', 'Logs', 'Secrets']) await tool.createTopic(topic)
  })

  after(async () => {
    for (const driver of drivers) await driver.kill()
    await skua?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  async function as(credentials?: DriverOptions['credentials']) {
    const driver = await grpcJavaClient(credentials === undefined ? {} : { credentials })
    drivers.push(driver)
    return <T>(what: string, request: Record<string, unknown>): Promise<T> =>
      driver.call<T>(what, { endpoints: skua.grpcAddr, ...request })
  }
  const isUnauthorized = (error: { code?: number }) => error.code === 40_100

  test('an account may what its permissions say, and nothing else', async () => {
    const call = await as({ accessKey: 'application', secretKey: 'secret-of-app' })
    await call('send', { topic: 'Orders', body: 'mine' })
    await call('send', { topic: 'Logs' })
    await assert.rejects(call('send', { topic: 'Secrets' }), isUnauthorized)
    await call('simple', { name: 's', topic: 'Orders', group: 'G' })
    const [got] = await call<{ body: string; receipt: string }[]>('receive', { name: 's' })
    assert.equal(got?.body, 'mine')
    await call('ack', { name: 's', receipt: got?.receipt })
    await call('simple', { name: 'l', topic: 'Logs', group: 'G2' })
    await assert.rejects(call('receive', { name: 'l' }), isUnauthorized)
  })

  test('nobody is trusted for coming from this machine: no signature, a wrong one, an account that is not there', async () => {
    for (const credentials of [
      undefined,
      { accessKey: 'application', secretKey: 'guessed' },
      { accessKey: 'nobody', secretKey: 'secret-of-app' },
    ]) {
      const call = await as(credentials)
      await assert.rejects(call('send', { topic: 'Orders' }), isUnauthorized)
    }
  })
})

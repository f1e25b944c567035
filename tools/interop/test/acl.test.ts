import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { Admin, Producer, PushConsumer } from '@skua-mq/client'
import type { Standalone } from 'skua'
import { aliOns } from '../src/ali-ons.ts'
import type { Driver, DriverOptions } from '../src/driver.ts'
import { goClient } from '../src/go-client.ts'
import { javaClient, javaVersions } from '../src/java-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'

const accounts = `accounts:
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
const admin = { accessKey: 'administrator', secretKey: 'secret-of-admin' }
const application = { accessKey: 'application', secretKey: 'secret-of-app' }

const clients: readonly {
  title: string
  open: (options: DriverOptions) => Promise<Driver>
  skip: false | string
  batches: boolean
}[] = [
  ...javaVersions.map(version => ({
    title: `the official Java client ${version}`,
    open: (options: DriverOptions) => javaClient(version, options),
    skip: skipWithout('java'),
    batches: true,
  })),
  { title: 'the official Go client', open: goClient, skip: skipWithout('go'), batches: true },
  { title: 'ali-ons', open: aliOns, skip: false, batches: false },
]

describe('access control', () => {
  const home = mkdtempSync(join(tmpdir(), 'skua-access-'))
  let skua: Standalone
  before(async () => {
    mkdirSync(join(home, 'conf'))
    writeFileSync(join(home, 'conf', 'plain_acl.yml'), accounts)
    skua = await startSkua({ port: 0, store: 'memory', config: { aclEnable: true, rocketmqHome: home } })
    // ali-ons knows no automatic creation.
    await using tool = new Admin({ namesrvAddr: skua.namesrvAddr, credentials: admin })
    for (const topic of ['Orders', 'Logs', 'Secrets']) await tool.createTopic(topic)
  })
  after(async () => {
    await skua?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  for (const { title, open, skip, batches } of clients) {
    describe(title, { skip }, () => {
      const opened = async (t: TestContext, options: DriverOptions = {}) => {
        const client = await open(options)
        t.after(() => client.kill())
        return (what: string, request: Record<string, unknown> = {}) =>
          client.call<{ status: string; body: string }[]>(what, { namesrv: skua.namesrvAddr, ...request })
      }
      const body = `from ${title}`

      test('sends, consumes and gives back what its account may', async t => {
        const call = await opened(t, { credentials: application })
        await call('send', { topic: 'Orders', body, count: 4, tag: 'A', key: 'k' })
        if (batches)
          await call(title.includes('Go') ? 'send' : 'sendBatch', { topic: 'Orders', body, count: 3, mode: 'batch' })
        const group = title.replaceAll(/\W/g, '')
        await call('push', { topic: 'Orders', name: 'c', group, failFirst: 1 })
        const wanted = batches ? 7 : 4
        const seen = () => call('received', { name: 'c', count: 99, timeoutMs: 500 })
        const own = async () => (await seen()).filter(message => message.body.startsWith(body)).length
        for (let i = 0; i < 60 && (await own()) < wanted; i++);
        assert.ok((await own()) >= wanted)
        await call('stopConsumer', { name: 'c' })
      })

      test('is refused what its account may not, with a wrong secret, and without one', async t => {
        const own = await opened(t, { credentials: application })
        const wrong = await opened(t, { credentials: { ...application, secretKey: 'secret-of-none' } })
        await assert.rejects(own('send', { topic: 'Secrets', body }), /permission|AclException|CODE: 1|still failed/i)
        await assert.rejects(wrong('send', { topic: 'Orders', body }), /signature|AclException|CODE: 1|still failed/i)
        // ali-ons always signs.
        if (title === 'ali-ons') return
        const none = await opened(t)
        await assert.rejects(none('send', { topic: 'Orders', body }), /accessKey|AclException|CODE: 1/i)
      })
    })
  }

  test('the SDK does what its account may, and is told why where it may not', async () => {
    const { namesrvAddr } = skua
    await using producer = new Producer({ namesrvAddr, group: 'sdk', credentials: application })
    await producer.send({ topic: 'Orders', body: 'from the SDK' })
    await assert.rejects(producer.send({ topic: 'Secrets', body: 'x' }), /No default permission for topic Secrets/)
    await using consumer = new PushConsumer({
      ...{ namesrvAddr, group: 'sdk', credentials: application },
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    for await (const message of consumer.subscribe('Orders')) if (message.text() === 'from the SDK') break
  })
})

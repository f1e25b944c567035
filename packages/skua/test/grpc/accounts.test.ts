import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import { EventHub } from '@skua-mq/runtime'
import { type Standalone, startStandalone } from '../../src/index.ts'
import { Caller, consumerOf, receiveOf, sendOf, type Told } from './caller.ts'

// The most that a white list can say: everybody is trusted, wherever he comes from.
const rules = `globalWhiteRemoteAddresses:
- "*"
- "*.*.*.*"
- 127.0.0.1
- 0.0.0.0
accounts:
- accessKey: account-one
  secretKey: secret-of-one
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: PUB|SUB
- accessKey: account-two
  secretKey: secret-of-two
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: PUB|SUB
`

/** Nobody is trusted; an account may use one topic, and take part in groups. */
const strict = `accounts:
- accessKey: account-small
  secretKey: secret-of-small
  defaultTopicPerm: DENY
  defaultGroupPerm: SUB
  topicPerms:
  - Accounts=PUB|SUB
- accessKey: account-admin
  secretKey: secret-of-admin
  admin: true
`

describe('accounts at the gateway', () => {
  const home = mkdtempSync(join(tmpdir(), 'skua-grpc-accounts-'))
  const events = new EventHub()
  const logged: string[] = []
  const callers: Caller[] = []
  let skua: Standalone

  before(async () => {
    events.subscribe(event => logged.push(JSON.stringify(event)))
    mkdirSync(join(home, 'conf'))
    writeFileSync(join(home, 'conf', 'plain_acl.yml'), rules)
    const config = { aclEnable: true, rocketmqHome: home }
    skua = await startStandalone({ port: 0, grpcPort: 0, store: 'memory', config, events })
    await using admin = new Admin({ namesrvAddr: skua.namesrvAddr })
    await admin.createTopic('Accounts', { queueNum: 1 })
  })

  after(async () => {
    for (const caller of callers) caller.close()
    await skua?.stop()
    rmSync(home, { recursive: true, force: true })
  })

  function caller(clientId: string, name?: 'one' | 'two', secretKey = `secret-of-${name}`): Caller {
    const account = name === undefined ? {} : { account: { accessKey: `account-${name}`, secretKey } }
    const one = new Caller(skua.grpcAddr!, { clientId, ...account })
    callers.push(one)
    return one
  }

  const requests: readonly (readonly [string, Told])[] = [
    ['QueryRoute', { topic: { name: 'Accounts' } }],
    ['QueryAssignment', { topic: { name: 'Accounts' }, group: { name: 'G' } }],
    ['SendMessage', sendOf('Accounts', 'x')],
    ['ReceiveMessage', receiveOf('Accounts', 'G')],
    ['AckMessage', { topic: { name: 'Accounts' }, group: { name: 'G' }, entries: [{ receiptHandle: 'x' }] }],
    ['ChangeInvisibleDuration', { topic: { name: 'Accounts' }, group: { name: 'G' }, receiptHandle: 'x' }],
    ['ForwardMessageToDeadLetterQueue', { topic: { name: 'Accounts' }, group: { name: 'G' }, receiptHandle: 'x' }],
    ['EndTransaction', { topic: { name: 'Accounts' }, transactionId: 'x' }],
    ['Heartbeat', {}],
    ['NotifyClientTermination', {}],
  ]

  test('whatever the white lists say, each method wants a signature that is right', async () => {
    for (const by of [caller('unsigned'), caller('guessed', 'one', 'secret-of-two')]) {
      for (const [method, request] of requests) {
        const { status } = await by.ask(method, request)
        assert.equal(status?.code, 40_100, method)
      }
      const open = by.open('Telemetry', { settings: consumerOf('Accounts', 'G') })
      assert.equal(await open.ended, '3')
    }
  })

  test("nobody is another account's client by naming its id", async () => {
    const one = caller('shared-id', 'one')
    const two = caller('shared-id', 'two')
    const stream = await one.settle(consumerOf('Accounts', 'G_one'))
    assert.equal((await two.ask('Heartbeat', {})).status.code, 40_015)
    assert.equal((await two.ask('NotifyClientTermination', {})).status.code, 20_000)
    assert.equal((await one.ask('Heartbeat', {})).status.code, 20_000)
    await two.settle(consumerOf('Accounts', 'G_two'))
    await two.ask('NotifyClientTermination', {})
    assert.equal((await one.ask('Heartbeat', {})).status.code, 20_000)
    assert.equal(stream.answers.length, 1)
    assert.ok(!stream.stream.closed)
  })

  test('no secret is in what is logged', () => {
    assert.ok(logged.length > 0)
    assert.deepEqual(
      logged.filter(line => /secret-of-(one|two)/.test(line)),
      [],
    )
  })
})

test('an account with one topic and its groups settles also what came again', async t => {
  const home = mkdtempSync(join(tmpdir(), 'skua-grpc-strict-'))
  mkdirSync(join(home, 'conf'))
  writeFileSync(join(home, 'conf', 'plain_acl.yml'), strict)
  const config = { aclEnable: true, rocketmqHome: home }
  const skua = await startStandalone({ port: 0, grpcPort: 0, store: 'memory', config })
  const credentials = { accessKey: 'account-admin', secretKey: 'secret-of-admin' }
  await using admin = new Admin({ namesrvAddr: skua.namesrvAddr, credentials })
  await admin.createTopic('Accounts', { queueNum: 1 })
  const account = { accessKey: 'account-small', secretKey: 'secret-of-small' }
  const small = new Caller(skua.grpcAddr!, { clientId: 'small', account })
  t.after(async () => {
    small.close()
    await skua.stop()
    rmSync(home, { recursive: true, force: true })
  })
  assert.equal((await small.ask('SendMessage', sendOf('Accounts', 'again'))).status.code, 20_000)
  const names = { topic: { name: 'Accounts' }, group: { name: 'G_small' } }
  const receive = async () => {
    const open = small.open('ReceiveMessage', receiveOf('Accounts', 'G_small'))
    open.stream.end()
    await open.ended
    return open.answers.find(({ message }) => message !== undefined)?.message.systemProperties
  }
  const first = await receive()
  const soon = { ...names, receiptHandle: first.receiptHandle, invisibleDuration: { seconds: 1 } }
  assert.equal((await small.ask('ChangeInvisibleDuration', soon)).status.code, 20_000)
  const second = await receive()
  assert.equal(second?.deliveryAttempt, 2)
  const acked = await small.ask('AckMessage', { ...names, entries: [{ receiptHandle: second.receiptHandle }] })
  assert.equal(acked.status.code, 20_000, acked.status.message)
})

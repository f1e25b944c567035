// Our client before a RocketMQ broker that wants signatures.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type ClientError, Producer, PullConsumer, PushConsumer } from '@skua-mq/client'
import { type Reference, startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'

const accounts = `globalWhiteRemoteAddresses: []
accounts:
- accessKey: readerAndWriter
  secretKey: a-secret-of-its-own
  whiteRemoteAddress:
  admin: false
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: SUB
  topicPerms:
  - Forbidden=DENY
- accessKey: readerOnly
  secretKey: another-secret
  whiteRemoteAddress:
  admin: false
  defaultTopicPerm: SUB
  defaultGroupPerm: SUB
`
const both = { accessKey: 'readerAndWriter', secretKey: 'a-secret-of-its-own' }
const reader = { accessKey: 'readerOnly', secretKey: 'another-secret' }
const topic = 'Signed'

describe('the SDK signs for RocketMQ 4.9.7', { skip: skipWithout('java') }, () => {
  const home = mkdtempSync(join(tmpdir(), 'skua-acl-'))
  let rocketmq: Reference
  before(async () => {
    mkdirSync(join(home, 'conf'))
    writeFileSync(join(home, 'conf', 'plain_acl.yml'), accounts)
    rocketmq = await startReference({ version: '4.9.7', storeDir: home, conf: { aclEnable: true } })
  })
  after(async () => {
    await rocketmq?.stop('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })
  const namesrvAddr = () => rocketmq.namesrvAddr

  test('what is signed is taken, consumed and pulled', async () => {
    const bodies = ['one', 'two', 'x'.repeat(10_000)]
    await using producer = new Producer({ namesrvAddr: namesrvAddr(), group: 'signers', credentials: both })
    for (const body of bodies) await producer.send({ topic, body, properties: { color: 'red' } })
    const seen: string[] = []
    await using consumer = new PushConsumer({
      ...{ namesrvAddr: namesrvAddr(), group: 'signed-readers', credentials: reader },
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    consumer.subscribe(topic)
    for await (const message of consumer) {
      seen.push(message.text())
      consumer.ack(message)
      if (seen.length === bodies.length) break
    }
    assert.deepEqual(seen.sort(), [...bodies].sort())
    await using pull = new PullConsumer({ namesrvAddr: namesrvAddr(), group: 'signed-pullers', credentials: reader })
    await pull.start()
    const queues = await pull.fetchSubscribeMessageQueues(topic)
    const found = await Promise.all(queues.map(queue => pull.pull(queue, 0)))
    assert.equal(found.flatMap(({ messages }) => messages).length, bodies.length)
  })

  test('a wrong secret, a missing right and no signature at all are refused, with the broker’s reason', async () => {
    const refusal = async (credentials: typeof both | undefined, to: string) => {
      await using producer = new Producer({
        ...{ namesrvAddr: namesrvAddr(), group: 'strangers', retryTimesWhenSendFailed: 0 },
        ...(credentials === undefined ? {} : { credentials }),
      })
      const error = await producer.send({ topic: to, body: 'x' }).then(
        () => assert.fail(`${to} was sent to`),
        (cause: ClientError) => cause,
      )
      return error.message
    }
    assert.match(await refusal({ ...both, secretKey: 'wrong' }, topic), /signature/i)
    assert.match(await refusal(reader, topic), /permission/i)
    assert.match(await refusal(both, 'Forbidden'), /permission/i)
    assert.match(await refusal(undefined, topic), /accessKey|acl/i)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decodeRecords,
  type HeaderOf,
  parseProperties,
  printProperties,
  pullMessage,
  pushReplyMessageToClient,
  ResponseCode,
  sendReplyMessage,
  sendReplyMessageV2,
} from '@skua-mq/protocol'
import { ok, refuse, route } from '@skua-mq/remoting'
import { World } from '../world.ts'

const topic = 'DefaultCluster_REPLY_TOPIC'
const header = (replyTo: string | undefined): HeaderOf<typeof sendReplyMessage> => ({
  producerGroup: 'repliers',
  topic,
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  queueId: 0,
  sysFlag: 1,
  bornTimestamp: 5,
  flag: 7,
  properties: printProperties([
    ['CORRELATION_ID', 'c1'],
    ...(replyTo === undefined ? [] : [['REPLY_TO_CLIENT', replyTo] as const]),
  ]),
  unitMode: false,
  batch: false,
})

interface Pushed {
  header: HeaderOf<typeof pushReplyMessageToClient>
  body: string
}

async function asker(config: Record<string, unknown> = {}, code: ResponseCode = 0) {
  const world = await new World({ dialect: '4.9', ...config }).start()
  const pushed: Pushed[] = []
  const requester = world.client('requester', [
    route(pushReplyMessageToClient, (header, { body }) => {
      pushed.push({ header, body: Buffer.from(body).toString() })
      return code === 0 ? ok({}) : refuse(code, 'too late')
    }),
  ])
  await requester.produce('askers')
  return { world, pushed, requester, replier: world.client('replier') }
}

test('a reply goes to the client that asked, with who sent it and when it was passed on', async () => {
  const { world, pushed, replier } = await asker()
  for (const spec of [sendReplyMessage, sendReplyMessageV2]) {
    const reply = await replier.ask(spec, header('requester'), Buffer.from('answer'))
    assert.equal(reply.code, 0)
    assert.deepEqual([reply.extFields['MSG_REGION'], reply.extFields['TRACE_ON']], ['DefaultRegion', 'true'])
  }
  assert.equal(pushed.length, 2)
  const [first] = pushed
  const properties = parseProperties(first!.header.properties ?? '')
  assert.equal(first!.body, 'answer')
  assert.equal(properties.get('CORRELATION_ID'), 'c1')
  assert.match(properties.get('PUSH_REPLY_TIME') ?? '', /^\d{13}$/)
  assert.match(first!.header.bornHost, /^10\.0\.0\.3:\d+$/)
  assert.deepEqual([first!.header.flag, first!.header.sysFlag, first!.header.topic], [7, 1, topic])
  await world.stop()
})

test('a reply is stored as well, and told by its id, unless storeReplyMessageEnable is off', async () => {
  for (const storeReplyMessageEnable of [true, false]) {
    const { world, replier } = await asker({ storeReplyMessageEnable })
    const reply = await replier.ask(sendReplyMessage, header('requester'), Buffer.from('answer'))
    assert.equal(reply.header.msgId === '0', !storeReplyMessageEnable)
    const pulled = await replier.ask(pullMessage, {
      consumerGroup: 'g',
      topic,
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 9,
      sysFlag: 4,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subscription: '*',
      subVersion: 0,
    })
    const bodies = [...decodeRecords(pulled.body ?? Buffer.alloc(0))].map(message =>
      Buffer.from(message.body).toString(),
    )
    assert.deepEqual(bodies, storeReplyMessageEnable ? ['answer'] : [])
    await world.stop()
  }
})

test('the replier is told when the client is not connected, not named, or does not want the reply', async () => {
  const { world, replier, requester } = await asker()
  const absent = await replier.ask(sendReplyMessage, header('somebody'), Buffer.from('x'))
  assert.equal(absent.code, 1)
  assert.match(absent.remark ?? '', /channel of <somebody> not found/)
  assert.match((await replier.ask(sendReplyMessage, header(undefined))).remark ?? '', /REPLY_TO_CLIENT is missing/)
  await world.settle(requester.remoting.close())
  await world.pass(100)
  assert.match((await replier.ask(sendReplyMessage, header('requester'))).remark ?? '', /<requester> not found/)
  await world.stop()
  const unwilling = await asker({}, ResponseCode.systemError)
  const refused = await unwilling.replier.ask(sendReplyMessage, header('requester'))
  assert.equal(refused.code, 1)
  assert.match(refused.remark ?? '', /answered 1 too late/)
  await unwilling.world.stop()
})

test('a client that does not answer costs the replier 10 seconds and no more', async () => {
  const { world, replier } = await asker()
  const { network, clock } = world.runtime
  network.partition('broker', 'requester')
  const begun = clock.monotonic()
  const reply = await replier.ask(sendReplyMessage, header('requester'))
  assert.equal(reply.code, 1)
  assert.ok(clock.monotonic() - begun < 10_100)
  network.healAll()
  await world.stop()
})

test('replies are checked as sends are', async () => {
  const { world, replier } = await asker({ maxMessageSize: 100 })
  const ask = (change: object, body = Buffer.from('x')) =>
    replier.ask(sendReplyMessage, { ...header('requester'), ...change }, body)
  assert.equal((await ask({ topic: 'SCHEDULE_TOPIC_XXXX' })).code, 16)
  assert.equal((await ask({ topic: 'a/b' })).code, 1)
  assert.equal((await ask({ topic: 'Unknown', defaultTopic: 'None' })).code, 17)
  assert.equal((await ask({ queueId: 99 })).code, 1)
  assert.equal((await ask({}, Buffer.alloc(101))).code, 13)
  await world.stop()
})

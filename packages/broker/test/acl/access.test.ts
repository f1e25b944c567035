import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  ackMessage,
  batchAckMessage,
  deleteAclConfig,
  getBrokerClusterAclInfo,
  getConsumerListByGroup,
  type HeaderOf,
  heartBeat,
  lockBatchMq,
  popMessage,
  pullMessage,
  queryConsumerOffset,
  queryMessage,
  type RequestSpec,
  ResponseCode,
  sendMessageV2,
  sendReplyMessage,
  sendReplyMessageV2,
  setMessageRequestMode,
  updateAndCreateAclConfig,
  updateAndCreateSubscriptionGroupList,
  updateAndCreateTopic,
  updateAndCreateTopicList,
  updateConsumerOffset,
  updateGlobalWhiteAddrsConfig,
  writeFields,
} from '@skua-mq/protocol'
import { consumerData, subscription } from '../harness.ts'
import { World } from '../world.ts'

const file = '/home/conf/plain_acl.yml'
const accounts = `accounts:
- accessKey: administrator
  secretKey: secret-of-admin
  admin: true
- accessKey: application
  secretKey: secret-of-app
  defaultTopicPerm: DENY
  defaultGroupPerm: DENY
  topicPerms:
  - Orders=PUB|SUB
  - Logs=PUB
  groupPerms:
  - billing=SUB
- accessKey: neighbour
  secretKey: secret-of-neighbour
  whiteRemoteAddress: '*'
`
const secrets: Readonly<Record<string, string>> = {
  administrator: 'secret-of-admin',
  application: 'secret-of-app',
  neighbour: 'wrong, and not looked at',
  stranger: 'whatever',
}

async function guarded(text = accounts) {
  const world = new World({ dialect: '4.9', aclEnable: true, rocketmqHome: '/home' })
  world.runtime.disk.makeDirectory('/home/conf')
  world.runtime.disk.writeFile(file, Buffer.from(text))
  await world.start()
  const peer = world.client('client')
  const ask = async <Q extends RequestSpec<never, never, never, never> | RequestSpec>(
    who: string | undefined,
    spec: Q,
    header: HeaderOf<Q>,
    body?: Uint8Array,
    spoil: (fields: Record<string, string>) => void = () => {},
  ) => {
    const fields: Record<string, string> = { ...writeFields((spec as RequestSpec).header, header as never) }
    const extra: Record<string, string> = {}
    if (who !== undefined) {
      extra.AccessKey = who
      const all: Record<string, string> = { ...fields, ...extra }
      const values = Object.keys(all)
        .sort()
        .map(key => all[key])
        .join('')
      const hmac = createHmac('sha1', secrets[who] ?? '').update(values)
      extra.Signature = hmac.update(body ?? new Uint8Array(0)).digest('base64')
    }
    spoil(extra)
    return peer.ask(spec, header, body, extra)
  }
  return { world, ask }
}

const sendTo = (topic: string): HeaderOf<typeof sendMessageV2> => ({
  producerGroup: 'p',
  topic,
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  queueId: 0,
  sysFlag: 0,
  bornTimestamp: 1,
  flag: 0,
  unitMode: false,
  batch: false,
})
const pullOf = (topic: string, consumerGroup: string): HeaderOf<typeof pullMessage> => ({
  consumerGroup,
  topic,
  queueId: 0,
  queueOffset: 0,
  maxMsgNums: 32,
  sysFlag: 4,
  commitOffset: 0,
  suspendTimeoutMillis: 0,
  subscription: '*',
  subVersion: 1,
})
const body = Buffer.from('hello')

test('who signs rightly does what it may, and nothing else', async () => {
  const { world, ask } = await guarded()
  const app = 'application'
  const refused = async (reply: ReturnType<typeof ask>, why: RegExp) => {
    const { code, remark } = await reply
    assert.equal(code, ResponseCode.systemError)
    assert.match(remark ?? '', /^org\.apache\.rocketmq\.acl\.common\.AclException: /)
    assert.match(remark ?? '', why)
  }
  const allowed = async (reply: ReturnType<typeof ask>) => {
    const { code, remark } = await reply
    assert.doesNotMatch(remark ?? '', /AclException/)
    return code
  }
  assert.equal(await allowed(ask(app, sendMessageV2, sendTo('Orders'), body)), 0)
  assert.equal(await allowed(ask(app, pullMessage, pullOf('Orders', 'billing'))), 0)
  assert.equal(await allowed(ask(app, sendMessageV2, sendTo('Logs'), body)), 0)
  await refused(ask(app, pullMessage, pullOf('Logs', 'billing')), /No default permission for topic Logs/)
  await refused(ask(app, pullMessage, pullOf('Orders', 'others')), /No default permission for group others/)
  await refused(ask(app, sendMessageV2, sendTo('Secrets'), body), /No default permission for topic Secrets/)
  await refused(ask(app, sendMessageV2, sendTo('%RETRY%others'), body), /No default permission for group others/)
  await refused(
    ask(app, queryMessage, { topic: 'Logs', key: 'k', maxNum: 1, beginTimestamp: 0, endTimestamp: 1 }),
    /Logs/,
  )
  const pop = { queueId: -1, maxMsgNums: 1, invisibleTime: 1000, pollTime: 0, bornTime: 0, initMode: 0, order: false }
  assert.equal(await allowed(ask(app, popMessage, { ...pop, topic: 'Orders', consumerGroup: 'billing' })), 0)
  await refused(ask(app, popMessage, { ...pop, topic: 'Logs', consumerGroup: 'billing' }), /topic Logs/)
  await refused(ask(app, popMessage, { ...pop, topic: 'Orders', consumerGroup: 'others' }), /group others/)
  const ack = { queueId: 0, extraInfo: '0 1 1 0 0 b 0 0', offset: 0 }
  const retried = { ...ack, topic: '%RETRY%billing_Orders', consumerGroup: 'billing' }
  assert.equal(await allowed(ask(app, ackMessage, retried)), 17)
  await refused(ask(app, ackMessage, { ...retried, topic: '%RETRY%billing_Logs' }), /topic Logs/)
  await refused(ask(app, ackMessage, { ...ack, topic: 'Orders', consumerGroup: 'others' }), /group others/)
  const batch = (t: string) =>
    batchAckMessage.body!.encode({
      brokerName: undefined,
      acks: [{ t, c: 'billing', r: '0', so: 0, q: 0, rq: 0, pt: 1, it: 1, b: 'AQ==' }],
    })
  assert.equal(await allowed(ask(app, batchAckMessage, {}, batch('Orders'))), 0)
  await refused(ask(app, batchAckMessage, {}, batch('Logs')), /topic Logs/)
  const mode = { topic: 'Orders', consumerGroup: 'billing', mode: 'POP' as const, popShareQueueNum: 0 }
  await refused(ask(app, setMessageRequestMode, {}, setMessageRequestMode.body!.encode(mode)), /admin/i)
  const commit = { consumerGroup: 'billing', topic: 'Orders', queueId: 0, commitOffset: 1 }
  assert.equal(await allowed(ask(app, updateConsumerOffset, commit)), 0)
  await refused(ask(app, updateConsumerOffset, { ...commit, topic: 'Logs' }), /Logs/)
  await refused(ask(app, queryConsumerOffset, { consumerGroup: 'others', topic: 'Orders', queueId: 0 }), /others/)
  await refused(ask(app, getConsumerListByGroup, { consumerGroup: 'others' }), /others/)
  const lock = lockBatchMq.body!.encode({
    consumerGroup: 'billing',
    clientId: 'c',
    mqSet: [{ topic: 'Secrets', brokerName: 'broker-a', queueId: 0 }],
  })
  await refused(ask(app, lockBatchMq, {}, lock), /Secrets/)
  const topic = {
    ...{ topic: 'New', defaultTopic: 'TBW102', readQueueNums: 1, writeQueueNums: 1, perm: 6 },
    order: false,
  }
  const made = { ...topic, topicFilterType: 'SINGLE_TAG' as const, topicSysFlag: 0 }
  await refused(ask(app, updateAndCreateTopic, made), /Need admin permission for request code=17/)
  assert.equal(await allowed(ask('administrator', updateAndCreateTopic, made)), 0)
  for (const [spec, list] of [
    [updateAndCreateTopicList, '{"topicConfigList":[{"topicName":"Listed"}]}'],
    [updateAndCreateSubscriptionGroupList, '{"groupConfigList":[{"groupName":"listed"}]}'],
  ] as const) {
    await refused(ask(app, spec, {}, Buffer.from(list)), /Need admin permission/)
    assert.equal(await allowed(ask('administrator', spec, {}, Buffer.from(list))), 0)
  }
  assert.equal(await allowed(ask('administrator', sendMessageV2, sendTo('Secrets'), body)), 0)
  // Its address is trusted, whatever it signs.
  assert.equal(await allowed(ask('neighbour', sendMessageV2, sendTo('Secrets'), body)), 0)
  await world.stop()
})

test('a reply takes PUB of its topic, unless it goes where replies go: it is stored as any message', async () => {
  const { world, ask } = await guarded()
  for (const spec of [sendReplyMessage, sendReplyMessageV2]) {
    const remarkOf = async (topic: string) => (await ask('application', spec, sendTo(topic), body)).remark ?? ''
    assert.match(await remarkOf('Secrets'), /AclException: No default permission for topic Secrets/)
    assert.match(await remarkOf('Orders'), /names no client/)
    assert.match(await remarkOf('DefaultCluster_REPLY_TOPIC'), /names no client/)
  }
  await world.stop()
})

test('a heartbeat takes every group and topic in it, and one that is refused makes no member', async () => {
  const { world, ask } = await guarded()
  const beat = (group: string, topics: readonly string[]) =>
    heartBeat.body!.encode({
      clientID: 'c@1',
      producerDataSet: [],
      consumerDataSet: [
        consumerData(
          group,
          topics.map(topic => subscription(topic)),
        ),
      ],
    })
  assert.equal((await ask('application', heartBeat, {}, beat('others', ['Orders']))).code, 1)
  assert.equal((await ask('application', heartBeat, {}, beat('billing', ['Orders', 'Logs']))).code, 1)
  assert.equal((await ask('application', heartBeat, {}, Buffer.from('{"consumerDataSet":['))).code, 1)
  const members = () => ask('administrator', getConsumerListByGroup, { consumerGroup: 'billing' })
  assert.equal((await members()).code, 1)
  assert.equal((await ask('application', heartBeat, {}, beat('billing', ['Orders', '%RETRY%billing']))).code, 0)
  assert.equal((await members()).code, 0)
  await world.stop()
})

test('nobody comes in without a key, with an unknown one, or when a byte of what was signed is another', async () => {
  const { world, ask } = await guarded()
  const reasonOf = async (reply: ReturnType<typeof ask>) => (await reply).remark?.replace(/^.*AclException: /, '')
  const send = sendTo('Orders')
  assert.equal(await reasonOf(ask(undefined, sendMessageV2, send, body)), 'No accessKey is configured')
  assert.equal(await reasonOf(ask('stranger', sendMessageV2, send, body)), 'No acl config for stranger')
  const failed = 'Check signature failed for accessKey=application'
  const spoiled: ((fields: Record<string, string>) => void)[] = [
    fields => {
      fields.further = 'x'
    },
    fields => {
      fields.Signature = `${fields.Signature?.slice(0, -2)}A=`
    },
    fields => {
      fields.Signature = ''
    },
    fields => {
      delete fields.Signature
    },
    fields => {
      fields.a = 'another group'
    },
  ]
  for (const spoil of spoiled)
    assert.equal(await reasonOf(ask('application', sendMessageV2, send, body, spoil)), failed)
  // C++ sends the fields empty where it has no credentials.
  const empty = (fields: Record<string, string>) => Object.assign(fields, { AccessKey: '', Signature: '' })
  assert.equal(await reasonOf(ask('application', sendMessageV2, send, body, empty)), 'No accessKey is configured')
  const told = world.events.filter(({ name }) => name === 'request refused')
  assert.equal(told.length, 1, 'one line for all refusals of a while')
  assert.doesNotMatch(JSON.stringify(world.events), /secret-of/)
  await world.stop()
})

test('a field that older clients do not sign may be signed or not', async () => {
  const { world, ask } = await guarded()
  const query = { topic: 'Orders', key: 'k', maxNum: 1, beginTimestamp: 0, endTimestamp: 1 }
  const unsigned = await ask('application', queryMessage, query, undefined, fields => {
    fields._UNIQUE_KEY_QUERY = 'true'
  })
  assert.doesNotMatch(unsigned.remark ?? '', /AclException/)
  await world.stop()
})

test('files are read again when they change; what does not read leaves what was', async () => {
  const { world, ask } = await guarded()
  const { disk } = world.runtime
  const mayNew = async () => (await ask('application', sendMessageV2, sendTo('New'), body)).code === 0
  assert.equal(await mayNew(), false)
  await world.pass(10)
  disk.writeFile(file, Buffer.from(accounts.replace('- Logs=PUB', '- New=PUB')))
  await world.pass(1000)
  assert.equal(await mayNew(), true)
  disk.writeFile(file, Buffer.from('accounts: [\n'))
  await world.pass(1000)
  assert.equal(await mayNew(), true)
  assert.match(JSON.stringify(world.events.at(-1)), /not read again.*plain_acl\.yml:/)
  disk.makeDirectory('/home/conf/acl/team')
  disk.writeFile('/home/conf/acl/team/more.yaml', Buffer.from('globalWhiteRemoteAddresses:\n- "*"\n'))
  disk.writeFile(file, Buffer.from(accounts))
  await world.pass(1000)
  assert.equal((await ask(undefined, sendMessageV2, sendTo('New'), body)).code, 0)
  await world.stop()
})

test('50 to 53 change the files, and hold at once', async () => {
  const { world, ask } = await guarded()
  const admin = 'administrator'
  const version = async () => {
    const { header } = await ask(admin, getBrokerClusterAclInfo, {})
    return JSON.parse(header.version) as { counter: number }
  }
  assert.equal((await version()).counter, 0)
  const added = { accessKey: 'stranger', secretKey: 'whatever', topicPerms: 'New=PUB,Orders=SUB', admin: false }
  assert.equal((await ask(admin, updateAndCreateAclConfig, added)).code, 0)
  assert.equal((await ask('stranger', sendMessageV2, sendTo('New'), body)).code, 0)
  assert.equal((await version()).counter, 1)
  // Only what is said is changed.
  assert.equal((await ask(admin, updateAndCreateAclConfig, { accessKey: 'stranger', topicPerms: 'Other=PUB' })).code, 0)
  assert.equal((await ask('stranger', sendMessageV2, sendTo('New'), body)).code, 1)
  assert.equal((await ask('stranger', sendMessageV2, sendTo('Other'), body)).code, 0)
  const short = await ask(admin, updateAndCreateAclConfig, { accessKey: 'stranger', secretKey: 'x' })
  assert.deepEqual([short.code, /secretKey has 1 characters/.test(short.remark ?? '')], [209, true])
  assert.equal((await ask(admin, deleteAclConfig, { accessKey: 'nobody-here' })).code, 210)
  assert.equal((await ask(admin, deleteAclConfig, { accessKey: 'stranger' })).code, 0)
  assert.match((await ask('stranger', sendMessageV2, sendTo('Other'), body)).remark ?? '', /No acl config/)
  const white = { globalWhiteAddrs: '10.0.0.0-9,*', aclFileFullPath: '/etc/passwd' }
  assert.equal((await ask(admin, updateGlobalWhiteAddrsConfig, white)).code, 211)
  assert.equal((await ask('application', updateGlobalWhiteAddrsConfig, { ...white, aclFileFullPath: '' })).code, 1)
  assert.equal((await ask(admin, updateGlobalWhiteAddrsConfig, { ...white, aclFileFullPath: '' })).code, 0)
  assert.equal((await ask(undefined, sendMessageV2, sendTo('Any'), body)).code, 0)
  assert.equal((await version()).counter, 4)
  await world.stop()
})

test('a broker that is asked for access control does not start without files that read', async () => {
  await assert.rejects(guarded('accounts:\n- accessKey: short\n'), /plain_acl\.yml:2: accessKey has 5 characters/)
  await assert.rejects(new World({ dialect: '4.9', aclEnable: true }).start(), /aclEnable=true takes rocketmqHome/)
})

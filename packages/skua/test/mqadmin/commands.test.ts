import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { entries } from '../../src/command/mqadmin/subcommands.ts'
import { startStandalone } from '../../src/index.ts'
import { mqadmin, type Ran } from './run.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-mqadmin-'))
const skua = await startStandalone({ port: 0, store: 'memory', config: { traceTopicEnable: true } })
const { namesrvAddr } = skua
const b = skua.brokers[0]!.address
const env = { NAMESRV_ADDR: namesrvAddr }
const c = 'DefaultCluster'
const consumer = new PushConsumer({
  namesrvAddr,
  group: 'billing',
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  enableMsgTrace: true,
})
const producer = new Producer({ namesrvAddr, group: 'makers' })
after(async () => {
  await Promise.all([consumer.close(), producer.close()])
  await skua.stop()
  rmSync(home, { recursive: true, force: true })
})

/** Commands that ran and ended with 0, by their names. */
const ran = new Set<string>()

/** Runs it as text, and with --json as a document or a line for each object; both must work. */
async function both(line: string | readonly string[]): Promise<{ text: string; json: never }> {
  const args = typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line
  const plain = await ok(args)
  const { output } = await ok([...args, '--json'])
  return { text: plain.output, json: parsed(output) as never }
}

async function ok(line: string | readonly string[]): Promise<Ran> {
  const done = await mqadmin(line, env)
  assert.equal(done.exitCode, 0, `${line}: ${done.errors}`)
  ran.add((typeof line === 'string' ? line.split(' ') : line)[0]!)
  return done
}

function parsed(output: string): unknown {
  try {
    return JSON.parse(output)
  } catch {
    return output
      .trimEnd()
      .split('\n')
      .map(one => JSON.parse(one))
  }
}

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within 20 s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

const seen: string[] = []
let msgId = ''
let offsetMsgId = ''

test('topics: made, told of, changed', async () => {
  assert.match((await both(`updateTopic -c ${c} -t Orders -r 1 -w 1`)).text, /create topic to 127.*success/)
  await ok(['updateTopic', '--brokerAddr', b, '--topic=Sorted', '-r2', '-w', '2', '--order', 'true'])
  await until('the route', async () => (await mqadmin('topicRoute -t Orders', env)).exitCode === 0)
  const { text, json } = await both('topicRoute -t Orders')
  assert.deepEqual(JSON.parse(text), json)
  assert.deepEqual((json as { queueDatas: unknown[] }).queueDatas, [
    { brokerName: 'broker-a', readQueueNums: 1, writeQueueNums: 1, perm: 6, topicSysFlag: 0 },
  ])
  assert.match((await ok('topicRoute -t Orders -l')).output, /#ClusterName.*\nDefaultCluster +broker-a +0=127/)
  assert.match((await both('topicList')).text, /^Orders$/m)
  assert.match((await ok('topicClusterList -t Orders')).output, /^DefaultCluster$/m)
  assert.match((await both('updateOrderConf -t Sorted -m get')).text, /orderConf=\[broker-a:2\]/)
  await ok('updateOrderConf -t Sorted -m put -v broker-a:3;broker-b:1')
  await ok('updateOrderConf -t Sorted -m delete')
  assert.equal((await mqadmin('updateOrderConf -t Sorted -m get', env)).exitCode, 1)
  assert.match((await both(`updateTopicPerm -c ${c} -t Sorted -p 4`)).text, /from 6 to 4 in|is 4 already/)
  const { result } = (await both('allocateMQ -t Orders -i 10.0.0.1,10.0.0.2')).json as { result: object }
  assert.deepEqual(Object.keys(result), ['10.0.0.1', '10.0.0.2'])
})

test('messages: sent and found', async () => {
  const sent = (await both(['sendMessage', '-t', 'Orders', '-p', '你好 world', '-k', 'k1', '-c', 'A'])).json as {
    msgId: string
    offsetMsgId: string
    sendStatus: string
  }
  assert.equal(sent.sendStatus, 'SEND_OK')
  ;({ msgId, offsetMsgId } = sent)
  await ok('sendMessage -t Orders -p two -b broker-a -i 0')
  await producer.send({ topic: 'Orders', body: 'three' })
  const found = (await both(`queryMsgById -i ${offsetMsgId}`)).json as { messages: { body: string; tracks: [] }[] }
  assert.deepEqual([found.messages[0]?.body, found.messages[0]?.tracks], ['你好 world', []])
  await until('the index', async () => (await ok('queryMsgByKey -t Orders -k k1')).output.includes(msgId))
  assert.match((await both(`queryMsgByUniqueKey -t Orders -i ${msgId}`)).text, /Message Body: +你好 world/)
  assert.match((await both('queryMsgByOffset -t Orders -b broker-a -i 0 -o 2')).text, /Message Body: +two/)
  assert.equal((await ok('printMsg -t Orders')).output.trimEnd().split('\n').length, 4)
  assert.equal((await ok('printMsg -t Orders -s A --json')).output.trimEnd().split('\n').length, 2)
  assert.match((await ok('printMsgByQueue -t Orders -a broker-a -i 0 -f true')).output, /Tag: A +Count: 2/)
  assert.match((await ok('consumeMessage -t Orders -b broker-a -i 0 -o 2 -c 1')).output, /BODY: two\n$/)
  assert.match((await both('queryCq -t Orders -q 0 -i 0 -c 2')).text, /max index 4/)
  const status = (await both('topicStatus -t Orders')).json as { maxOffset: number }[]
  assert.equal(status[0]?.maxOffset, 4)
  const again = await ok(`queryMsgById -i ${offsetMsgId} -s true`)
  assert.match(again.output, /SEND_OK/)
})

test('groups: who consumes, how far it is, and what is wrong', async () => {
  consumer.subscribe('Orders').onMessage(message => {
    seen.push(message.text())
  })
  await consumer.start()
  await until('all are consumed', () => seen.length === 5)
  await until('the commit', async () => /Orders.* 5 +5 +0 /.test((await ok('consumerProgress -g billing')).output))
  const [ofTopic, ofNobody] = [
    await ok('consumerProgress -g billing -t Orders'),
    await mqadmin('consumerProgress -g nobody', env),
  ]
  assert.match(ofTopic.output, /Orders/)
  assert.notEqual(ofNobody.exitCode, 0)
  assert.match(ofNobody.errors, /group nobody is not known: it has no offsets, and nobody of it is online/)
  assert.match((await both('consumerProgress')).text, /^billing +1 +V\w+ +PUSH +CLUSTERING +\d+ +0$/m)
  const client = (await both('consumerProgress -g billing -s true')).json as { queues: { clientId?: string }[] }
  assert.ok(client.queues.every(({ clientId }) => clientId !== undefined))
  const { clients } = (await both('consumerConnection -g billing')).json as { clients: { clientId: string }[] }
  const id = clients[0]!.clientId
  assert.match((await both('consumerStatus -g billing')).text, /Rebalance OK/)
  assert.match((await both(`consumer -g billing -i ${id}`)).text, /#Consumer /)
  ran.add('consumerStatus')
  assert.match((await both('getConsumerStatus -g billing -t Orders')).text, new RegExp(`^${id} +broker-a +0 +5$`, 'm'))
  assert.match((await both('producerConnection -g makers -t Orders')).text, /#ClientId.*\n.*@/)
  assert.match((await both(`producer -b ${b}`)).text, /^makers /m)
  assert.match((await ok('topicList -c')).output, /^DefaultCluster +Orders +billing$/m)
  assert.match((await both(`brokerConsumeStats -b ${b}`)).text, /Diff Total: 0/)
  assert.match((await both('statsAll -t Orders')).text, /^Orders +billing +0 /m)
  assert.match((await ok(`queryMsgByUniqueKey -t Orders -i ${msgId}`)).output, /^billing +CONSUMED/m)
  await ok(`queryMsgByUniqueKey -t Orders -i ${msgId} -g billing -d ${id}`)
  assert.equal(seen.length, 6)
  await until('the trace', async () => (await ok(`queryMsgTraceById -i ${msgId}`)).output.includes('billing'))
  await both(`QueryMsgTraceById -i ${msgId}`)
  assert.equal((await ok('startMonitoring -i 0')).output, '')
})

test('lists of topics and groups, and slaves', async () => {
  const file = join(home, 'list.json')
  const wrong = async (text: string, reason: RegExp) => {
    writeFileSync(file, text)
    const { exitCode, errors } = await mqadmin(`updateTopicList -b ${b} -f ${file}`, env)
    assert.equal(exitCode === 0, false)
    assert.match(errors, reason)
  }
  await wrong('[]', /the list in the file is empty/)
  await wrong('{"topicName":"Listed1"}', /is no JSON list/)
  await wrong('[{"topicName":"Listed1"},{"topicName":"a b"}]', /a b/)
  assert.doesNotMatch((await ok('topicList')).output, /Listed1/)
  writeFileSync(file, '[{"topicName":"Listed1","readQueueNums":2,"writeQueueNums":2},{"topicName":"Listed2"}]')
  assert.match((await both(`updateTopicList -c ${c} -f ${file}`)).text, /submit batch of topic config to 127.* success/)
  assert.match((await ok('topicStatus -t Listed1')).output, /broker-a +1 /)
  assert.match((await ok('topicList')).output, /Listed2/)
  writeFileSync(file, '[{"groupName":"listed","retryMaxTimes":7}]')
  assert.match((await both(`updateSubGroupList -b ${b} -f ${file}`)).text, /submit batch of group config to/)
  assert.match((await ok('getConsumerConfig -g listed')).output, /^retryMaxTimes += {2}7$/m)
  assert.match((await both(`haStatus -b ${b}`)).text, /^#SlaveNum +0\n#InSyncSlaveNum +0\n/m)
})

test('groups: made, reset, cloned, deleted', async () => {
  await both(`updateSubGroup -c ${c} -g made -r 3 -d true`)
  const mode = await both(`setConsumeMode -c ${c} -t Orders -g made -m POP -q 2`)
  assert.match(
    mode.text,
    /set consume mode to 127.*success.\ntopic\[Orders\] group\[made\] consume mode\[POP\] popShareQueueNum\[2\]/,
  )
  const modes = await mqadmin(`setConsumeMode -c ${c} -t Orders -g made -m PUSH`, env)
  assert.deepEqual([modes.exitCode === 0, /PULL or POP/.test(modes.errors)], [false, true])
  assert.notEqual((await mqadmin(`setConsumeMode -b ${b} -t Nowhere -g made -m POP`, env)).exitCode, 0)
  assert.match((await both('getConsumerConfig -g made')).text, /^retryMaxTimes += {2}3$/m)
  assert.match((await both('resetOffsetByTimeOld -g made -t Orders -s 0')).text, /#rollbackOffset\n.* 0$/m)
  assert.match((await ok('resetOffsetByTime -g made -t Orders -s now')).output, /#queueId +#offset\n.* 5$/m)
  await both('skipAccumulatedMessage -g made -t Orders')
  await both('cloneGroupOffset -s billing -d made -t Orders -o true')
  const { planned } = JSON.parse((await ok(`deleteSubGroup -c ${c} -g made -r true --dry-run --json`)).output)
  assert.equal(planned[0].request, 'DELETE_SUBSCRIPTIONGROUP')
  await ok('getConsumerConfig -g made')
  await both(`deleteSubGroup -c ${c} -g made -r true`)
  assert.equal((await mqadmin('getConsumerConfig -g made', env)).exitCode, 1)
  const count = seen.length
  await both('resetOffsetByTime -g billing -t Orders -s 2001-01-01#00:00:00:000')
  await until('all is consumed again', () => seen.length >= count + 5)
})

test('brokers, clusters and name servers', async () => {
  assert.match((await both('clusterList')).text, /^DefaultCluster +broker-a +0 +127\S+ +V5_3_3 /m)
  assert.match((await ok('clusterList -m')).output, /#OutTotalToday/)
  assert.match((await both(`brokerStatus -b ${b}`)).text, /^brokerVersionDesc +: V5_3_3$/m)
  await both(`brokerStatus -c ${c}`)
  await both(`updateBrokerConfig -b ${b} -k fileReservedTime -v 71`)
  assert.match((await both(`getBrokerConfig -c ${c}`)).text, /^fileReservedTime += {2}71$/m)
  for (const name of ['cleanExpiredCQ', 'cleanUnusedTopic', 'deleteExpiredCommitLog'])
    assert.match((await both(`${name} -b ${b}`)).text, /^success/)
  assert.match((await both(`sendMsgStatus -b broker-a -c 2`)).text, /^rt=[\d.]+ms, SEND_OK/)
  assert.match((await both('clusterRT -a 2 -i 0')).text, /broker-a +[\d.]+ +2 +0$/m)
  assert.match((await both('checkMsgSendRT -t Orders -a 3')).text, /Avg RT: /)
  await both('updateKvConfig -s ns -k key -v value')
  await both('deleteKvConfig -s ns -k key')
  assert.match((await both('wipeWritePerm -b broker-a')).text, /wipe write perm of broker\[broker-a\].* OK, \d+/)
  assert.match((await both('addWritePerm -b broker-a')).text, /add write perm/)
  await both('getNamesrvConfig')
  await both('updateNamesrvConfig -k orderMessageEnable -v true')
  for (const [name, file] of [
    ['exportMetadata', 'metadata.json'],
    ['exportConfigs', 'configs.json'],
    ['exportMetrics', 'metrics.json'],
  ] as const) {
    await both(`${name} -c ${c} -f ${home}/out`)
    assert.equal(typeof JSON.parse(readFileSync(join(home, 'out', file), 'utf8')), 'object')
  }
})

test('a topic is deleted, and then it is not found', async () => {
  assert.match((await both(`deleteTopic -t Sorted -c ${c}`)).text, /from NameServer success/)
  const gone = await mqadmin('topicStatus -t Sorted', env)
  assert.deepEqual([gone.exitCode, gone.output], [1, ''])
  assert.match(gone.errors, /topic Sorted does not exist/)
  const clusterless = await mqadmin('deleteTopic -t Orders -c Default', env)
  assert.match(clusterless.errors, /cluster Default is not known/)
  assert.equal((await mqadmin(`queryMsgById -i ${msgId}`, env)).exitCode, 1)
})

test('accounts, and who asks: flags, environment, conf/tools.yml', async () => {
  const root = join(home, 'rocketmq')
  mkdirSync(join(root, 'conf'), { recursive: true })
  const admin = { accessKey: 'operator', secretKey: '12345678' }
  const accounts = `accounts:\n  - accessKey: ${admin.accessKey}\n    secretKey: ${admin.secretKey}\n    admin: true\n`
  writeFileSync(join(root, 'conf', 'plain_acl.yml'), accounts)
  const closed = await startStandalone({ port: 0, store: 'memory', config: { aclEnable: true, rocketmqHome: root } })
  try {
    const at = { NAMESRV_ADDR: closed.namesrvAddr }
    const where = `-c ${c}`
    const refused = await mqadmin(`getBrokerConfig ${where}`, at)
    assert.equal(refused.exitCode, 1)
    assert.match(refused.errors, /give the access key and secret of an account/)
    const signed = { ...at, SKUA_ACCESS_KEY: admin.accessKey, SKUA_SECRET_KEY: admin.secretKey }
    const lines = [
      `getBrokerConfig ${where}`,
      `updateAclConfig ${where} -a another1 -s 87654321 -t T=PUB|SUB,U=DENY -m false`,
      `updateGlobalWhiteAddr ${where} -g 10.1.1.*`,
      `clusterAclConfigVersion ${where}`,
      `deleteAccessConfig ${where} -a another1`,
      `deleteAclConfig ${where} -a another1`,
    ]
    for (const line of lines.slice(0, 5)) {
      const done = await mqadmin(`${line} --json`, signed)
      assert.equal(done.exitCode, 0, `${line}: ${done.errors}`)
      JSON.parse(done.output)
      ran.add(line.split(' ')[0]!)
    }
    assert.equal((await mqadmin(lines[5]!, signed)).exitCode, 1)
    ran.add('deleteAclConfig')
    writeFileSync(join(root, 'conf', 'tools.yml'), `accessKey: ${admin.accessKey}\nsecretKey: ${admin.secretKey}\n`)
    assert.equal((await mqadmin(lines[0]!, { ...at, ROCKETMQ_HOME: root })).exitCode, 0)
    const flags = `--access-key ${admin.accessKey} --secret-key ${admin.secretKey}`
    assert.equal((await mqadmin(`${lines[0]} ${flags}`, at)).exitCode, 0)
    const half = await mqadmin(`${lines[0]} --access-key operator`, at)
    assert.match(half.errors, /belong together/)
  } finally {
    await closed.stop()
  }
})

test('each command was run here', () => {
  const names = new Set([...ran].map(name => name.toLowerCase()))
  assert.deepEqual(
    entries.map(({ name }) => name).filter(name => !names.has(name.toLowerCase())),
    [],
  )
})

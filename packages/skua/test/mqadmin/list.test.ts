import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyLeftOut } from '../../src/command/mqadmin/left-out.ts'
import { entries, findEntry } from '../../src/command/mqadmin/subcommands.ts'
import { mqadmin } from './run.ts'

/** What `mqadmin` of Apache 4.9.8 lists (MQAdminStartup). */
const apache =
  `updateTopic deleteTopic updateSubGroup deleteSubGroup updateBrokerConfig updateTopicPerm topicRoute topicStatus
  topicClusterList brokerStatus queryMsgById queryMsgByKey queryMsgByUniqueKey queryMsgByOffset QueryMsgTraceById printMsg
  printMsgByQueue sendMsgStatus brokerConsumeStats producerConnection consumerConnection consumerProgress consumerStatus
  cloneGroupOffset producer clusterList topicList updateKvConfig deleteKvConfig wipeWritePerm addWritePerm resetOffsetByTime
  skipAccumulatedMessage updateOrderConf cleanExpiredCQ deleteExpiredCommitLog cleanUnusedTopic startMonitoring statsAll
  allocateMQ checkMsgSendRT clusterRT getNamesrvConfig updateNamesrvConfig getBrokerConfig getConsumerConfig queryCq
  sendMessage consumeMessage updateAclConfig deleteAclConfig clusterAclConfigVersion updateGlobalWhiteAddr exportMetadata
  exportConfigs exportMetrics deleteAccessConfig`.split(/\s+/)

test('every command of Apache’s 4.9.8 is there, or is left out for a reason', () => {
  const missing = apache.filter(name => findEntry(name) === undefined && whyLeftOut(name) === undefined)
  assert.deepEqual(missing, [])
})

test('no name stands twice, and none is both there and left out', () => {
  const names = entries.flatMap(({ name, alias }) => [name, ...(alias === undefined ? [] : [alias])])
  assert.equal(new Set(names.map(name => name.toLowerCase())).size, names.length)
  assert.deepEqual(
    names.filter(name => whyLeftOut(name) !== undefined),
    [],
  )
})

test('every command loads, has a help page, and no flag twice', async () => {
  for (const { name, load } of entries) {
    const { flags } = await load()
    const all = Object.values(flags as Record<string, { short: string; long: string }>)
    for (const key of ['short', 'long'] as const)
      assert.equal(new Set(all.map(flag => flag[key])).size, all.length, `${name}: ${key}`)
    const { exitCode, output } = await mqadmin(`help ${name}`)
    assert.equal(exitCode, 0)
    for (const { short, long } of all) assert.ok(output.includes(`-${short}, --${long}`), `${name} --${long}`)
    assert.match(output, /--json/)
  }
})

test('without arguments the commands are listed; help of one is its page', async () => {
  for (const line of ['', 'help', '--help']) {
    const { exitCode, output } = await mqadmin(line)
    assert.equal(exitCode, 0)
    for (const { name, description } of entries) assert.ok(output.includes(name) && output.includes(description), name)
  }
  const page = await mqadmin('topicStatus -h')
  assert.deepEqual([page.exitCode, page.errors], [0, ''])
  assert.match(page.output, /Usage: mqadmin topicStatus/)
})

test('a wrong command line is told, and ends with 2', async () => {
  const wrong: [line: string, told: RegExp][] = [
    ['topicStats', /there is no command topicStats: did you mean topicStatus\?/],
    ['help topicStats', /there is no command topicStats/],
    ['electMaster -c a', /electMaster is not there: there is no controller/],
    ['topicStatus', /required option '-t, --topic <topic>' not specified\n.*See mqadmin help topicStatus/s],
    ['topicStatus -t T --topics', /unknown option '--topics'\n\(Did you mean --topic\?\)/],
    ['topicStatus -t T more', /too many arguments/],
    ['updateTopic -t T -c C -r many', /option '-r, --readQueueNums <n>' argument 'many' is invalid. a whole number/],
    ['updateTopic -t T -c C -o maybe', /true or false is wanted/],
    ['updateTopicPerm -t T -c C -p 9', /2, 4 or 6 is wanted/],
    ['updateTopic -t T', /give a broker \(-b host:port\) or a cluster/],
    ['resetOffsetByTime -g G -t T -s soon', /milliseconds since 1970/],
    ['topicStatus -t T --timeout 0', /invalid/],
    ['updateOrderConf -t T -m set', /put, get or delete is wanted/],
    ['consumeMessage -t T -i 1', /-i needs a broker/],
    ['topicList --dry-run', /unknown option '--dry-run'/],
  ]
  for (const [line, told] of wrong) {
    const { exitCode, errors, output } = await mqadmin(line, { NAMESRV_ADDR: '127.0.0.1:1' })
    assert.match(errors, told, line)
    assert.deepEqual([exitCode, output], [2, ''], line)
  }
})

test('a name server that does not answer, or none at all, is told with what to try, and ends with 1', async () => {
  const dead = await mqadmin('topicList -n 127.0.0.1:1')
  assert.equal(dead.exitCode, 1)
  assert.match(dead.errors, /^mqadmin topicList: no name server answers \(127\.0\.0\.1:1: .*\): check that it runs/)
  const two = await mqadmin('clusterList -n 127.0.0.1:1;127.0.0.1:2')
  assert.match(two.errors, /127\.0\.0\.1:1: .*127\.0\.0\.1:2: /)
  const none = await mqadmin('topicList')
  assert.deepEqual([none.exitCode, none.output], [1, ''])
  assert.match(none.errors, /give -n host:port \(namesrvAddr\), or set NAMESRV_ADDR/)
})

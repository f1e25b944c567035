import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { mqadmin } from '../../../packages/skua/test/mqadmin/run.ts'
import { referenceJars, referenceVersions } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { command, skipWithout } from '../src/toolchain.ts'

/** Words of each line, without the head and whatever stands around the table. */
const rows = (output: string, wanted: RegExp): string[] =>
  output
    .split('\n')
    .filter(line => wanted.test(line))
    .map(line => line.trim().split(/\s+/).join(' '))
    .sort()

for (const version of referenceVersions) {
  test(`mqadmin works with RocketMQ ${version}, and tells what Apache's own tells`, {
    skip: skipWithout('java'),
    timeout: 240_000,
  }, async () => {
    const reference = await startReference({ version })
    const { namesrvAddr, brokerAddr } = reference
    const ours = async (line: string) => {
      const done = await mqadmin(line, { NAMESRV_ADDR: namesrvAddr })
      assert.equal(done.exitCode, 0, `${line}: ${done.errors}`)
      return done.output
    }
    const jars = await referenceJars(version)
    const theirs = (line: string) =>
      command(
        'java',
        [
          `-Duser.home=${reference.dir}`,
          `-Drocketmq.home.dir=${reference.dir}`,
          ...['-cp', `${reference.dir}/conf:${jars}/*`, 'org.apache.rocketmq.tools.command.MQAdminStartup'],
          ...line.split(' '),
          ...['-n', namesrvAddr],
        ],
        { env: { ...process.env, ROCKETMQ_HOME: reference.dir } },
      )
    const producer = new Producer({ namesrvAddr, group: 'makers' })
    const consumer = new PushConsumer({ namesrvAddr, group: 'billing', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
    try {
      await ours('updateTopic -c DefaultCluster -t Orders -r 2 -w 2')
      await known(ours, 'topicRoute -t Orders')
      // 4.9 has no figures in its first ten seconds, and refuses then.
      await known(ours, `brokerStatus -b ${brokerAddr}`)
      const { msgId, offsetMsgId } = await producer.send({ topic: 'Orders', body: 'one', keys: 'k1', tag: 'A' })
      await producer.send({ topic: 'Orders', body: 'two' })
      const consumer = new PushConsumer({
        namesrvAddr,
        group: 'billing',
        consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      })
      let seen = 0
      consumer.subscribe('Orders').onMessage(() => void seen++)
      await consumer.start()
      while (seen < 2) await new Promise(resolve => setTimeout(resolve, 50))
      const lines = [
        'clusterList -m',
        `brokerStatus -b ${brokerAddr}`,
        `brokerConsumeStats -b ${brokerAddr}`,
        'topicList -c',
        'topicRoute -t Orders -l',
        'updateTopicPerm -c DefaultCluster -t Orders -p 6',
        'updateOrderConf -t Orders -m put -v broker-a:2',
        'updateOrderConf -t Orders -m get',
        'updateSubGroup -c DefaultCluster -g made -r 3',
        'getConsumerConfig -g made',
        ...(version.startsWith('4.') ? [] : ['setConsumeMode -c DefaultCluster -t Orders -g made -m POP -q 1']),
        'consumerProgress',
        'consumerProgress -g billing -s true',
        'consumerConnection -g billing',
        'consumerStatus -g billing',
        'producerConnection -g makers -t Orders',
        `producer -b ${brokerAddr}`,
        `queryMsgById -i ${offsetMsgId}`,
        `queryMsgByUniqueKey -t Orders -i ${msgId}`,
        'queryMsgByKey -t Orders -k k1',
        'printMsg -t Orders',
        'consumeMessage -t Orders',
        'sendMessage -t Orders -p three',
        'queryCq -t Orders -q 0 -i 0',
        'statsAll -t Orders',
        `updateBrokerConfig -b ${brokerAddr} -k fileReservedTime -v 71`,
        'updateKvConfig -s n -k k -v v',
        'deleteKvConfig -s n -k k',
        'wipeWritePerm -b broker-a',
        'addWritePerm -b broker-a',
        'getNamesrvConfig',
        `cleanExpiredCQ -b ${brokerAddr}`,
        `cleanUnusedTopic -b ${brokerAddr}`,
        'startMonitoring -i 0',
      ]
      for (const line of lines) await ours(line)
      // 4.9 refuses before its members have committed, which they do every five seconds.
      await known(ours, 'resetOffsetByTime -g billing -t Orders -s now')
      await ours('cloneGroupOffset -s billing -d made -t Orders -o true')
      await ours('skipAccumulatedMessage -g made -t Orders')
      await consumer.close()
      await producer.close()
      // Neither changes any more: both tools must tell the same.
      for (const [line, wanted] of [
        ['topicStatus -t Orders', /^broker-a/],
        ['topicClusterList -t Orders', /^DefaultCluster/],
        [`getBrokerConfig -b ${brokerAddr}`, /^(fileReservedTime|brokerName|listenPort) /],
        ['queryMsgByKey -t Orders -k k1', new RegExp(`^${msgId}`)],
      ] as const)
        assert.deepEqual(rows(await ours(line), wanted), rows(await theirs(line), wanted), line)
      await ours('deleteSubGroup -c DefaultCluster -g made -r true')
      await ours('deleteTopic -c DefaultCluster -t Orders')
      assert.equal((await mqadmin('topicStatus -t Orders', { NAMESRV_ADDR: namesrvAddr })).exitCode, 1)
    } finally {
      await Promise.allSettled([consumer.close(), producer.close()])
      await reference.stop('SIGKILL')
    }
  })
}

/** What a broker or name server knows a moment later. */
async function known(ours: (line: string) => Promise<string>, line: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await ours(line)
      return
    } catch (error) {
      if (tries > 150) throw error
      await new Promise(resolve => setTimeout(resolve, 200))
    }
  }
}

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResponseCode, sendMessageV2 } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { BrokerGroup } from './broker-group.ts'
import { Etcd, withoutEtcd } from './etcd.ts'

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

for (const brokerRole of ['ASYNC_MASTER', 'SYNC_MASTER'])
  test(`${brokerRole}: one that stood still until its successor had begun answers nothing with 0 that had come meanwhile`, {
    skip: withoutEtcd() ?? false,
    timeout: 60_000,
  }, async t => {
    const etcd = await Etcd.start()
    t.after(() => etcd.stop())
    const plan = { endpoint: etcd.endpoint, names: { a: 2 }, nameServers: 1 }
    const group = await BrokerGroup.make({
      ...plan,
      further: { brokerRole, failoverLeaseTime: 2000, failoverMarginTime: 300 },
    })
    t.after(() => group.end())
    await group.start()
    const master = await group.master('a', 2)
    const client = new RemotingClient(nodeRuntime())
    t.after(() => client.close())
    const send = () => {
      const header = {
        ...{ producerGroup: 'p', topic: 'T', defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0, sysFlag: 0 },
        ...{ bornTimestamp: Date.now(), flag: 0, properties: '', reconsumeTimes: 0, unitMode: false, batch: false },
      }
      return client.request(master.address, sendMessageV2, header, {
        body: Buffer.from('m'),
        timeoutMs: 30_000,
      })
    }
    assert.equal((await send()).code, ResponseCode.success)
    const { child } = master.process!
    child.kill('SIGSTOP')
    const other = group.members.find(member => member !== master)!
    while ((await group.told(other))?.role === 'SLAVE') await sleep(50)
    const late = Array.from({ length: 20 }, send)
    await sleep(200)
    child.kill('SIGCONT')
    const answers = await Promise.all(late)
    assert.deepEqual(
      answers.filter(({ code }) => code === ResponseCode.success),
      [],
    )
  })

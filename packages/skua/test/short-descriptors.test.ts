import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { sendMessageV2 } from '@skua-mq/protocol'
import { pause } from './abuse/case.ts'
import { Target } from './abuse/target.ts'

const ways: { name: string; port: (ports: Target['ports']) => number }[] = [
  { name: 'the name server', port: ({ nameServer }) => nameServer },
  { name: 'the port of the slaves', port: ({ broker }) => broker + 1 },
  { name: 'both ports of the broker', port: ({ broker }) => broker - 2 },
]

for (const { name, port } of ways)
  test(`a crowd at ${name} takes no descriptor from the store`, {
    skip: !existsSync('/proc/self/status'),
  }, async () => {
    const target = await Target.start({ descriptors: 150 })
    try {
      const send = async (topic: string) => {
        const header = {
          ...{ producerGroup: 'p', topic, defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0, sysFlag: 0 },
          ...{ bornTimestamp: 1, flag: 0, properties: '', reconsumeTimes: 0, unitMode: false, batch: false },
        }
        return target.client.request(target.address, sendMessageV2, header, { body: Buffer.from('x') })
      }
      assert.equal((await send('before')).code, 0)
      await Promise.all([target.openAll(200, port(target.ports)), name.startsWith('both') && target.openAll(200)])
      // Each needs files of its own, and a new topics.json.
      for (let n = 0; n < 20; n++) {
        const { code, remark } = await send(`T${n}`)
        assert.equal(code, 0, `${n}: ${remark}`)
      }
      await pause(1500)
      assert.equal((await send('behind')).code, 0)
      assert.doesNotMatch(target.errors, /EMFILE/)
    } finally {
      assert.equal(await target.stop(), 0, target.errors)
    }
  })

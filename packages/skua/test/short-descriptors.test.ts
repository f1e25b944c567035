import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { putKvConfig, sendMessageV2 } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { pause } from './abuse/case.ts'
import { Target } from './abuse/target.ts'
import { bundle, ServerProcess } from './server-process.ts'

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
      // With files, connections and what Node itself has open: far from the end of them.
      assert.ok(target.descriptors < 120, `${target.descriptors} of 150`)
      assert.doesNotMatch(target.errors, /EMFILE/)
    } finally {
      assert.equal(await target.stop(), 0, target.errors)
    }
  })

test('a crowd at a name server alone leaves it the descriptors for its file', {
  skip: !existsSync('/proc/self/status'),
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'skua-names-'))
  const { nameServer: port } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const file = join(directory, 'namesrv.conf')
  writeFileSync(file, `listenPort=${port}\nbindAddress=127.0.0.1\nkvConfigPath=${join(directory, 'kvConfig.json')}\n`)
  const flags = [bundle, 'nameserver', '-c', file]
  const server = new ServerProcess('sh', ['-c', 'ulimit -n 100 && exec "$0" "$@"', process.execPath, ...flags])
  const client = new RemotingClient(nodeRuntime())
  const crowd: Socket[] = []
  const put = async (key: string) =>
    client.request(`127.0.0.1:${port}`, putKvConfig, { namespace: 'n', key, value: 'v' })
  try {
    await server.says(/boot success/)
    assert.equal((await put('before')).code, 0)
    for (let n = 0; n < 150; n++) crowd.push(connect({ host: '127.0.0.1', port }).on('error', () => {}))
    await pause(1500)
    const { code, remark } = await put('beside')
    assert.equal(code, 0, remark)
  } finally {
    for (const one of crowd) one.destroy()
    await client.close()
    await server.signal('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  }
})

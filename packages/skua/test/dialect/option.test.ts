import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerOptions } from '@skua-mq/broker'
import { nameServerOptions } from '@skua-mq/nameserver'
import { type DialectName, getBrokerClusterInfo, getBrokerRuntimeInfo, updateBrokerConfig } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { EventHub, nodeRuntime, readOptions } from '@skua-mq/runtime'
import { startBroker } from '@skua-mq/testing'
import { type Standalone, startStandalone } from 'skua'

const start = (dialect: DialectName) => startStandalone({ port: 0, store: 'memory', config: { dialect } })

test('two brokers of one process speak different dialects, each with its name server', async () => {
  const client = new RemotingClient(nodeRuntime(new EventHub()))
  const versions = async ({ brokers, namesrvAddr }: Standalone) => [
    (await client.request(brokers[0]!.address, getBrokerRuntimeInfo, {})).version,
    (await client.request(namesrvAddr, getBrokerClusterInfo, {})).version,
  ]
  const [old, young] = await Promise.all([start('4.9'), start('5.3')])
  try {
    assert.deepEqual(await versions(old), [409, 409])
    assert.deepEqual(await versions(young), [479, 479])
    assert.deepEqual(await versions(old), [409, 409])
  } finally {
    await client.close()
    await Promise.all([old.stop(), young.stop()])
  }
})

test('without the key it is 5.3', async () => {
  for (const table of [brokerOptions, nameServerOptions])
    assert.equal(readOptions(table as typeof nameServerOptions, []).config.dialect, '5.3')
})

test('another name is refused with the one that was meant, in files and by programs', async () => {
  for (const [given, meant] of [
    ['5.3.3', '5.3'],
    ['5.2', '5.3'],
    ['4.9.8', '4.9'],
    ['5', '5.3'],
  ]) {
    const remark = new RegExp(`dialect is "${given}" and must be 4.9 or 5.3; did you mean ${meant}\\?`)
    const entries = [{ key: 'dialect', value: given!, line: 3 }]
    assert.throws(() => readOptions(brokerOptions, entries, { file: 'broker.conf' }), remark)
    assert.throws(() => readOptions(nameServerOptions, entries, { file: 'namesrv.conf' }), remark)
    await assert.rejects(start(given as DialectName), remark)
    await assert.rejects(startBroker({ config: { dialect: given as DialectName } }), remark)
  }
})

test('nobody changes it while the broker runs', async () => {
  const skua = await start('4.9')
  const client = new RemotingClient(nodeRuntime(new EventHub()))
  const body = Buffer.from('dialect=5.3\n')
  const { code, remark } = await client.request(skua.brokers[0]!.address, updateBrokerConfig, {}, { body })
  assert.equal(code, 1)
  assert.match(remark ?? '', /dialect/)
  await client.close()
  await skua.stop()
})

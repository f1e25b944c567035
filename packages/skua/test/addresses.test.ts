import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { getBrokerClusterInfo } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { startStandalone } from '../src/index.ts'

const hasIpv6 = Object.values(networkInterfaces()).some(entries => entries?.some(({ address }) => address === '::1'))

/** What a client at `host` is told of the broker. */
async function told(host: string, namesrvAddr: string): Promise<string | undefined> {
  const client = new RemotingClient(nodeRuntime())
  try {
    const port = namesrvAddr.slice(namesrvAddr.lastIndexOf(':') + 1)
    const { body } = await client.request(`${host}:${port}`, getBrokerClusterInfo, {})
    return getBrokerClusterInfo.replyBody!.decode(body!).brokerAddrTable.get('broker-a')?.brokerAddrs.get(0)
  } finally {
    await client.close()
  }
}

test('a server on every address tells one that can be reached, and loopback is told loopback', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory', host: '0.0.0.0' })
  try {
    for (const address of [skua.namesrvAddr, skua.brokers[0]!.address])
      assert.doesNotMatch(address, /^(0\.0\.0\.0|::)?:/)
    assert.match((await told('127.0.0.1', skua.namesrvAddr)) ?? '', /^127\.0\.0\.1:\d+$/)
    // Both families.
    if (hasIpv6) assert.match((await told('::1', skua.namesrvAddr)) ?? '', /^::1:\d+$/)
  } finally {
    await skua.stop()
  }
})

test('a broker may be told to clients by a host name', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory', config: { brokerIP1: 'localhost' } })
  try {
    assert.match(skua.brokers[0]!.address, /^localhost:\d+$/)
  } finally {
    await skua.stop()
  }
  await assert.rejects(startStandalone({ port: 0, store: 'memory', config: { brokerIP1: 'no host' } }), /brokerIP1/)
})

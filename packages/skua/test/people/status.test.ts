import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { registerBroker } from '@skua-mq/protocol'
import { nodeRuntime } from '@skua-mq/runtime'
import { commonest } from '../../src/command/people/help.ts'
import { roleText, type Status } from '../../src/command/people/status.ts'
import { freePorts, startStandalone } from '../../src/index.ts'
import { repository, ServerProcess } from '../server-process.ts'
import { asJson, people, until } from './run.ts'

test('status: brokers, topics, groups, what waits; a broker that is gone is named, exit code 1', async () => {
  const skua = await startStandalone({ port: 0, store: 'memory' })
  const { namesrvAddr } = skua
  const producer = new Producer({ namesrvAddr, group: 'makers' })
  const consumer = new PushConsumer({ namesrvAddr, group: 'g', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  const session = connect({ namesrvAddr })
  try {
    let got = 0
    await producer.send({ topic: 'One', body: '1' })
    await producer.send({ topic: 'Two', body: '2' })
    consumer.subscribe('One').onMessage(() => void got++)
    await consumer.start()
    await until('it has the message', () => got === 1)
    await consumer.close()
    // Into the queue in which the group stands, too.
    for (let i = 0; i < 8; i++) await producer.send({ topic: 'One', body: 'more' })
    const all = await asJson<Status>('status', namesrvAddr)
    assert.deepEqual([all.topics, all.groups, all.lag], [2, { all: 1, online: 0 }, 8])
    assert.deepEqual(all.nameServers, [{ address: namesrvAddr }])
    assert.match(all.brokers[0]!.version, /^V\d/)
    const { output, exitCode } = await people('status', namesrvAddr)
    assert.equal(exitCode, 0)
    assert.match(output, new RegExp(`^DefaultCluster +broker-a +master +${skua.brokers[0]!.address} +V`, 'm'))
    assert.match(output, /^2 topics, 1 groups \(0 online\), 8 messages waiting$/m)
    const gone = `127.0.0.1:${(await freePorts(nodeRuntime().net, '127.0.0.1')).broker}`
    const told = { brokerName: 'broker-b', brokerAddr: gone, clusterName: 'DefaultCluster', brokerId: 1 }
    const header = { ...told, haServerAddr: gone, compressed: false, bodyCrc32: 0 }
    await session.askNameServer({ spec: registerBroker, header })
    const half = await people('status', namesrvAddr)
    assert.equal(half.exitCode, 1)
    assert.match(half.output, new RegExp(`broker-b +slave 1 +${gone} +does not answer`))
    assert.match(half.errors, new RegExp(`${gone} failed: .*check that it runs`))
  } finally {
    await Promise.all([session.close(), producer.close(), consumer.close()])
    await skua.stop()
  }
})

test('the built command: --version is that of package.json, help begins with the ten that matter', async () => {
  const manifest = JSON.parse(readFileSync(join(repository, 'packages', 'skua', 'package.json'), 'utf8'))
  const version = ServerProcess.skua(['--version'])
  assert.equal(await version.exit(), 0, version.errors)
  assert.equal(version.output, `${manifest.version}\n`)
  const help = ServerProcess.skua(['help'])
  assert.equal(await help.exit(), 0, help.errors)
  const listed = help.output.slice(help.output.indexOf('First of all:')).split('\n').slice(1)
  const names = listed.map(line => /^ {2}(\w+)/.exec(line)?.[1]).filter(name => name !== undefined)
  assert.equal(commonest.length, 10)
  assert.deepEqual(names.slice(0, 10), commonest)
  assert.ok(names.includes('mqadmin') && names.includes('clients'))
})

test('the built command: a wrong command line is exit code 1, also of a command below another', async () => {
  for (const args of [
    ['lag', 'a', 'b'],
    ['offsets', 'reset', 'g'],
    ['dlq', 'resend', 'g', '--all', '--rate', 'fast'],
  ]) {
    const wrong = ServerProcess.skua(args)
    assert.equal(await wrong.exit(), 1, args.join(' '))
    assert.match(wrong.errors, /^error: /)
  }
})

test('status: a slave that takes the log of its master from the beginning says how far it is', () => {
  const slave = { role: 'slave', brokerId: 1, election: null } as const
  assert.equal(roleText({ ...slave, copied: 0.345 }), 'slave 1, copying: 34 %')
  assert.equal(roleText({ ...slave, copied: null }), 'slave 1')
  const master = { role: 'master', brokerId: 0, copied: null } as const
  assert.equal(roleText({ ...master, election: null }), 'master')
  assert.equal(roleText({ ...master, election: 'holds the lease, 3 in sync' }), 'master, holds the lease, 3 in sync')
})

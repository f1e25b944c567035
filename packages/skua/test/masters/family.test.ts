import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readOptions } from '@skua-mq/runtime'
import { argumentsOf } from '../../src/command/masters.ts'
import { memberPlace } from '../../src/command/member.ts'
import { type FamilyConfig, familyNames, familyOf, portsOfFamily } from '../../src/masters/family.ts'
import { familyText } from '../../src/masters/family-text.ts'
import { impossibleInFamily } from '../../src/masters/impossible-family.ts'
import { masterOptions } from '../../src/masters/options.ts'

const first: FamilyConfig = {
  ...{ brokerName: 'broker-a', listenPort: 10911, storePathRootDir: '/data', storePathCommitLog: '' },
  ...{ metricsExporterType: 'PROM', metricsPromExporterPort: 5557, grpcServerPort: 8081, dashboardPort: 8090 },
}
const alone = { haMasterAddress: '' }

test('the first broker of a family is the broker that there was', () => {
  const [same, ...others] = familyOf(first, 1)
  assert.deepEqual(same, { index: 0, ...first })
  assert.deepEqual(others, [])
  assert.deepEqual(familyOf(first, 3)[0], same)
})

test('each further one has name, ports and directory of its own; gRPC and the dashboard are served once', () => {
  const [, second, third] = familyOf(first, 3)
  assert.deepEqual(second, {
    ...{ index: 1, brokerName: 'broker-a-1', listenPort: 10921, storePathRootDir: '/data/masters/1' },
    ...{ storePathCommitLog: '', metricsExporterType: 'PROM', metricsPromExporterPort: 5558 },
    ...{ grpcServerPort: 0, dashboardPort: 0 },
  })
  assert.deepEqual(
    [third!.brokerName, third!.listenPort, third!.storePathRootDir, third!.metricsPromExporterPort],
    ['broker-a-2', 10931, '/data/masters/2', 5559],
  )
  const elsewhere = familyOf({ ...first, storePathCommitLog: '/log', metricsPromExporterPort: 0 }, 2)[1]!
  assert.equal(elsewhere.storePathCommitLog, '/log-1')
  assert.equal(elsewhere.metricsPromExporterPort, 0)
})

test('who knows its own name and place knows all names', () => {
  assert.deepEqual(familyNames('broker-a', { index: 0, count: 3 }), ['broker-a', 'broker-a-1', 'broker-a-2'])
  assert.deepEqual(familyNames('broker-a-2', { index: 2, count: 3 }), ['broker-a', 'broker-a-1', 'broker-a-2'])
  assert.deepEqual(familyNames('x-1', { index: 0, count: 2 }), ['x-1', 'x-1-1'])
})

test('no two brokers of 64 listen at one port, and each port is named', () => {
  const ports = portsOfFamily(familyOf({ ...first, listenPort: 20_000 }, 64)).map(({ port }) => port)
  assert.equal(new Set(ports).size, ports.length)
  assert.equal(ports.length, 64 * 4 + 2)
  const three = portsOfFamily(familyOf(first, 2)).map(
    ({ port, member, what }) => `${member.brokerName} ${what} ${port}`,
  )
  assert.ok(three.includes('broker-a-1 slaves (listenPort + 1) 10922'), three.join())
  assert.ok(three.includes('broker-a gRPC 8081'), three.join())
})

test('a family is refused where two of it would take one port, or one that there is not, with the key', () => {
  const refused = (changes: Partial<FamilyConfig>, count = 3) =>
    impossibleInFamily(alone, familyOf({ ...first, ...changes }, count))
  assert.equal(refused({}), undefined)
  const metrics = refused({ metricsPromExporterPort: 10920 })
  assert.equal(metrics?.key, 'metricsPromExporterPort')
  assert.match(
    metrics!.remark,
    /port 10921 is that of broker-a-1 for clients \(listenPort\) and of broker-a-1 for \/metrics/,
  )
  const grpc = refused({ grpcServerPort: 10921 })
  assert.match(grpc!.remark, /port 10921 is that of broker-a for gRPC and of broker-a-1 for clients/)
  const beyond = refused({ listenPort: 65_520 })
  assert.equal(beyond?.key, 'listenPort')
  assert.match(beyond!.remark, /65535 is the last one/)
  assert.equal(refused({ listenPort: 65_520 }, 1), undefined)
})

test('a family has no haMasterAddress: each finds the master of its name', () => {
  const told = { haMasterAddress: 'other:10912' }
  assert.equal(impossibleInFamily(told, familyOf(first, 2))?.key, 'haMasterAddress')
  assert.equal(impossibleInFamily(told, familyOf(first, 1)), undefined)
})

test('masters of broker.conf is a number from 1 to 64, 1 unless it is said', () => {
  const read = (value: string) => readOptions(masterOptions, [{ key: 'masters', value }]).config.masters
  assert.equal(readOptions(masterOptions, []).config.masters, 1)
  assert.equal(read('64'), 64)
  for (const wrong of ['0', '65', '-1', 'two', '1.5']) assert.throws(() => read(wrong), /masters is/)
})

test('a broker is started with what was said, over it what is its own, and its place', () => {
  const command = {
    ...{ configFile: 'b.conf', logDir: '/logs', logJson: true },
    further: [{ key: 'namesrvAddr', value: 'n:9876', source: '-n' }],
  }
  const args = argumentsOf(familyOf(first, 2)[1]!, { command, count: 2 })
  assert.deepEqual(args.slice(0, 3), ['broker', '-c', 'b.conf'])
  const said = args.filter((_, at) => args[at - 1] === '--config')
  assert.equal(said[0], 'namesrvAddr=n:9876')
  for (const own of [
    'brokerName=broker-a-1',
    'listenPort=10921',
    'storePathRootDir=/data/masters/1',
    'grpcServerPort=0',
  ])
    assert.ok(said.includes(own), own)
  assert.deepEqual(args.slice(-5), ['--log-dir', '/logs', '--log-json', '--member', '1/2'])
  assert.deepEqual(memberPlace('1/2'), { index: 1, count: 2 })
  for (const wrong of ['2/2', '1', 'a/b', '0/0', '-1/2']) assert.throws(() => memberPlace(wrong), /INDEX\/COUNT/)
})

test('where each one is said: ports, directories, and what is served beside it', () => {
  const text = familyText(familyOf(first, 2))
  assert.match(text, /^2 masters of the family broker-a:$/m)
  assert.match(text, /^ {2}broker-a {4}port 10911, metrics 5557, gRPC 8081, dashboard 8090, store \/data$/m)
  assert.match(text, /^ {2}broker-a-1 {2}port 10921, metrics 5558, store \/data\/masters\/1$/m)
})

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Broker } from '@skua-mq/broker'
import { EventHub, simRuntime } from '@skua-mq/runtime'
import { readBrokerConfig } from '../src/command/broker-config.ts'
import { ServerProcess } from './server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-values-'))
after(() => rmSync(home, { recursive: true, force: true }))
const file = join(home, 'broker.conf')

function read(text: string, { env = {}, further = [] as { key: string; value: string; source: string }[] } = {}) {
  writeFileSync(file, text)
  return readBrokerConfig({ file, env, further })
}

/** The text of a file, the line that is named, and what is said of it. Each in one line, with what is wanted. */
const wrong: readonly (readonly [text: string, line: number, said: string])[] = [
  ['deleteWhen=25', 1, 'deleteWhen is "25" and must be hours of the day from 0 to 23, joined by ;'],
  ['deleteWhen=4;30', 1, 'deleteWhen is "4;30" and must be hours of the day from 0 to 23, joined by ;'],
  ['deleteWhen=4 am', 1, 'deleteWhen is "4 am" and must be hours of the day from 0 to 23, joined by ;'],
  ['deleteWhen=', 1, 'deleteWhen is "" and must be hours of the day from 0 to 23, joined by ;'],
  ['brokerIP1=999.1.1.1', 1, 'brokerIP1 is "999.1.1.1" and must be an IP address or a host name'],
  ['brokerIP1=10.0.0', 1, 'brokerIP1 is "10.0.0" and must be an IP address or a host name'],
  ['brokerIP2=a b', 1, 'brokerIP2 is "a b" and must be an IP address or a host name'],
  ['brokerRole=MASTER', 1, 'brokerRole is "MASTER" and must be ASYNC_MASTER or SYNC_MASTER or SLAVE'],
  ['flushDiskType=SYNC', 1, 'flushDiskType is "SYNC" and must be ASYNC_FLUSH or SYNC_FLUSH; did you mean SYNC_FLUSH?'],
  ['diskMaxUsedSpaceRatio=0', 1, 'diskMaxUsedSpaceRatio is "0" and must be a whole number from 10 to 100, in percent'],
  [
    'diskMaxUsedSpaceRatio=101',
    1,
    'diskMaxUsedSpaceRatio is "101" and must be a whole number from 10 to 100, in percent',
  ],
  [
    'diskMaxUsedSpaceRatio=75%',
    1,
    'diskMaxUsedSpaceRatio is "75%" and must be a whole number from 10 to 100, in percent and without a unit: 75',
  ],
  ['brokerId=-1', 1, 'brokerId is "-1" and must be a whole number of at least 0'],
  ['# mine\n\nbrokerId = 1.5', 3, 'brokerId is "1.5" and must be a whole number of at least 0'],
  ['brokerRole=SLAVE\nbrokerId=0', 2, 'brokerRole=SLAVE: brokerId=0 is that of a master, a slave has one above 0'],
  [
    'failoverEndpoints=http://skua:secret@etcd:2379',
    1,
    'failoverEndpoints must be http://host:port or https://host:port without a user: that is failoverUser and failoverPasswordFile',
  ],
  ['failoverEndpoints=etcd:2379', 1, 'failoverEndpoints=etcd:2379 must be http://host:port or https://host:port'],
  [
    'failoverEndpoints=http://a:1\nfailoverUser=skua',
    2,
    'failoverUser and failoverPasswordFile belong together: failoverPasswordFile is missing',
  ],
  [
    'failoverEndpoints=http://a:1\nfailoverPasswordFile=/p',
    2,
    'failoverUser and failoverPasswordFile belong together: failoverUser is missing',
  ],
  [
    'failoverEndpoints=https://a:1\nfailoverCertFile=/c',
    2,
    'failoverCertFile and failoverKeyFile belong together: failoverKeyFile is missing',
  ],
  [
    'failoverEndpoints=https://a:1,http://b:2\nfailoverCaFile=/c',
    2,
    'failoverCaFile is for https://host:port, and http://b:2 of failoverEndpoints is not encrypted',
  ],
  ['maxMessageSize=-1', 1, 'maxMessageSize is "-1" and must be a whole number from 1 to 134217728, in bytes'],
  [
    'mappedFileSizeCommitLog=1G',
    1,
    'mappedFileSizeCommitLog is "1G" and must be a whole number of at least 4096, in bytes and without a unit: 1073741824',
  ],
  [
    'mappedFileSizeCommitLog=1024*1024*1024',
    1,
    'mappedFileSizeCommitLog is "1024*1024*1024" and must be a whole number of at least 4096, in bytes',
  ],
  [
    'fileReservedTime=3d',
    1,
    'fileReservedTime is "3d" and must be a whole number of at least 0, in hours and without a unit: 72',
  ],
  [
    'flushIntervalCommitLog=5s',
    1,
    'flushIntervalCommitLog is "5s" and must be a whole number of at least 1, in milliseconds and without a unit: 5000',
  ],
  ['autoCreateTopicEnable=yes', 1, 'autoCreateTopicEnable is "yes" and must be true or false'],
  ['aclEnable=1', 1, 'aclEnable is "1" and must be true or false'],
  ['brokerPermission=8', 1, 'brokerPermission is "8" and must be a whole number from 0 to 7'],
  ['brokerName=my broker', 1, 'brokerName is "my broker" and must be one word'],
  ['listenPort=99999', 1, 'listenPort is "99999" and must be a whole number from 3 to 65534'],
  ['listenPort=2', 1, 'listenPort is "2" and must be a whole number from 3 to 65534'],
  ['namesrvAddr=localhost', 1, 'namesrvAddr is "localhost" and must be host:port, joined by ;'],
  [
    'namesrvAddr=10.0.0.1:9876;10.0.0.2',
    1,
    'namesrvAddr is "10.0.0.1:9876;10.0.0.2" and must be host:port, joined by ;',
  ],
  [
    'namesrvAddr=10.0.0.1:9876,10.0.0.2:9876',
    1,
    'namesrvAddr is "10.0.0.1:9876,10.0.0.2:9876" and must be host:port, joined by ;',
  ],
  ['haMasterAddress=10.0.0.1', 1, 'haMasterAddress is "10.0.0.1" and must be host:port'],
  [
    'listenPort=6000\nmetricsExporterType=PROM\nmetricsPromExporterPort=5998',
    3,
    'metricsPromExporterPort=5998 is the port of clients (listenPort - 2): listenPort is 6000',
  ],
  [
    'metricsExporterType=PROM\nmetricsPromExporterPort=10912',
    2,
    'metricsPromExporterPort=10912 is the port of slaves (listenPort + 1): listenPort is 10911',
  ],
  [
    'messageDelayLevel=1s 5 10x',
    1,
    'messageDelayLevel is "1s 5 10x" and must be delays like 1s, 5m, 2h or 1d with a blank between',
  ],
  ['logLevel=verbose', 1, 'logLevel is "verbose" and must be debug or info or warn or error'],
  ['storeType=defaultRocksDB', 1, 'storeType is "defaultRocksDB" and must be default: queues are kept in files'],
  [
    'enableDLegerCommitLog=true',
    1,
    'enableDLegerCommitLog is "true" and must be false: DLedger is not there: nothing would be replicated',
  ],
  ['tls.server.mode=on', 1, 'tls.server.mode is "on" and must be disabled or permissive or enforcing'],
]

for (const [text, line, said] of wrong) {
  test(`refused with file, line, key and what is wanted: ${text.replaceAll('\n', ' ⏎ ')}`, () => {
    assert.throws(
      () => read(text),
      (error: Error) => {
        assert.equal(error.message, `${file}:${line}: ${said}`)
        return true
      },
    )
  })
}

test('a line without a key, a malformed escape and a file that is none name their line', () => {
  for (const [text, said] of [
    ['brokerId=0\nnonsense', 'line 2: no "=" after "nonsense"'],
    ['a=\\u12', 'line 1: malformed escape \\u12'],
    ['a=1\nb=\0', 'line 2: not a text file'],
  ] as const)
    assert.throws(() => read(text), { message: `${file}: ${said}` })
})

test('the environment and flags are named in place of a file', () => {
  const flag = (source: string, key: string, value: string) => ({ further: [{ key, value, source }] })
  assert.throws(() => read('brokerId=0', { env: { SKUA_FILE_RESERVED_TIME: 'soon' } }), {
    message: 'SKUA_FILE_RESERVED_TIME: fileReservedTime is "soon" and must be a whole number of at least 0, in hours',
  })
  assert.throws(() => read('', flag('-n', 'namesrvAddr', 'localhost')), {
    message: '-n: namesrvAddr is "localhost" and must be host:port, joined by ;',
  })
  // The one that wins is named.
  const both = 'brokerRole=SLAVE\nbrokerId=1'
  assert.throws(() => read(both, { env: { SKUA_brokerId: '0' } }), /^OptionError: SKUA_brokerId: brokerRole=SLAVE/)
  assert.equal(read('brokerId=-1', { env: { SKUA_brokerId: '3' } }).config.brokerId, 3)
})

/** The values that Apache's configuration files have (distribution/conf of 4.9.8, DLedger's apart). */
const apache: Record<string, Record<string, string>> = {
  'broker.conf': { brokerName: 'broker-a', brokerId: '0', brokerRole: 'ASYNC_MASTER' },
  '2m-2s-async/broker-a-s.properties': { brokerName: 'broker-a', brokerId: '1', brokerRole: 'SLAVE' },
  '2m-2s-async/broker-b.properties': { brokerName: 'broker-b', brokerId: '0', brokerRole: 'ASYNC_MASTER' },
  '2m-2s-sync/broker-a.properties': { brokerName: 'broker-a', brokerId: '0', brokerRole: 'SYNC_MASTER' },
  '2m-noslave/broker-trace.properties': { brokerName: 'broker-trace', brokerId: '0', brokerRole: 'ASYNC_MASTER' },
}
const inAll = {
  brokerClusterName: 'DefaultCluster',
  deleteWhen: '04',
  fileReservedTime: '48',
  flushDiskType: 'ASYNC_FLUSH',
}

for (const [name, values] of Object.entries(apache)) {
  test(`Apache’s ${name} starts a broker`, async () => {
    const text = Object.entries({ ...inAll, ...values }).map(([key, value]) => `${key} = ${value}\n`)
    const { config } = read(text.join(''))
    const runtime = simRuntime({ seed: 1, host: 'broker', events: new EventHub() })
    const facts = { pid: 1, bootId: 'boot', startedAt: () => undefined, lockHolder: () => undefined }
    const broker = new Broker({
      config: { ...config, storePathRootDir: '/store' },
      runtime,
      facts,
      totalMemoryBytes: 2 ** 30,
    })
    await runtime.clock.until(broker.start())
    await runtime.clock.until(broker.stop())
  })
}

test('values that are unusual and work are taken', () => {
  const text = `namesrvAddr=10.0.0.1:9876;[2001:db8::1]:9876;names.example.org:9876;
brokerIP1=2001:db8::7
deleteWhen=2;14
diskMaxUsedSpaceRatio=99
autoCreateTopicEnable=FALSE
messageDelayLevel=1s 5s 2h 1d
haListenPort=20000
haMasterAddress=master_1:10912
`
  assert.equal(read(text).config.autoCreateTopicEnable, false)
})

test('a process says it in one line and ends with 1; an unknown key it only tells of', async () => {
  writeFileSync(file, 'deleteWhen=25\n')
  const refused = ServerProcess.skua(['broker', '-c', file])
  assert.equal(await refused.exit(), 1)
  assert.equal(
    refused.errors,
    `skua: ${file}:1: deleteWhen is "25" and must be hours of the day from 0 to 23, joined by ;\n`,
  )
  writeFileSync(file, 'flushDiskTyp=SYNC_FLUSH\n')
  const told = ServerProcess.skua(['broker', '-p', '-c', file])
  assert.equal(await told.exit(), 0)
  assert.equal(told.errors, `${file}:1: unknown key flushDiskTyp; did you mean flushDiskType?\n`)
})

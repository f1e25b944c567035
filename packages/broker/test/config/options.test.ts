import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configOf, describeOptions, readOptions, readProperties } from '@skua-mq/runtime'
import { storeOptions } from '@skua-mq/store'
import { brokerOptions } from '../../src/config/options.ts'

test("the defaults are RocketMQ's, of 5.3 where there is a choice", () => {
  const config = configOf(brokerOptions)
  const expected = {
    brokerClusterName: 'DefaultCluster',
    brokerId: 0,
    brokerRole: 'ASYNC_MASTER',
    flushDiskType: 'ASYNC_FLUSH',
    listenPort: 10911,
    brokerPermission: 6,
    mappedFileSizeCommitLog: 1_073_741_824,
    mappedFileSizeConsumeQueue: 6_000_000,
    maxMessageSize: 4_194_304,
    deleteWhen: '04',
    fileReservedTime: 72,
    autoCreateTopicEnable: true,
    autoCreateSubscriptionGroup: true,
    defaultTopicQueueNums: 8,
    enablePropertyFilter: false,
    longPollingEnable: true,
    shortPollingTimeMills: 1000,
    flushConsumerOffsetInterval: 5000,
    registerNameServerPeriod: 30_000,
    registerBrokerTimeoutMills: 6000,
    transactionTimeOut: 6000,
    transactionCheckMax: 15,
    transactionCheckInterval: 30_000,
    dialect: '5.3',
    slaveReadEnable: false,
    traceTopicEnable: false,
    msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
    regionId: 'DefaultRegion',
    filterServerNums: 0,
  } as const
  assert.deepEqual(
    Object.fromEntries(Object.keys(expected).map(key => [key, config[key as keyof typeof config]])),
    expected,
  )
  assert.equal(configOf(brokerOptions, { dialect: '4.9' }).transactionCheckInterval, 60_000)
})

test("every option of the store is one of the broker's", () => {
  for (const key of Object.keys(storeOptions)) assert.ok(key in brokerOptions, key)
})

test('the usual broker.conf is read without a report', () => {
  const text = `brokerClusterName = DefaultCluster
brokerName = broker-a
brokerId = 0
deleteWhen = 04
fileReservedTime = 48
brokerRole = ASYNC_MASTER
flushDiskType = SYNC_FLUSH
enablePropertyFilter=true
`
  const { config, reports } = readOptions(brokerOptions, readProperties(text), { file: 'broker.conf' })
  assert.deepEqual(reports, { unknown: [], withoutEffect: [] })
  assert.deepEqual(
    [config.brokerName, config.fileReservedTime, config.flushDiskType, config.enablePropertyFilter],
    ['broker-a', 48, 'SYNC_FLUSH', true],
  )
})

test('keys that RocketMQ knows and that do nothing here are told, unknown ones with the key that was meant', () => {
  const { reports } = readOptions(
    brokerOptions,
    readProperties('sendMessageThreadPoolNums=16\nflushDiskTyp=SYNC_FLUSH\nmapedFileSizeCommitLog=1048576\n'),
    { file: 'broker.conf' },
  )
  assert.deepEqual(reports.withoutEffect, [
    { key: 'sendMessageThreadPoolNums', place: 'broker.conf:1: ' },
    // RocketMQ ignores this spelling since 4.5.2: a store would be of another geometry.
    { key: 'mapedFileSizeCommitLog', place: 'broker.conf:3: ' },
  ])
  assert.deepEqual(reports.unknown, [{ key: 'flushDiskTyp', place: 'broker.conf:2: ', nearest: 'flushDiskType' }])
})

test('every option says what it is for', () => {
  for (const { key, help } of describeOptions(brokerOptions)) assert.ok(help.length > 5, key)
})

test('exporters that are not there refuse the start, and say what is', () => {
  for (const type of ['OTLP_GRPC', 'LOG'])
    assert.throws(
      () => readOptions(brokerOptions, readProperties(`metricsExporterType=${type}\n`), { file: 'broker.conf' }),
      /metricsExporterType.*must be DISABLE or PROM: .*\/metrics/,
    )
  readOptions(brokerOptions, readProperties('metricsExporterType=PROM\n'), { file: 'broker.conf' })
})

test('a switch whose silence would be dangerous refuses the start', () => {
  for (const key of ['authorizationEnabled', 'authenticationEnabled', 'enableDLegerCommitLog', 'enableControllerMode'])
    assert.throws(
      () => readOptions(brokerOptions, readProperties(`${key}=true\n`), { file: 'broker.conf' }),
      new RegExp(`${key}.*must be false: `),
    )
  readOptions(brokerOptions, readProperties('authorizationEnabled=false\n'), { file: 'broker.conf' })
})

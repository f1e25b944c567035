import { type DialectName, defaultDialect, dialectNames, dialectOf, traceTopic } from '@skua-mq/protocol'
import {
  address,
  addresses,
  bool,
  bytes,
  type Config,
  count,
  formed,
  host,
  idle,
  int,
  logLevel,
  long,
  millis,
  oneOf,
  path,
  port,
  text,
  unavailable,
  word,
} from '@skua-mq/runtime'
import { storeOptions } from '@skua-mq/store'
import { popOptions } from './pop-options.ts'
import { threadOptions } from './thread-options.ts'
import { timerOptions } from './timer-options.ts'

/** Identity and addresses (store.md 11). */
const identity = {
  brokerClusterName: word({
    default: 'DefaultCluster',
    help: 'cluster of this broker; also a topic name and the property CLUSTER',
  }),
  brokerName: word({ default: 'DEFAULT_BROKER', help: 'name shared by a master and its slaves; also a topic name' }),
  brokerId: long({ default: 0, min: 0, help: '0 is the master' }),
  namesrvAddr: addresses({ default: '', live: true, help: 'name servers, host:port joined by ;' }),
  brokerIP1: host({
    default: '',
    help: 'address or host name told to clients; empty: the first address that is not loopback',
  }),
  brokerIP2: host({ default: '', help: 'address of the replication server; empty: brokerIP1' }),
  listenPort: port({ default: 10911, min: 3, max: 65_534, help: 'main port; the second listener is on this minus 2' }),
  haListenPort: port({ default: 10912, ...idle('4.9 always listens on listenPort + 1') }),
  brokerPermission: int({ default: 6, min: 0, max: 7, live: true, help: 'bits of the whole broker: 4 read, 2 write' }),
  dialect: oneOf(dialectNames, {
    default: defaultDialect,
    help: 'answers and stores as a broker of RocketMQ 4.9 or of 5.3 does, where these differ (docs/differences.md)',
  }),
  regionId: word({
    default: 'DefaultRegion',
    live: true,
    help: 'told in every send reply, and stored with messages under dialect=5.3',
  }),
  traceOn: bool({ default: true, live: true, help: 'told as regionId is: whether clients may trace' }),
  logLevel,
  slowRequestMs: millis({
    default: 500,
    live: true,
    help: 'a request that takes longer, the time apart for which it is held, is told in the log with the cause; 0: none',
  }),
  configBlackList: text({
    default: 'configBlackList;brokerConfigPath',
    help: 'keys that may not be changed at run time',
  }),
} as const

/** What the broker adds to the store's options. */
const delays = {
  messageDelayLevel: formed(
    {
      kind: 'delays like 1s, 5m, 2h or 1d with a blank between',
      isRight: text => text.split(/\s+/).every(level => /^[1-9]\d*[smhd]$/.test(level)),
    },
    {
      default: '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h',
      help: 'delay of each level, from level 1 on',
    },
  ),
  flushDelayOffsetInterval: millis({
    default: 10_000,
    live: true,
    help: 'time between two writes of delayOffset.json',
  }),
} as const

/** Topics, groups, delivery. */
const delivery = {
  autoCreateTopicEnable: bool({
    default: true,
    live: true,
    help: 'create a topic at its first send, from the template TBW102',
  }),
  autoCreateSubscriptionGroup: bool({
    default: true,
    live: true,
    help: 'create a consumer group when it is first seen',
  }),
  maxAutoCreatedTopics: count({
    default: 100_000,
    live: true,
    help: 'topics above which none is created automatically, neither at a send nor for retries',
  }),
  maxAutoCreatedGroups: count({
    default: 100_000,
    live: true,
    help: 'consumer groups above which none is created automatically',
  }),
  defaultTopicQueueNums: count({ default: 8, help: 'queues of the template TBW102' }),
  clusterTopicEnable: bool({ default: true, help: 'whether the topic named after the cluster may be used' }),
  brokerTopicEnable: bool({ default: true, help: 'whether the topic named after the broker may be used' }),
  traceTopicEnable: bool({ default: false, help: 'create the trace topic' }),
  msgTraceTopicName: word({ default: traceTopic, help: 'name of the trace topic' }),
  enablePropertyFilter: bool({ default: false, live: true, help: 'allow SQL92 subscriptions' }),
  filterSupportRetry: bool({ default: false, live: true, help: 'filter retried messages too' }),
  longPollingEnable: bool({ default: true, live: true, help: 'hold pulls that find nothing' }),
  shortPollingTimeMills: millis({
    default: 1000,
    live: true,
    help: 'how long they are held without longPollingEnable',
  }),
  maxConnections: count({
    default: 50_000,
    min: 1,
    help: 'connections of clients; fewer where the limit of open files is lower',
  }),
  maxCarryBytes: bytes({
    default: 268_435_456,
    min: 16_777_216,
    help: 'bytes of all connections that came and are not handled; above it, who holds most is closed',
  }),
  maxOwedBytes: bytes({
    default: 536_870_912,
    min: 16_777_216,
    help: 'bytes of answers that all connections have not taken; above it, who is owed most is closed',
  }),
  maxPullHoldMs: millis({
    default: 60_000,
    min: 1,
    live: true,
    help: 'longest time for which a pull is held, whatever it asks for',
  }),
  maxHeldPulls: count({ default: 100_000, min: 1, live: true, help: 'pulls held at once; more are answered at once' }),
  maxHeldPullsPerConnection: count({ default: 20_000, min: 1, live: true, help: 'of one connection' }),
  notifyConsumerIdsChangedEnable: bool({ default: true, live: true, help: 'tell members when their group changes' }),
  flushConsumerOffsetInterval: millis({
    default: 5000,
    live: true,
    help: 'time between two writes of consumerOffset.json',
  }),
  transactionTimeOut: millis({ default: 6000, live: true, help: 'age at which a half message is first checked' }),
  transactionCheckMax: count({ default: 15, live: true, help: 'how often a half message is checked' }),
  transactionCheckInterval: millis({
    default: ({ dialect }) => dialectOf(dialect as DialectName).transactionCheckIntervalMs,
    live: true,
    help: 'time between two rounds of checks; by default 30000, with dialect=4.9 60000',
  }),
  rejectTransactionMessage: bool({ default: false, live: true, help: 'refuse transactional sends' }),
  slaveReadEnable: bool({ default: false, live: true, help: 'send slow readers to a slave' }),
  registerNameServerPeriod: millis({
    default: 30_000,
    live: true,
    min: 10_000,
    max: 60_000,
    help: 'time between two registrations',
  }),
  registerBrokerTimeoutMills: millis({
    default: 6000,
    live: true,
    help: 'how long a name server may take to answer one',
  }),
  startAcceptSendRequestTimeStamp: long({ default: 0, live: true, help: 'time before which no message is taken' }),
  storeReplyMessageEnable: bool({ default: true, live: true, help: 'store replies of request-reply as well' }),
  useServerSideResetOffset: bool({
    default: true,
    live: true,
    help: 'reset offsets at the broker, also for groups with nobody online',
  }),
  filterServerNums: count({ default: 0, max: 32, help: 'filter servers for class-filter subscriptions; 0: off' }),
  filterCallTimeoutMs: millis({ default: 100, min: 1, help: 'longest run of a consumer’s filter for one message' }),
  filterMemoryBytes: count({ default: 16_777_216, min: 1_048_576, help: 'memory of one consumer’s filter' }),
} as const

/** What one client may ask for. 0: as much as it likes. */
const clientLimits = {
  maxConnectionsPerAddress: count({
    default: 0,
    live: true,
    help: 'connections of one client address, an IPv6 network of 64 bits being one; 0: any number',
  }),
  maxRequestsPerSecondPerConnection: count({
    default: 0,
    live: true,
    help: 'requests of one connection in a second; more are refused with code 2, pulls with 215; 0: any number',
  }),
  maxRequestsPerSecondPerAddress: count({
    default: 0,
    live: true,
    help: 'the same of all connections of one client address',
  }),
  maxBytesPerSecondPerConnection: bytes({
    default: 0,
    live: true,
    help: 'bytes that come of one connection in a second; beyond them requests are refused as well; 0: any number',
  }),
  maxBytesPerSecondPerAddress: bytes({
    default: 0,
    live: true,
    help: 'the same of all connections of one client address',
  }),
} as const

/** Masters and slaves (ha.md). */
const replication = {
  haSendHeartbeatInterval: millis({
    default: 5000,
    live: true,
    min: 1,
    help: 'a connection between master and slave is silent no longer',
  }),
  haHousekeepingInterval: millis({ default: 20_000, live: true, min: 1, help: 'silence after which it is closed' }),
  haAnswerTimeout: millis({
    default: 1000,
    live: true,
    min: 1,
    help: 'a slave that reports nothing of what it was sent for so long is not waited for until it does; a master of Skua’s that answers no report for so long counts as silent',
  }),
  haCopyWholeLog: bool({
    default: true,
    live: true,
    help: 'a slave without a log takes all of its master’s; false: the last file only, as in RocketMQ',
  }),
  haCopyBytesPerSecond: bytes({
    default: 104_857_600,
    live: true,
    help: 'so much of it in a second; 0: as fast as it comes',
  }),
  haTransferBatchSize: bytes({
    default: 32_768,
    live: true,
    min: 1,
    max: 4 * 1024 * 1024 - 12,
    help: 'most bytes of the log that a master sends in one frame',
  }),
  haSlaveFallbehindMax: bytes({
    default: 268_435_456,
    live: true,
    help: 'a SYNC_MASTER does not wait for slaves that lack more than this',
  }),
  inSyncReplicas: count({
    default: 1,
    live: true,
    min: 0,
    max: 17,
    help: 'copies that a SYNC_MASTER waits for, its own included; it waits for one slave at least',
  }),
  minInSyncReplicas: count({
    default: 1,
    live: true,
    min: 0,
    max: 17,
    help: 'a SYNC_MASTER takes no messages (14) while fewer copies can be made, its own included',
  }),
  failoverEndpoints: text({
    default: '',
    help: 'etcd in which brokers of one name choose their master: http://host:port, several with commas; empty: a person promotes',
  }),
  failoverUser: text({ default: '', help: 'user of etcd, where it has users (failoverPasswordFile)' }),
  failoverPasswordFile: path({ default: '', help: 'file whose first line is the password of failoverUser' }),
  failoverCaFile: path({
    default: '',
    help: 'authority that signed the certificates of etcd, PEM; empty: those that Node knows',
  }),
  failoverCertFile: path({ default: '', help: 'certificate that is shown to etcd, PEM (etcd --client-cert-auth)' }),
  failoverKeyFile: path({ default: '', help: 'key of failoverCertFile, PEM, without a password' }),
  failoverPrefix: text({ default: '/skua', help: 'keys in etcd begin with it, then come cluster and brokerName' }),
  failoverLeaseTime: millis({
    default: 3000,
    min: 2000,
    help: 'a master that has renewed its lease for so long in vain may be replaced; whole seconds in etcd',
  }),
  failoverMarginTime: millis({
    default: 500,
    help: 'so much before its lease ends an ASYNC_MASTER takes no messages any more: what two clocks may differ in that time',
  }),
  haMasterAddress: address({ default: '', help: 'host:port of the master; empty: the name servers say it' }),
  offsetCheckInSlave: bool({
    default: false,
    live: true,
    help: 'a slave corrects offsets that are out of range, as a master does',
  }),
} as const

/** What others may look at (docs/metrics.md). */
const metrics = {
  metricsExporterType: oneOf(['DISABLE', 'PROM'], {
    default: 'DISABLE',
    help: 'PROM: /metrics for Prometheus, /health and /ready over HTTP',
    others: {
      OTLP_GRPC: 'nothing is sent to OpenTelemetry; its collector can scrape /metrics under PROM',
      LOG: 'metrics are not written to the log; PROM has them at /metrics',
    },
  }),
  metricsPromExporterPort: port({ default: 5557, help: 'port of /metrics; 0: any free one' }),
  metricsPromExporterHost: host({ default: '', help: 'address of /metrics; empty: that of brokerIP1' }),
  metricsOtelCardinalityLimit: count({
    default: 50_000,
    min: 1,
    help: 'series of one metric; more are counted together, or left out',
  }),
  metricsLabel: text({ default: '', help: 'labels that all metrics carry, name:value joined by commas' }),
} as const

/** Who may do what (docs/security.md). */
const access = {
  aclEnable: bool({
    default: false,
    help: 'requests are signed, and refused where their account may not; accounts are in conf/plain_acl.yml of rocketmqHome',
  }),
  rocketmqHome: text({
    default: '',
    help: 'directory with conf/plain_acl.yml and conf/acl; empty: what ROCKETMQ_HOME says',
  }),
} as const

/** What must not be left out in silence: a broker that was asked for it does not start. */
const refused = {
  authenticationEnabled: unavailable({ why: 'access control of 5.x is not there yet; aclEnable is that of 4.9' }),
  authorizationEnabled: unavailable({ why: 'access control of 5.x is not there yet; aclEnable is that of 4.9' }),
  enableDLegerCommitLog: unavailable({ why: 'DLedger is not there: nothing would be replicated' }),
  enableControllerMode: unavailable({ why: 'there is no fail-over by a controller yet' }),
  enableSlaveActingMaster: unavailable({ why: 'slaves do not act as masters yet' }),
  allAckInSyncStateSet: unavailable({ why: 'a SYNC_MASTER waits for one slave, not for all' }),
} as const

/** Of exporters of 5.x that are not there. */
const otherExporters = {
  metricsGrpcExporterTarget: text({ default: '', ...idle('nothing is sent to OpenTelemetry') }),
  metricsGrpcExporterHeader: text({ default: '', ...idle('nothing is sent to OpenTelemetry') }),
  metricGrpcExporterTimeOutInMills: millis({ default: 3000, ...idle('nothing is sent to OpenTelemetry') }),
  metricGrpcExporterIntervalInMills: millis({ default: 60_000, ...idle('nothing is sent to OpenTelemetry') }),
  metricLoggingExporterIntervalInMills: millis({ default: 10_000, ...idle('metrics are not written to the log') }),
  metricsInDelta: bool({ default: false, ...idle('Prometheus takes sums since the start') }),
} as const

/** Known to RocketMQ, meaningless or not there yet in a single-threaded server without mmap. */
const without = {
  forceRegister: bool({ default: true, ...idle('every registration is a full one') }),
  compressedRegister: bool({ default: false, ...idle('registrations are not compressed') }),
  fetchNamesrvAddrByAddressServer: bool({ default: false, ...idle('name servers come from namesrvAddr') }),
  messageIndexSafe: bool({ default: false, ...idle('the index is always complete after a crash') }),
  flushConsumeQueueLeastPages: count({
    default: 2,
    ...idle('queues are written on a timer, and every sync is a thorough one'),
  }),
  transientStorePoolEnable: bool({ default: false, ...idle('there is no off-heap pool') }),
  transientStorePoolSize: count({ default: 5, ...idle('there is no off-heap pool') }),
  fastFailIfNoBufferInStorePool: bool({ default: false, ...idle('there is no off-heap pool') }),
  commitIntervalCommitLog: millis({ default: 200, ...idle('there is no off-heap pool') }),
  warmMapedFileEnable: bool({ default: false, ...idle('files are not mapped') }),
  transferMsgByHeap: bool({ default: true, ...idle('files are not mapped') }),
  useReentrantLockWhenPutMessage: bool({ default: true, ...idle('one thread owns the log') }),
  sendMessageThreadPoolNums: count({ default: 4, ...idle('one thread owns the log') }),
  pullMessageThreadPoolNums: count({ default: 16, ...idle('one thread owns the log') }),
  sendThreadPoolQueueCapacity: count({ default: 10_000, ...idle('there are no thread pools') }),
  pullThreadPoolQueueCapacity: count({ default: 100_000, ...idle('there are no thread pools') }),
  brokerFastFailureEnable: bool({ default: true, ...idle('overload is refused at once') }),
  waitTimeMillsInSendQueue: millis({ default: 200, ...idle('overload is refused at once') }),
  waitTimeMillsInPullQueue: millis({ default: 5000, ...idle('overload is refused at once') }),
  osPageCacheBusyTimeOutMills: millis({ default: 1000, ...idle('overload is refused at once') }),
  deleteCommitLogFilesInterval: millis({ default: 100, ...idle('segments are deleted one a round') }),
  deleteConsumeQueueFilesInterval: millis({ default: 100, ...idle('files are deleted one a round') }),
  destroyMapedFileIntervalForcibly: millis({
    default: 120_000,
    ...idle('a file that is read is deleted when it is closed'),
  }),
  redeleteHangedFileInterval: millis({ default: 120_000, ...idle('a file that is read is deleted when it is closed') }),
  enableCalcFilterBitMap: bool({
    default: false,
    help: 'note with each message which SQL92 groups want it; takes enableConsumeQueueExt',
  }),
  bitMapLengthConsumeQueueExt: count({ default: 64, ...idle('a bitmap takes what its Bloom filter has') }),
  expectConsumerNumUseFilter: count({
    default: 32,
    min: 1,
    help: 'groups that the Bloom filter of a message is made for',
  }),
  maxErrorRateOfBloomFilter: count({
    default: 20,
    min: 1,
    max: 99,
    help: 'percent of messages that it may let pass for nothing',
  }),
  enableScheduleAsyncDeliver: bool({ default: false, ...idle('delivery is always pipelined') }),
  disableConsumeIfConsumerReadSlowly: bool({ default: false, ...idle('slow consumers are served') }),
  consumerFallbehindThreshold: bytes({ default: 17_179_869_184, ...idle('slow consumers are served') }),
  enableLmq: bool({ default: false, ...idle('light queues are not there yet') }),
  enableMultiDispatch: bool({ default: false, ...idle('light queues are not there yet') }),
  maxLmqConsumeQueueNum: count({ default: 20_000, ...idle('light queues are not there yet') }),
  duplicationEnable: bool({ default: false, ...idle('never switched on in RocketMQ either') }),
  useEpollNativeSelector: bool({ default: false, ...idle('Node chooses') }),
  serverWorkerThreads: count({ default: 8, ...idle('there are no thread pools') }),
  serverCallbackExecutorThreads: count({ default: 0, ...idle('there are no thread pools') }),
  serverSelectorThreads: count({ default: 3, ...idle('there are no thread pools') }),
  serverChannelMaxIdleTimeSeconds: count({ default: 120, ...idle('idle connections are closed after 120 s') }),
  useTLS: bool({ default: false, ...idle('tls.enable decides') }),
  mapedFileSizeCommitLog: text({
    default: '',
    ...idle('RocketMQ ignores this spelling since 4.5.2; the key is mappedFileSizeCommitLog'),
  }),
  mapedFileSizeConsumeQueue: text({
    default: '',
    ...idle('RocketMQ ignores this spelling since 4.5.2; the key is mappedFileSizeConsumeQueue'),
  }),
} as const

/** All keys of a broker's configuration (store.md 11): the store's, its own, and RocketMQ's that do nothing here. */
export const brokerOptions = {
  ...identity,
  ...storeOptions,
  ...delays,
  ...delivery,
  ...popOptions,
  ...clientLimits,
  ...timerOptions,
  ...replication,
  ...access,
  ...metrics,
  ...otherExporters,
  ...without,
  ...threadOptions,
  ...refused,
} as const
export type BrokerConfig = Config<typeof brokerOptions>

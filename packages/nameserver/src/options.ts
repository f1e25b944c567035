import { defaultDialect, dialectNames } from '@skua-mq/protocol'
import { bool, type Config, count, host, idle, logLevel, oneOf, port, text } from '@skua-mq/runtime'

/** RocketMQ's keys of the name server (store.md 11). */
export const nameServerOptions = {
  listenPort: port({ default: 9876, help: 'port of the name server' }),
  bindAddress: host({ default: '0.0.0.0', help: 'address to listen on; 0.0.0.0: all, of both families' }),
  kvConfigPath: text({ default: '', help: 'file of the KV configuration; empty: ~/namesrv/kvConfig.json' }),
  configStorePath: text({ default: '', help: 'file to which updated options are written', effect: 'none' }),
  orderMessageEnable: bool({ default: false, help: 'attach ORDER_TOPIC_CONFIG to route answers', live: true }),
  logLevel,
  dialect: oneOf(dialectNames, {
    default: defaultDialect,
    help: 'answers as the name server of RocketMQ 4.9 or of 5.3 does, where these differ',
  }),
  maxRegisteredTopics: count({
    default: 500_000,
    help: 'topics that the brokers of this name server may register, those of each broker counted; more are refused',
  }),
  maxRegisteredBrokers: count({ default: 20_000, help: 'broker addresses that may be registered; more are refused' }),
  maxKvBytes: count({ default: 4_194_304, help: 'characters of all namespaces, keys and values; more are refused' }),
  rocketmqHome: text({ default: '', help: 'nothing is looked for there', effect: 'none' }),
  productEnvName: text({ default: 'center', help: 'used by RocketMQ for cluster tests only', effect: 'none' }),
  clusterTest: bool({ default: false, help: 'used by RocketMQ for its own tests only', effect: 'none' }),
  serverAsyncSemaphoreValue: count({ default: 64, ...idle('requests are bounded in bytes') }),
  serverOnewaySemaphoreValue: count({ default: 256, ...idle('requests are bounded in bytes') }),
  serverPooledByteBufAllocatorEnable: bool({ default: true, ...idle('Node has its own buffers') }),
  serverSocketBacklog: count({ default: 1024, ...idle('Node chooses') }),
  serverSocketRcvBufSize: count({ default: 0, ...idle('Node has its own buffers') }),
  serverSocketSndBufSize: count({ default: 0, ...idle('Node has its own buffers') }),
  writeBufferHighWaterMark: count({ default: 0, ...idle('answers that wait are bounded in bytes') }),
  writeBufferLowWaterMark: count({ default: 0, ...idle('answers that wait are bounded in bytes') }),
  serverWorkerThreads: count({ default: 8, ...idle('there are no thread pools') }),
  serverCallbackExecutorThreads: count({ default: 0, ...idle('there are no thread pools') }),
  serverSelectorThreads: count({ default: 3, ...idle('there are no thread pools') }),
  serverChannelMaxIdleTimeSeconds: count({ default: 120, ...idle('idle connections are closed after 120 s') }),
  useEpollNativeSelector: bool({ default: false, ...idle('Node chooses') }),
} as const
export type NameServerConfig = Config<typeof nameServerOptions>

import { bool, type Config, port, text } from '@skua-mq/runtime'

/** RocketMQ's keys of the name server (store.md 11). */
export const nameServerOptions = {
  listenPort: port({ default: 9876, help: 'port of the name server' }),
  bindAddress: text({ default: '0.0.0.0', help: 'address to listen on' }),
  kvConfigPath: text({ default: '', help: 'file of the KV configuration; empty: ~/namesrv/kvConfig.json' }),
  configStorePath: text({ default: '', help: 'file to which updated options are written', effect: 'none' }),
  orderMessageEnable: bool({ default: false, help: 'attach ORDER_TOPIC_CONFIG to route answers', live: true }),
  rocketmqHome: text({ default: '', help: 'nothing is looked for there', effect: 'none' }),
  productEnvName: text({ default: 'center', help: 'used by RocketMQ for cluster tests only', effect: 'none' }),
  clusterTest: bool({ default: false, help: 'used by RocketMQ for its own tests only', effect: 'none' }),
} as const
export type NameServerConfig = Config<typeof nameServerOptions>

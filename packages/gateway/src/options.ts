import { bool, bytes, type Config, count, idle, millis, oneOf, port, text } from '@skua-mq/runtime'

/** The gateway's keys. Those of Apache's rmq-proxy.json keep their names. */
export const gatewayOptions = {
  grpcServerPort: port({ default: 8081, help: 'port for gRPC clients, with TLS and without' }),
  grpcBindAddress: text({ default: '127.0.0.1', help: 'address to listen on; 0.0.0.0: all, of both families' }),
  grpcMaxConnections: count({ default: 20_000, help: 'connections of gRPC clients; further ones are closed' }),
  grpcMaxStreams: count({ default: 1024, min: 1, help: 'calls of one connection at the same time' }),
  grpcMaxMessageBytes: bytes({ default: 136_314_880, min: 1024, help: 'longest request' }),
  grpcMaxCarryBytes: bytes({ default: 268_435_456, help: 'bytes of requests that have come in part, all together' }),
  grpcMaxUnsentBytes: bytes({ default: 33_554_432, help: 'bytes that wait for a client that does not read' }),
  grpcMaxOwedBytes: bytes({ default: 536_870_912, help: 'the same of all clients together' }),
  grpcMaxCalls: count({ default: 400_000, min: 1, help: 'calls at the same time; further ones are refused' }),
  grpcMaxClients: count({ default: 100_000, help: 'clients whose settings are kept; further ones are refused' }),
  maxMessageSize: bytes({ default: 4_194_304, min: 1, help: 'longest body of a message' }),
  maxUserPropertySize: bytes({
    default: 16_384,
    help: 'names and values of the properties, tag and keys of a message',
  }),
  userPropertyMaxNum: count({ default: 128, help: 'properties of a message' }),
  maxMessageGroupSize: bytes({ default: 64, help: 'a message group must be shorter' }),
  maxDelayTimeMills: millis({ default: 86_400_000, help: 'how far ahead a message may be delivered' }),
  maxTransactionRecoverySecond: count({ default: 3600, help: 'longest time before a transaction is asked about' }),
  enableTopicMessageTypeCheck: bool({ default: true, help: 'a topic takes messages of its type only' }),
  untypedTopic: oneOf(['NORMAL', 'MIXED'], {
    default: 'NORMAL',
    help: 'what a topic takes that has no attribute message.type',
  }),
  useEndpointPortFromRequest: bool({ default: false, help: 'clients are told the port that they named, not this one' }),
  grpcClientConsumerMinLongPollingTimeoutMillis: millis({ default: 5000, help: 'a receive waits at least so long' }),
  grpcClientConsumerMaxLongPollingTimeoutMillis: millis({ default: 20_000, help: 'and at most so long' }),
  grpcClientConsumerLongPollingBatchSize: count({ default: 32, min: 1, max: 32, help: 'most messages of a receive' }),
  defaultInvisibleTimeMills: millis({ default: 60_000, min: 10_000, help: 'of a receive that is renewed' }),
  minInvisibleTimeMillsForRecv: millis({ default: 10_000, help: 'shortest invisible time of a receive' }),
  maxInvisibleTimeMills: millis({ default: 43_200_000, help: 'longest invisible time' }),
  renewSchedulePeriodMillis: millis({ default: 5000, min: 100, help: 'how often handles are looked at for renewal' }),
  renewAheadTimeMillis: millis({ default: 10_000, help: 'handles that expire within so long are renewed' }),
  renewMaxTimeMillis: millis({ default: 10_800_000, help: 'how long a message is renewed' }),
  grpcMaxRenewedHandles: count({ default: 500_000, help: 'messages that are renewed; further ones are not' }),
  grpcClientIdleTimeMills: millis({ default: 120_000, min: 1000, help: 'a client that is silent for so long is gone' }),
  remotingListenPort: port({
    default: 8080,
    ...idle('remoting clients are given the name servers: no port passes on what they ask (docs/operate.md)'),
  }),
  remotingAccessAddr: text({ default: '', ...idle('as remotingListenPort') }),
  enableRemotingLocalProxyGrpc: bool({ default: true, ...idle('as remotingListenPort') }),
  grpcRouteCacheMs: millis({ default: 20_000, help: 'how long a route is believed' }),
} as const
export type GatewayConfig = Config<typeof gatewayOptions>

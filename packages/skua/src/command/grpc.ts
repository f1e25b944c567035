import { brokerOptions } from '@skua-mq/broker'
import { type GatewayConfig, gatewayOptions } from '@skua-mq/gateway'
import { type Config, port, text } from '@skua-mq/runtime'

/** RocketMQ's port for gRPC clients. */
export const defaultGrpcPort = 8081

/** Keys of the gRPC endpoint in broker.conf; there it is off by default, and its other keys are those of a broker. */
export const grpcOptions = {
  ...gatewayOptions,
  grpcBindAddress: text({
    default: '',
    help: 'address to listen on; empty: all, of both families, as the broker does',
  }),
  grpcServerPort: port({ default: 0, help: 'port for gRPC clients of RocketMQ 5, with TLS and without; 0: none' }),
  ...brokerOptions,
} as const
export type GrpcOptions = Config<typeof grpcOptions>

/** What the gateway is to know of such a configuration. */
export const gatewayConfigOf = (config: GrpcOptions): GatewayConfig =>
  Object.fromEntries(Object.keys(gatewayOptions).map(key => [key, config[key as keyof GrpcOptions]])) as GatewayConfig

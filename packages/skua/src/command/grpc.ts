import { brokerOptions } from '@skua-mq/broker'
import { type GatewayConfig, gatewayOptions } from '@skua-mq/gateway'
import { type Config, type Net, NetError, port, text } from '@skua-mq/runtime'

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

/**
 * The port for gRPC where nobody named one: RocketMQ's, and none where somebody else has that already; any free one where the
 * broker takes any free one.
 */
export async function unaskedGrpcPort(net: Net, at: { host: string; port: number }): Promise<number | undefined> {
  if (at.port === 0) return 0
  try {
    const listener = await net.listen({ host: at.host, port: defaultGrpcPort }, socket => socket.destroy())
    await listener.close()
    return defaultGrpcPort
  } catch (error) {
    if (error instanceof NetError) return undefined
    throw error
  }
}

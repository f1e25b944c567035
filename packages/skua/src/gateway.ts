import type { Gateway, GatewayConfig } from '@skua-mq/gateway'
import { NodeHttp2, type Runtime, type TlsClient, type TlsServer } from '@skua-mq/runtime'

export interface GatewayWishes {
  readonly config: GatewayConfig
  /** With a net that leads to the broker of this process in memory, where there is one. */
  readonly runtime: Pick<Runtime, 'clock' | 'net' | 'turn' | 'events'>
  readonly nameServers: readonly string[]
  /** Of accounts, where calls must be signed. */
  readonly secretOf?: ((accessKey: string) => string | undefined) | undefined
  readonly tls?: TlsServer | undefined
  readonly tlsClient?: TlsClient | undefined
}

/** The endpoint for gRPC clients. It is loaded only where it is wanted. */
export async function gatewayOf(wishes: GatewayWishes): Promise<Gateway> {
  const { Gateway } = await import('@skua-mq/gateway')
  return new Gateway({ ...wishes, http2: new NodeHttp2(wishes.runtime.events) })
}

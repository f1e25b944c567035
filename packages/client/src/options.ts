import process from 'node:process'
import { parseAddress } from '@skua-mq/remoting'
import { nodeRuntime, type Runtime, type TlsClient } from '@skua-mq/runtime'
import { ClientError } from './error.ts'
import type { Compressors } from './message/compression.ts'
import { checkGroup } from './name/names.ts'
import { namespaceOfAddress, wrapName } from './name/namespace.ts'
import type { ClientLogger } from './notices.ts'
import { type TlsOptions, tlsClientOf } from './tls.ts'
import type { Tracer } from './trace/tracer.ts'

/** Keys of an account that a broker with ACL knows; requests are signed with them. */
export interface Credentials {
  readonly accessKey: string
  readonly secretKey: string
  readonly securityToken?: string | undefined
}

/** Options that all clients have. Names and defaults are Java's; times are in ms. */
export interface ClientOptions {
  /** `host:port`, several joined by `;` or as a list. Default: environment NAMESRV_ADDR, else `namesrvEndpoint`. */
  readonly namesrvAddr?: string | readonly string[] | undefined
  /** HTTP address that answers with a name server list; asked again every 2 minutes. */
  readonly namesrvEndpoint?: string | undefined
  /** Topics and groups are `namespace%name` on the wire. Default: out of the name server's address, else none. */
  readonly namespace?: string | undefined
  /** The 5.x way: names stay as they are, and each request names the namespace. */
  readonly namespaceV2?: string | undefined
  /** Clients with one instance name share connections, timers and heartbeats. Default: one of its own. */
  readonly instanceName?: string | undefined
  readonly unitName?: string | undefined
  /** Default: this machine's first address. Part of the client id. */
  readonly clientIP?: string | undefined
  readonly credentials?: Credentials | undefined
  /**
   * Connections to name servers and brokers are encrypted. `true` is RocketMQ's `tls.enable`: any certificate is taken, so
   * nobody proves who they are. An object checks the server's certificate. Default false.
   */
  readonly tls?: boolean | TlsOptions | undefined
  /** Default 30000. */
  readonly pollNameServerInterval?: number | undefined
  /** Default 30000. */
  readonly heartbeatBrokerInterval?: number | undefined
  /** Of a call that is not a send or a pull. Default 3000. */
  readonly mqClientApiTimeout?: number | undefined
  /** Longest try to connect. Default 1000, so that an address that does not answer is left for another in time. */
  readonly connectTimeout?: number | undefined
  /** Methods that Node does not bring. */
  readonly compressors?: Compressors | undefined
  /** Sees sends and consumptions, e.g. `openTelemetry(api)`. */
  readonly tracer?: Tracer | undefined
  /**
   * Where warnings go: what fails, and what can be done about it, once for each cause. The shape is pino's. Default: `process.emitWarning`,
   * but for events that have a listener; false: nowhere.
   */
  readonly logger?: ClientLogger | false | undefined
  /** Clock, network, disk and randomness. Default: this machine's. */
  readonly runtime?: Runtime | undefined
}

/** What the parts of a client take from the options. */
export interface ClientSettings {
  readonly runtime: Runtime
  readonly namesrvAddrs: readonly string[]
  readonly namesrvEndpoint: string | undefined
  readonly namespace: string
  readonly namespaceV2: string | undefined
  readonly instanceName: string | undefined
  readonly unitName: string | undefined
  readonly clientIP: string
  readonly credentials: Credentials | undefined
  readonly tls: TlsClient | undefined
  readonly pollNameServerInterval: number
  readonly heartbeatBrokerInterval: number
  readonly callTimeoutMs: number
  readonly connectTimeoutMs: number
  readonly compressors: Compressors
  readonly tracer: Tracer | undefined
  readonly logger: ClientLogger | false | undefined
}

let machine: Runtime | undefined

/** One for the process, since clients share connections within a runtime. */
const ownMachine = (): Runtime => {
  machine ??= nodeRuntime()
  return machine
}

export function clientSettings(options: ClientOptions): ClientSettings {
  const runtime = options.runtime ?? ownMachine()
  const namesrvAddrs = addressList(options.namesrvAddr ?? process.env.NAMESRV_ADDR)
  for (const address of namesrvAddrs) checkAddress(address)
  return {
    runtime,
    namesrvAddrs,
    namesrvEndpoint: options.namesrvEndpoint,
    namespace: options.namespace ?? namesrvAddrs.map(namespaceOfAddress).find(found => found !== undefined) ?? '',
    namespaceV2: options.namespaceV2,
    instanceName: options.instanceName,
    unitName: options.unitName,
    clientIP: options.clientIP ?? runtime.net.ownAddresses()[0] ?? '127.0.0.1',
    credentials: options.credentials,
    tls: tlsClientOf(options.tls),
    pollNameServerInterval: options.pollNameServerInterval ?? 30_000,
    heartbeatBrokerInterval: options.heartbeatBrokerInterval ?? 30_000,
    callTimeoutMs: options.mqClientApiTimeout ?? 3_000,
    connectTimeoutMs: options.connectTimeout ?? 1_000,
    compressors: options.compressors ?? {},
    tracer: options.tracer,
    logger: options.logger,
  }
}

function checkAddress(address: string): void {
  try {
    parseAddress(address)
  } catch {
    throw new ClientError('ARGUMENT', `namesrvAddr "${address}" is no host:port; name servers mostly have port 9876`)
  }
}

/** `a:9876;b:9876`, also with commas, blanks and http:// in front. */
export function addressList(given: string | readonly string[] | undefined): string[] {
  const parts = typeof given === 'string' ? given.split(/[;,\s]+/) : (given ?? [])
  return parts.map(part => part.trim().replace(/^https?:\/\//, '')).filter(part => part !== '')
}

/** The group's name on the wire. Throws ClientError ARGUMENT. */
export function groupOnWire(settings: ClientSettings, group: string, reserved: string): string {
  checkGroup(group, reserved)
  const wire = wrapName(settings.namespace, group)
  checkGroup(wire, reserved)
  return wire
}

export { bounded } from './bounded.ts'

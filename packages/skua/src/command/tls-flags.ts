import type { TlsOptions } from '@skua-mq/client'
import { NodeDisk } from '@skua-mq/runtime'

/** `--tls` as RocketMQ's tls.enable, where any certificate will do; `--tls-ca` checks the server's. */
export function tlsOf({ tls, tlsCa }: { tls?: boolean; tlsCa?: string }): boolean | TlsOptions {
  return tlsCa === undefined ? tls === true : { ca: new NodeDisk().readFile(tlsCa) }
}

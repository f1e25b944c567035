import type { Pem, TlsClient } from '@skua-mq/runtime'
import { ClientError } from './error.ts'

/** How connections are secured; the names are those of `node:tls`. Everything in PEM form. */
export interface TlsOptions {
  /** Certificates of the authorities that are trusted, or the server's own one. Default: the authorities that Node knows. */
  readonly ca?: Pem | undefined
  /** This client's certificate, for servers that ask for one (`tls.server.need.client.auth`). */
  readonly cert?: Pem | undefined
  readonly key?: Pem | undefined
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined
  /** False takes any certificate. Default true. */
  readonly rejectUnauthorized?: boolean | undefined
  /** Whether the certificate must name the host. RocketMQ's own clients do not look. Default true. */
  readonly verifyHost?: boolean | undefined
  /** The name that stands in the certificates of all servers, where it is not the address that they are reached at. */
  readonly servername?: string | undefined
}

/** Undefined: plain connections. Errors: ClientError ARGUMENT. */
export function tlsClientOf(given: boolean | TlsOptions | undefined): TlsClient | undefined {
  if (given === undefined || given === false) return undefined
  if (given === true) return { trust: 'any' }
  const { ca, cert, key, passphrase, rejectUnauthorized = true, verifyHost = true, servername } = given
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key']
    throw new ClientError('ARGUMENT', `tls.${there} is given without tls.${missing}: a client certificate needs both`)
  }
  const identity = cert === undefined || key === undefined ? undefined : { cert, key, passphrase }
  const trust = !rejectUnauthorized ? 'any' : verifyHost ? 'name' : 'chain'
  return { trust, ca, identity, servername }
}

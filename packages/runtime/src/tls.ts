/** Text or bytes in PEM form; several certificates may stand one after another. */
export type Pem = string | Uint8Array

/** Who one side is. */
export interface TlsIdentity {
  readonly key: Pem
  /** The own certificate first, then those that lead to the root. */
  readonly cert: Pem
  /** Of an encrypted key. */
  readonly passphrase?: string | undefined
}

/** RocketMQ's `tls.server.mode` (remoting.md 1.2): no TLS, both on one port, only TLS. */
export const tlsModes = ['disabled', 'permissive', 'enforcing'] as const
export type TlsMode = (typeof tlsModes)[number]

/** RocketMQ's `tls.server.need.client.auth`. */
export const tlsClientAuths = ['none', 'optional', 'require'] as const
export type TlsClientAuth = (typeof tlsClientAuths)[number]

export interface TlsServer {
  readonly mode: TlsMode
  /** Default: a self-signed certificate, made when the first client shakes hands. */
  readonly identity?: TlsIdentity | undefined
  /** Default none. With `optional`, a certificate that is shown must still be a good one. */
  readonly clientAuth?: TlsClientAuth | undefined
  /** Certificates of clients must lead to one of these. Default: any certificate will do. */
  readonly ca?: Pem | undefined
}

/** What a client asks of the server's certificate. */
export type TlsTrust =
  /** Nothing: the line is encrypted, and nobody knows with whom. RocketMQ's default. */
  | 'any'
  /** It leads to a root that we know, whatever name stands in it. What RocketMQ checks if it checks. */
  | 'chain'
  /** It also names the host that we connected to, or `servername`. What Node checks. */
  | 'name'

export interface TlsClient {
  readonly trust: TlsTrust
  /** Roots. Default: those that come with Node. */
  readonly ca?: Pem | undefined
  /** Shown to servers that ask for it. */
  readonly identity?: TlsIdentity | undefined
  /** Name to ask for and to look for in the certificate. Default: the host connected to. */
  readonly servername?: string | undefined
}

import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { Address } from '../net.ts'
import type { TlsClient } from '../tls.ts'
import { pem } from './tls-listener.ts'

/** Begins to connect; 'secureConnect' tells that the server's certificate is good enough for `trust`. */
export function connectTls({ host, port }: Address, { trust, ca, identity, servername }: TlsClient): TLSSocket {
  const name = servername ?? (isIP(host) === 0 ? host : undefined)
  const socket = connect({
    host,
    port,
    // An address is no server name (RFC 6066), but it is what the certificate is compared with.
    ...(name === undefined ? {} : { servername: name }),
    ...(ca === undefined ? {} : { ca: pem(ca) }),
    ...(identity === undefined
      ? {}
      : { key: pem(identity.key), cert: pem(identity.cert), passphrase: identity.passphrase }),
    rejectUnauthorized: trust !== 'any',
    ...(trust === 'name' ? {} : { checkServerIdentity: () => undefined }),
    minVersion: 'TLSv1.2',
  })
  socket.setNoDelay(true)
  return socket
}

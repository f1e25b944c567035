import { NetError, tlsErrorCode } from '../error.ts'
import { codeOf } from './code.ts'

/** What the system says when a certificate does not lead to a known root. */
export const untrusted: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
])
const ended: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED'])

/** Why a client could not agree with a server, and what to do. Undefined: the trouble is not about TLS. */
export function tlsReason(error: Error): string | undefined {
  const code = codeOf(error)
  if (untrusted.has(code)) {
    return (
      `its certificate is not signed by an authority that is known here (${code}): give tls.ca the certificate of the ` +
      'authority, or the server’s own one if it is self-signed; RocketMQ’s test mode makes a new one at every start, ' +
      'which only tls: true or rejectUnauthorized: false takes'
    )
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return `its certificate is for another name (${error.message}): give tls.servername the name that stands in it, or set tls.verifyHost to false`
  }
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired: the server needs a new one'
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is not valid yet: compare the clocks'
  if (code.startsWith('ERR_SSL_') && /CERTIFICATE|UNKNOWN_CA|HANDSHAKE_FAILURE/.test(code)) {
    return `it refuses our certificate, or wants one (${code}): give tls.cert and tls.key of an authority that it trusts`
  }
  if (code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return `what answers there does not speak TLS (${code}): leave tls away, or set the server’s tls.server.mode to permissive`
  }
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') ? `${error.message} (${code})` : undefined
}

/** A failed handshake of a client. */
export function handshakeError(peer: string, error: Error): NetError {
  const reason = tlsReason(error)
  if (reason !== undefined) return new NetError(tlsErrorCode, `no TLS with ${peer}: ${reason}`, error)
  const code = codeOf(error)
  if (ended.has(code)) {
    const why = `it closed the connection during the handshake (${code}): its tls.server.mode may be disabled, or it is not a RocketMQ server`
    return new NetError(tlsErrorCode, `no TLS with ${peer}: ${why}`, error)
  }
  return new NetError(code, `no TLS with ${peer}: ${error.message}`, error)
}

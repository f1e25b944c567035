import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { TlsIdentity } from '../tls.ts'

/** DER (X.690): a tag, the length, the content. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Uint8Array.of(tag, ...head), content])
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts)
const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts)
const identifier = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const text = (value: string) => der(0x0c, Buffer.from(value))
const bits = (bytes: Uint8Array) => der(0x03, Uint8Array.of(0), bytes)
const octets = (bytes: Uint8Array) => der(0x04, bytes)
/** GeneralizedTime, which any year fits into; RFC 5280 wants UTCTime before 2050. */
const time = (date: Date) => {
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '')
  return date.getUTCFullYear() < 2050 ? der(0x17, Buffer.from(digits.slice(2))) : der(0x18, Buffer.from(digits))
}

const ecdsaWithSha256 = sequence(identifier('2a8648ce3d040302'))
const commonName = identifier('550403')
const subjectAltName = identifier('551d11')
const basicConstraints = identifier('551d13')
const dayMs = 86_400_000
const years = 10

/**
 * A certificate for localhost that signs itself, with a fresh P-256 key, good for ten years: RocketMQ's test mode. Made
 * by hand since Node makes keys and signatures but no certificates (RFC 5280, the fields that readers insist on).
 */
export function selfSigned(nowMs = Date.now()): TlsIdentity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const body = certificateBody(publicKey, nowMs)
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, privateKey)))
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? []
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
  }
}

function certificateBody(publicKey: KeyObject, nowMs: number): Buffer {
  const name = sequence(set(sequence(commonName, text('localhost'))))
  const alternatives = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Uint8Array.of(127, 0, 0, 1)))
  const yes = der(0x01, Uint8Array.of(0xff))
  return sequence(
    der(0xa0, der(0x02, Uint8Array.of(2))),
    der(0x02, serial(publicKey)),
    ecdsaWithSha256,
    name,
    sequence(time(new Date(nowMs - dayMs)), time(new Date(nowMs + years * 365 * dayMs))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(sequence(basicConstraints, yes, octets(sequence(yes))), sequence(subjectAltName, octets(alternatives))),
    ),
  )
}

/** Positive, never the same twice. */
function serial(publicKey: KeyObject): Buffer {
  const digest = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .update(randomBytes(8))
  const bytes = digest.digest().subarray(0, 16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Clock } from '@skua-mq/runtime'
import { Problem } from '../problem.ts'
import { writeTo } from './reader.ts'

/** Largest answer; what would be larger is to be asked for in parts. */
export const maxAnswerBytes = 16 * 1024 * 1024
/** From here on answers are compressed. */
const zippedFrom = 8_192
/** Largest body of a request: a message of RocketMQ's 4 MiB as JSON. */
export const maxRequestBytes = 6 * 1024 * 1024

const zip = promisify(gzip)

/** No script but our own, no frame around us, nothing from elsewhere; texts never become code. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

export function securityHeaders(response: ServerResponse): void {
  response.setHeader('content-security-policy', policy)
  response.setHeader('x-content-type-options', 'nosniff')
  response.setHeader('x-frame-options', 'DENY')
  response.setHeader('referrer-policy', 'no-referrer')
  response.setHeader('cross-origin-opener-policy', 'same-origin')
  response.setHeader('cross-origin-resource-policy', 'same-origin')
}

/** Whom the socket leads to. What proxies say of others is not believed. */
export const addressOf = ({ socket }: IncomingMessage): string =>
  (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d)/, '')

export function answerJson(response: ServerResponse, status: number, value: unknown): void {
  if (status === 413) response.setHeader('connection', 'close')
  const body = JSON.stringify(value)
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.writeHead(status)
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

/** As `answerJson`, compressed in the pool where it is large; over when it is read, or nobody reads. Errors: TOO_LARGE. */
export async function answerLargeJson(response: ServerResponse, value: unknown, clock: Clock): Promise<void> {
  const body = Buffer.from(JSON.stringify(value))
  if (body.length > maxAnswerBytes)
    throw new Problem(
      507,
      'TOO_LARGE',
      `the answer has ${body.length} bytes, ${maxAnswerBytes} is the most: ask for less`,
    )
  const isZipped = body.length >= zippedFrom && /\bgzip\b/.test(String(response.req.headers['accept-encoding'] ?? ''))
  const bytes = isZipped ? await zip(body, { level: 1 }) : body
  if (response.destroyed) return
  response.setHeader('content-type', 'application/json; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  if (isZipped) response.setHeader('content-encoding', 'gzip')
  response.setHeader('content-length', bytes.length)
  response.writeHead(200)
  if (response.req.method !== 'HEAD') await writeTo(response, clock, bytes)
  response.end()
}

/** The body of a request as JSON; an empty one is {}. Errors: TOO_LARGE, NOT_JSON. */
export async function readJson(request: IncomingMessage, maxBytes = maxRequestBytes): Promise<Record<string, unknown>> {
  const told = (request as IncomingMessage & { body?: unknown }).body
  // A framework may have read it already.
  const value = told !== undefined && told !== null ? told : parse(await readBytes(request, maxBytes))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Problem(400, 'NOT_JSON', 'the body of a change is a JSON object')
  return value as Record<string, unknown>
}

function readBytes(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > maxBytes) {
        // What is there is let go, and the rest is not waited for: the answer closes the connection.
        chunks.length = 0
        request.pause()
        reject(new Problem(413, 'TOO_LARGE', `the request has more than ${maxBytes} bytes`))
      } else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('close', () => reject(new Problem(400, 'GONE', 'the request ended early')))
  })
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) return {}
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    throw new Problem(400, 'NOT_JSON', 'the body of a change is a JSON object')
  }
}

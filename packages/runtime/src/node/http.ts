import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Writable } from 'node:stream'
import type { Http, HttpAnswer, HttpListener, HttpRequest } from '../http.ts'
import type { Address } from '../net.ts'
import { listening } from './listening.ts'
import { plainHost } from './socket.ts'

/** Further connections are closed at once. */
export const maxHttpConnections = 32
/** Head of a request; a longer one is answered 431. */
export const maxHttpHeaderBytes = 8 * 1024
/** How long a request may take to come. */
export const httpRequestMs = 5_000
/** How long a connection may wait for its next request. */
export const httpKeepAliveMs = 20_000
/** How long a client may take to read an answer: one that never reads holds no more than a piece, and no longer. */
export const httpAnswerMs = 30_000
/** Answers that were made whole and are shorter than this are not compressed: a body that comes in pieces always is. */
const compressedFrom = 4_096

/** HTTP by node:http, which is loaded by the first `listen`. Bodies are compressed for those who take it, in the pool. */
export class NodeHttp implements Http {
  private readonly answerMs: number

  /** `answerMs`: default `httpAnswerMs`. */
  constructor({ answerMs = httpAnswerMs }: { readonly answerMs?: number } = {}) {
    this.answerMs = answerMs
  }

  async listen(at: Address, answer: (request: HttpRequest) => HttpAnswer): Promise<HttpListener> {
    const { createServer } = await import('node:http')
    const limits = {
      maxHeaderSize: maxHttpHeaderBytes,
      headersTimeout: httpRequestMs,
      requestTimeout: httpRequestMs,
      keepAliveTimeout: httpKeepAliveMs,
      connectionsCheckingInterval: 1_000,
    }
    const server = createServer(limits, (request, response) => {
      void this.serve(request, response, answer)
    })
    server.maxConnections = maxHttpConnections
    await listening(server, at)
    const { address, port } = server.address() as AddressInfo
    return { address: { host: plainHost(address), port }, close: () => closed(server) }
  }

  private async serve(
    request: IncomingMessage,
    response: ServerResponse,
    answer: (request: HttpRequest) => HttpAnswer,
  ): Promise<void> {
    // A connection that breaks is no news; without a listener it would end the process.
    response.on('error', () => {})
    const limit = setTimeout(() => response.destroy(), this.answerMs)
    try {
      await send(response, request, answerOf(request, answer))
    } catch {
      response.destroy()
    } finally {
      clearTimeout(limit)
    }
  }
}

function answerOf(request: IncomingMessage, answer: (request: HttpRequest) => HttpAnswer): HttpAnswer {
  const { method = '', url = '' } = request
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: 'text/plain', body: 'GET and HEAD only\n' }
  return answer({ method, path: url.split('?', 1)[0] ?? '' })
}

async function send(response: ServerResponse, request: IncomingMessage, { status, type, body }: HttpAnswer) {
  const isWhole = typeof body === 'string'
  const isZipped = takesGzip(request) && !(isWhole && body.length < compressedFrom)
  response.statusCode = status
  response.setHeader('Content-Type', type)
  if (status === 405) response.setHeader('Allow', 'GET, HEAD')
  // What else such a client has sent is not worth reading.
  if (status >= 400) response.setHeader('Connection', 'close')
  if (isZipped) response.setHeader('Content-Encoding', 'gzip')
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  if (isWhole && !isZipped) {
    response.end(body)
    await finished(response)
    return
  }
  const out = isZipped ? await zipInto(response) : response
  for await (const piece of isWhole ? [body] : body) {
    if (!out.write(piece)) await drained(out, response)
    if (response.destroyed) return
  }
  out.end()
  await finished(response)
}

/** The quickest level: a scrape of 2.3 MB becomes 86 KB in 4 ms, with the default 80 KB in 13 ms. */
async function zipInto(response: ServerResponse): Promise<Writable> {
  const { createGzip } = await import('node:zlib')
  const zip = createGzip({ level: 1 })
  response.on('close', () => zip.destroy())
  zip.on('error', () => response.destroy())
  zip.pipe(response)
  return zip
}

const takesGzip = ({ headers }: IncomingMessage): boolean =>
  /(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[^,]*)?(,|$)/i.test(String(headers['accept-encoding'] ?? ''))

/** Until what was written is taken, or nobody is there any more. */
function drained(out: Writable, response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    if (response.destroyed || !out.writableNeedDrain) {
      resolve()
      return
    }
    const over = () => {
      out.off('drain', over)
      response.off('close', over)
      resolve()
    }
    out.on('drain', over)
    response.on('close', over)
  })
}

/** Until the last byte has left for the kernel, or the connection is gone. */
function finished(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    if (response.destroyed || response.writableFinished) resolve()
    else response.once('close', resolve)
  })
}

function closed(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

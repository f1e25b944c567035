import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ControlAnswer, ControlRoutes } from './routes.ts'

/** The longest body of a question: a file of messages. */
const maxBodyBytes = 64 * 1024 * 1024

/** Answers questions about a test's broker over HTTP, on loopback, as JSON. */
export class ControlServer {
  private readonly routes: ControlRoutes
  private readonly server: Server

  constructor(routes: ControlRoutes) {
    this.routes = routes
    this.server = createServer((request, response) => {
      void this.answer(request).then(({ status, json }) => {
        response.writeHead(status, { 'Content-Type': 'application/json' })
        response.end(`${JSON.stringify(json)}\n`)
      })
    })
  }

  /** Port 0 finds a free one. Returns its address, `http://127.0.0.1:port`. */
  listen(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen(port, '127.0.0.1', () => {
        this.server.off('error', reject)
        resolve(`http://127.0.0.1:${(this.server.address() as AddressInfo).port}`)
      })
    })
  }

  /** Ends all connections, those that are being answered first. */
  close(): Promise<void> {
    return new Promise(resolve => {
      this.server.close(() => resolve())
      this.server.closeIdleConnections()
    })
  }

  private async answer(request: IncomingMessage): Promise<ControlAnswer> {
    // A page of the web that calls itself by a name of its own must not get at it.
    const host = request.headers.host ?? ''
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host)) return { status: 403, json: { error: `not for ${host}` } }
    try {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
      const body = await bodyOf(request)
      const { method = 'GET' } = request
      return await this.routes.answer({ method, path: pathname, query: searchParams, body })
    } catch (error) {
      return { status: 400, json: { error: (error as Error).message } }
    }
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBodyBytes) throw new RangeError(`a body of more than maxBodyBytes (${maxBodyBytes})`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks).toString('utf8')
}

import type { IncomingMessage, ServerResponse } from 'node:http'
import { checkChange, checkHost, checkSite } from '../access/origin.ts'
import { whoAsks } from '../access/who.ts'
import type { Dashboard } from '../dashboard.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { endpoints } from '../endpoints.ts'
import { openApi } from '../openapi.ts'
import { Problem, problemAnswer } from '../problem.ts'
import { addressOf, answerJson, securityHeaders } from './answer.ts'
import { answerEndpoint } from './call.ts'
import { answerLogin, answerLogout, answerMe } from './login.ts'
import type { PageFile } from './page.ts'

/** What a handler of one request is given. */
export interface Exchange {
  readonly dashboard: Dashboard
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Where the dashboard is mounted, without a slash at its end. */
  readonly base: string
  readonly query: URLSearchParams
  readonly from: string
}

const byName = new Map<string, AnyEndpoint>(endpoints.map(endpoint => [endpoint.name, endpoint]))

/** Answers one request, whatever comes of it: nothing that is asked may end the process. */
export async function serve(dashboard: Dashboard, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.on('error', () => {})
  request.on('error', () => {})
  try {
    securityHeaders(response)
    const { path, base, query } = placeOf(dashboard, request)
    const exchange: Exchange = { dashboard, request, response, base, query, from: addressOf(request) }
    checkHost(request.headers, dashboard.rules)
    if (path === undefined) {
      // Addresses of the page are relative to its folder.
      response.writeHead(308, { location: `${base.slice(base.lastIndexOf('/') + 1)}/` }).end()
      return
    }
    await route(exchange, path)
  } catch (error) {
    if (response.headersSent) response.destroy()
    else answerProblem(response, error)
  }
}

async function route(exchange: Exchange, path: string): Promise<void> {
  const { dashboard, request } = exchange
  const { rules } = dashboard
  const { method = 'GET' } = request
  if (!path.startsWith('api/')) {
    checkSite(request.headers, rules, true)
    answerPage(exchange, path)
    return
  }
  const name = path.slice('api/'.length)
  if (method === 'GET' || method === 'HEAD') checkSite(request.headers, rules, false)
  else checkChange(request.headers, rules)
  const own = ownAnswers[`${method} ${name}`]
  if (own !== undefined) return own(exchange)
  const endpoint = byName.get(name)
  if (endpoint === undefined)
    throw new Problem(404, 'NO_SUCH_ENDPOINT', `there is no api/${name}: api/openapi.json says what there is`)
  if (endpoint.method !== method)
    throw new Problem(405, 'METHOD', `api/${name} is asked with ${endpoint.method}, not ${method}`)
  const user = whoAsks(dashboard, request)
  await answerEndpoint(exchange, endpoint, user)
}

const ownAnswers: Readonly<Record<string, (exchange: Exchange) => Promise<void> | void>> = {
  'GET me': answerMe,
  'POST login': answerLogin,
  'POST logout': answerLogout,
  'GET openapi.json': ({ response }) => answerJson(response, 200, openApi()),
}

function answerPage({ dashboard, request, response }: Exchange, path: string): void {
  const file = dashboard.page.get(path === '' ? 'index.html' : path)
  if (file === undefined) throw new Problem(404, 'NOT_FOUND', 'there is no such page: the dashboard begins at its root')
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new Problem(405, 'METHOD', 'pages are asked with GET')
  response.setHeader('etag', file.tag)
  response.setHeader('cache-control', 'no-cache')
  if (request.headers['if-none-match'] === file.tag) {
    response.writeHead(304).end()
    return
  }
  sendFile(request, response, file)
}

function sendFile(request: IncomingMessage, response: ServerResponse, { type, bytes, zipped }: PageFile): void {
  const isZipped = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
  response.setHeader('content-type', type)
  if (isZipped) response.setHeader('content-encoding', 'gzip')
  response.writeHead(200)
  response.end(request.method === 'HEAD' ? undefined : isZipped ? zipped : bytes)
}

/** The path below the dashboard's own place; undefined for the place itself, without its slash. */
function placeOf({ options }: Dashboard, request: IncomingMessage) {
  const { url = '/', baseUrl, originalUrl } = request as IncomingMessage & { baseUrl?: string; originalUrl?: string }
  const [path = '/', search = ''] = split(url)
  const query = new URLSearchParams(search)
  const own = options.basePath ?? ''
  if (own !== '' && (path === own || path.startsWith(`${own}/`)))
    return { base: own, query, path: path === own ? undefined : path.slice(own.length + 1) }
  // A framework that has cut its place off tells it there, and gives "/" for the place without a slash as well.
  const mounted = typeof baseUrl === 'string' ? baseUrl : ''
  const isBare = mounted !== '' && split(originalUrl ?? '')[0] === mounted
  if (own !== '' && mounted === '') throw new Problem(404, 'NOT_FOUND', `the dashboard is at ${own}/`)
  return { base: mounted, query, path: isBare ? undefined : path.replace(/^\//, '') }
}

const split = (url: string): [path: string, search: string] => {
  const at = url.indexOf('?')
  return at === -1 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}

/** The cause as JSON. */
export function answerProblem(response: ServerResponse, error: unknown): void {
  const { status, body } = problemAnswer(error)
  answerJson(response, status, body)
}

import { request } from 'node:http'
import { type DashboardListener, type ListenOptions, startDashboard } from '../src/index.ts'

/** A page that is none, for tests of the API. */
export const noPage = new Map([['index.html', Buffer.from('<!doctype html>')]])

/** What came back. */
export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
  /** Of JSON. */
  readonly body: Record<string, never> & { readonly [name: string]: never }
}

/** A dashboard at a free port. */
export const dash = (options: Partial<ListenOptions> & Pick<ListenOptions, 'namesrvAddr' | 'clusters'>) =>
  startDashboard({ port: 0, page: noPage, sampleMs: 0, ...options })

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Asks as a program does: fetch would not let a test say what Host it comes to. */
export function get(listener: Pick<DashboardListener, 'port'>, path: string, asked: Asked = {}): Promise<Got> {
  const { method = 'GET', body } = asked
  const changing =
    method === 'POST' ? { 'content-type': 'application/json', 'x-skua-dashboard': '1' } : ({} as Record<string, string>)
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: listener.port,
        path,
        method,
        headers: { ...changing, ...asked.headers },
        agent: false,
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', chunk => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const isJson = String(response.headers['content-type']).startsWith('application/json')
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            body: isJson && text !== '' ? JSON.parse(text) : {},
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

export const post = (listener: Pick<DashboardListener, 'port'>, path: string, body: unknown, asked: Asked = {}) =>
  get(listener, path, { ...asked, method: 'POST', body })

/** The query of an endpoint. */
export const query = (params: Readonly<Record<string, string | number>>): string =>
  new URLSearchParams(Object.entries(params).map(([name, value]): [string, string] => [name, String(value)])).toString()

/** Events of a stream that has ended. */
export const eventsOf = (text: string): { readonly kind: string; readonly data: never }[] =>
  text
    .split('\n\n')
    .map(block => /^event: (\w+)\ndata: (.*)$/s.exec(block))
    .filter(found => found !== null)
    .map(([, kind = '', data = '']) => ({ kind, data: JSON.parse(data) as never }))

/** Values of a file of JSON lines. */
export const linesOf = (text: string): unknown[] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as unknown)

import { place } from './route.ts'

/** What went wrong, as the API tells it. */
export class ApiError extends Error {
  readonly code: string
  readonly address: string | undefined

  constructor(code: string, message: string, address?: string) {
    super(message)
    this.code = code
    this.address = address
  }
}

export type Params = Readonly<Record<string, unknown>>

function queryOf(params: Params): string {
  const query = new URLSearchParams()
  if (place.cluster !== undefined) query.set('cluster', place.cluster)
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === '') continue
    if (Array.isArray(value)) query.set(name, value.map(one => encodeURIComponent(String(one))).join(','))
    else query.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  const text = query.toString()
  return text === '' ? '' : `?${text}`
}

async function answerOf<T>(response: Response): Promise<T> {
  const body = await response.json().catch(() => undefined)
  if (response.ok && body !== undefined) return body as T
  const error = body?.error
  if (response.status === 401 && error?.code === 'LOGIN') dispatchEvent(new Event('skua-login'))
  throw new ApiError(error?.code ?? `HTTP_${response.status}`, error?.message ?? response.statusText, error?.address)
}

/** Answers that were asked for before there was somebody to take them, by their addresses. */
const begun = new Map<string, Promise<unknown>>()

/** Asks for what will be needed: the next `ask` of the same address gets this answer. One that fails is asked for again. */
export function begin(name: string, params: Params = {}): void {
  const path = pathOf(name, params)
  const answer = ask(name, params)
  begun.set(path, answer)
  answer.catch(() => begun.delete(path))
}

/** Asks; nothing is changed by it. */
export async function ask<T>(name: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  const path = pathOf(name, params)
  const early = begun.get(path) as Promise<T> | undefined
  begun.delete(path)
  return early ?? answerOf<T>(await reach(path, { signal: signal ?? null }))
}

const pathOf = (name: string, params: Params = {}): string => `api/${name}${queryOf(params)}`

/** Where a file is that the browser fetches by itself. */
export const addressOf = (name: string, params: Params = {}): string => pathOf(name, params)

/** Changes, or asks with a body. */
export async function change<T>(name: string, params: Params = {}): Promise<T> {
  // What was asked for before a change, or before somebody signed in, is no answer to what is asked after it.
  begun.clear()
  return answerOf<T>(await reach(`api/${name}`, changing(name, params)))
}

const changing = (name: string, params: Params): RequestInit => {
  const own = name === 'login' || name === 'logout' || place.cluster === undefined ? {} : { cluster: place.cluster }
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-skua-dashboard': '1' },
    body: JSON.stringify({ ...params, ...own }),
  }
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: 'same-origin', ...init })
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error
    throw new ApiError('UNREACHABLE', (error as Error).message)
  }
}

/** Events of a stream, one after another; ends with it, or when the signal is aborted. */
export async function* events<T>(
  name: string,
  params: Params,
  { signal, method = 'GET' }: { readonly signal: AbortSignal; readonly method?: 'GET' | 'POST' },
): AsyncGenerator<T, void, void> {
  const init = method === 'GET' ? { signal } : { ...changing(name, params), signal }
  const response = await reach(method === 'GET' ? pathOf(name, params) : `api/${name}`, init)
  if (!response.ok || response.body === null) await answerOf(response)
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      text += value
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const block = text.slice(0, end)
        text = text.slice(end + 2)
        const found = /^event: (\w+)\ndata: ([\s\S]*)$/.exec(block)
        if (found === null) continue
        const data = JSON.parse(found[2]!)
        if (found[1] === 'data') yield data as T
        else if (found[1] === 'problem') throw new ApiError(data.code, data.message, data.address)
      }
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

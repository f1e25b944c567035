import { every } from '@skua-mq/runtime'
import { type Dashboard, maxRequests } from '../dashboard.ts'
import type { AnyEndpoint, Ask, Endpoint, StreamEndpoint, User } from '../endpoint.ts'
import { Problem, problemAnswer } from '../problem.ts'
import { type Members, optional, problemOf, type Schema, text } from '../schema.ts'
import { answerLargeJson, readJson } from './answer.ts'
import { answerFile } from './file.ts'
import type { Exchange } from './handler.ts'
import { writeTo } from './reader.ts'

/** Longest time of a question, where the endpoint says nothing else. */
export const answerMs = 15_000
/** A stream that has nothing to say lives on by this. */
const aliveMs = 15_000

/** Parameter that every endpoint has. */
export const clusterParam: Schema<string | undefined> = optional(
  text({ max: 255, help: 'name of the cluster; default: the first one' }),
)

/** Reads, checks, asks and answers. */
export async function answerEndpoint(exchange: Exchange, endpoint: AnyEndpoint, user: User): Promise<void> {
  const { dashboard, response, from } = exchange
  if (endpoint.role === 'admin' && user.role !== 'admin')
    throw new Problem(403, 'ROLE', `${user.name} may look and not change: ${endpoint.name} needs the role admin`)
  const leave = enter(dashboard, endpoint, { user, response })
  const ended = new AbortController()
  const end = () => ended.abort()
  response.on('close', end)
  dashboard.closed.addEventListener('abort', end)
  try {
    const { cluster: name, ...given } = await givenOf(exchange, endpoint)
    const cluster = dashboard.clusterNamed(name as string | undefined)
    const ask: Ask = { cluster, dashboard, user, from, signal: ended.signal }
    let isLogged = false
    const log = (problem: string | null) => {
      if (isLogged) return
      isLogged = true
      if (endpoint.method !== 'POST' || endpoint.role !== 'admin') return
      cluster.changed()
      dashboard.changes.add({ user, from, cluster: cluster.name }, { action: endpoint.name, params: given, problem })
    }
    try {
      if ('stream' in endpoint)
        log(
          (await answerStream(exchange, endpoint, ask, given))
            ? null
            : 'ended before it was through: nobody waited any more',
        )
      else if ('lines' in endpoint) await answerFile(exchange, endpoint, ask, given)
      else {
        const answer = await inTime(exchange, endpoint, ask, given)
        log(null)
        await answerLargeJson(response, answer, dashboard.runtime.clock)
      }
    } catch (error) {
      log(problemAnswer(error).body.error.message)
      throw error
    }
  } finally {
    leave()
    response.off('close', end)
    dashboard.closed.removeEventListener('abort', end)
    // What still runs behind an answer is told that nobody waits.
    ended.abort()
  }
}

/** Takes a place; returns what gives it back. Errors: BUSY. */
function enter(
  dashboard: Dashboard,
  endpoint: AnyEndpoint,
  { user, response }: { readonly user: User; readonly response: Exchange['response'] },
): () => void {
  try {
    if (!('run' in endpoint)) return dashboard.streams.begin(user, 'lines' in endpoint)
    if (dashboard.running >= maxRequests)
      throw new Problem(503, 'BUSY', 'the dashboard has enough to do: close some tabs, or try again in a second')
  } catch (error) {
    response.setHeader('retry-after', '1')
    throw error
  }
  dashboard.running++
  return () => {
    dashboard.running--
  }
}

/** Parameters of the query or the body. Errors: ARGUMENT, which names the parameter. */
async function givenOf(exchange: Exchange, endpoint: AnyEndpoint): Promise<Record<string, unknown>> {
  const { request, query } = exchange
  const params: Members = { ...(endpoint.params as Members), cluster: clusterParam }
  const given = endpoint.method === 'POST' ? await readJson(request) : queryOf(query, params)
  const stranger = Object.keys(given).find(name => !Object.hasOwn(params, name))
  if (stranger !== undefined)
    throw new Problem(400, 'ARGUMENT', `${endpoint.name} takes no ${stranger}, but ${Object.keys(params).join(', ')}`)
  for (const [name, schema] of Object.entries(params)) {
    const problem = problemOf(schema, given[name], name)
    if (problem !== undefined) throw new Problem(400, 'ARGUMENT', problem)
  }
  return given
}

function queryOf(query: URLSearchParams, params: Members): Record<string, unknown> {
  // Names of others are none of ours, those that every object has as well.
  const given: Record<string, unknown> = Object.create(null)
  for (const [name, value] of query) given[name] = Object.hasOwn(params, name) ? params[name]!.read(value) : value
  return given
}

/** Errors: TIMEOUT. What was asked goes on for as long as its own limits let it. */
function inTime(exchange: Exchange, endpoint: Endpoint<never, unknown>, ask: Ask, given: object) {
  const { clock } = exchange.dashboard.runtime
  const ms = endpoint.timeMs ?? answerMs
  return new Promise<unknown>((resolve, reject) => {
    const timer = clock.after(ms, () => {
      const what = `${endpoint.name} took longer than ${ms / 1000} s`
      reject(new Problem(504, 'TIMEOUT', `${what}: see whether the brokers are reached and not overloaded`))
    })
    const run = async () => endpoint.run(ask, given as never)
    run()
      .then(resolve, reject)
      .finally(() => timer.cancel())
  })
}

/** Server-sent events: `data` for each event, at the end `done`, or `problem` with the cause. A slow reader is waited for. Whether it came to its end. */
async function answerStream(
  { dashboard, response }: Exchange,
  endpoint: StreamEndpoint<never, unknown>,
  ask: Ask,
  given: object,
): Promise<boolean> {
  const { clock } = dashboard.runtime
  response.setHeader('content-type', 'text/event-stream; charset=utf-8')
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-accel-buffering', 'no')
  response.writeHead(200)
  response.flushHeaders()
  const write = async (kind: string, value: unknown): Promise<void> => {
    if (!response.destroyed) await writeTo(response, clock, `event: ${kind}\ndata: ${JSON.stringify(value)}\n\n`)
  }
  const beat = every(clock, aliveMs, () => {
    if (!response.destroyed && !response.writableNeedDrain) response.write(': alive\n\n')
  })
  const events = endpoint.stream(ask, given as never)
  try {
    for await (const event of events) {
      if (ask.signal.aborted) break
      await write('data', event)
    }
    const isWhole = !ask.signal.aborted
    await write('done', {})
    return isWhole
  } catch (error) {
    await write('problem', problemAnswer(error).body.error)
    throw error
  } finally {
    beat.cancel()
    response.end()
  }
}

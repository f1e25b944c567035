import type { Ask, FileEndpoint } from '../endpoint.ts'
import { problemAnswer } from '../problem.ts'
import type { Exchange } from './handler.ts'
import { writeTo } from './reader.ts'

/** JSON lines, one value each. */
export const lineType = 'application/x-ndjson'

/** Names of files as headers have them: a plain one for old readers, and the true one. */
const disposition = (name: string): string =>
  `attachment; filename="${name.replace(/[^\w.%-]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, one => `%${one.charCodeAt(0).toString(16)}`)}`

/**
 * Writes a file line by line. What is read from brokers waits for its reader; one who leaves ends it, and so does the dashboard's end: then
 * there is no last line, and the connection is cut. Errors that come before the first line are an answer of their own.
 */
export async function answerFile(
  { dashboard, response, request }: Exchange,
  endpoint: FileEndpoint<never, unknown, unknown>,
  ask: Ask,
  given: object,
): Promise<void> {
  const { clock } = dashboard.runtime
  const lines = endpoint.lines(ask, given as never)
  const write = (value: unknown) => writeTo(response, clock, Buffer.from(`${JSON.stringify(value)}\n`))
  let count = 0
  try {
    let next = await lines.next()
    response.setHeader('content-type', `${lineType}; charset=utf-8`)
    response.setHeader('content-disposition', disposition(endpoint.fileName(given as never)))
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-accel-buffering', 'no')
    response.writeHead(200)
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    for (; next.done !== true && !ask.signal.aborted; next = await lines.next()) {
      await write(next.value)
      count++
    }
    if (ask.signal.aborted) response.destroy()
    else if (next.done === true) await write(next.value)
  } catch (error) {
    if (!response.headersSent) throw error
    await write(endpoint.broken(problemAnswer(error).body.error.message, count))
  } finally {
    await lines.return(undefined)
    response.end()
  }
}

import type { Server } from 'node:net'
import { NetError } from '../error.ts'
import type { Address } from '../net.ts'
import { codeOf, reasonOf } from './code.ts'

/**
 * Resolves when the server listens; an empty host, 0.0.0.0 and :: mean every address of both families. `backlog`: default Node's.
 * Errors: NetError with the system's code.
 */
export function listening(server: Server, { host, port }: Address, backlog?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) =>
      reject(new NetError(codeOf(error), `cannot listen on ${host}:${port}: ${reasonOf(error)}`, error))
    server.once('error', onError)
    const isAny = host === '' || host === '0.0.0.0' || host === '::'
    server.listen({ port, ...(backlog === undefined ? {} : { backlog }), ...(isAny ? {} : { host }) }, () => {
      server.off('error', onError)
      // A port that breaks later costs who looks on, and nothing else.
      server.on('error', () => {})
      resolve()
    })
  })
}

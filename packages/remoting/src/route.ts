import type { Command, HeaderOf, ReplyHeaderOf, RequestSpec } from '@skua-mq/protocol'
import type { Connection } from './connection.ts'
import type { Reply } from './reply.ts'

/** What a handler may want to know beside its header. Valid until the handler has returned (or its promise is settled). */
export interface Call {
  readonly connection: Connection
  /** The request as it came: version, language, extFields, opaque. */
  readonly command: Command
  /** Empty when the request had none. A copy: it may be kept. */
  readonly body: Uint8Array
}

export type Handler<Q> = (
  header: HeaderOf<Q>,
  call: Call,
) => Reply<ReplyHeaderOf<Q>> | typeof noReply | Promise<Reply<ReplyHeaderOf<Q>> | typeof noReply>

/** For the few requests which the protocol leaves without any answer (e.g. 37 with value 0). */
export const noReply = Symbol('no reply')

/** A request and who answers it; lists of routes are what a server is made of. */
export interface Route {
  readonly request: RequestSpec
  /** What its answer may bring into memory before anybody takes it; nothing where it is left out. */
  readonly readBytes?: number | undefined
  readonly handle: (header: never, call: Call) => ReturnType<Handler<RequestSpec>>
}

/** Ties a handler to its request; the header's type comes from the table. */
export function route<Q extends RequestSpec<never, never, never, never> | RequestSpec>(
  request: Q,
  handle: Handler<Q>,
  { readBytes }: Pick<Route, 'readBytes'> = {},
): Route {
  return { request: request as RequestSpec, handle: handle as Route['handle'], readBytes }
}

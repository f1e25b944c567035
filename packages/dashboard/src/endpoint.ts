import type { Cluster } from './cluster.ts'
import type { Dashboard } from './dashboard.ts'
import type { Members, Schema, ValuesOf } from './schema.ts'

/** What somebody may do: `view` reads, `admin` changes as well. */
export type Role = 'view' | 'admin'

/** Who asks. */
export interface User {
  readonly name: string
  readonly role: Role
}

/** What a handler is given beside its parameters. */
export interface Ask {
  readonly cluster: Cluster
  readonly dashboard: Dashboard
  readonly user: User
  /** Address of whoever asks. */
  readonly from: string
  /** Aborted when the page has gone, or the time is over. */
  readonly signal: AbortSignal
}

interface Common<P extends Members> {
  /** Its path below `api/`. */
  readonly name: string
  /** GET asks, POST changes. */
  readonly method: 'GET' | 'POST'
  readonly role: Role
  /** One sentence for the OpenAPI document. */
  readonly help: string
  readonly params: P
  /** Longest time, ms. Default 15 s. */
  readonly timeMs?: number
}

/** A question with one answer. */
export interface Endpoint<P extends Members = Members, A = unknown> extends Common<P> {
  readonly answer: Schema<A>
  run(ask: Ask, params: ValuesOf<P>): Promise<A> | A
}

/** Work that tells how far it has come; each event is an answer of its own. Whoever closes the connection ends it. */
export interface StreamEndpoint<P extends Members = Members, A = unknown> extends Common<P> {
  readonly event: Schema<A>
  stream(ask: Ask, params: ValuesOf<P>): AsyncGenerator<A, void, void>
}

/** A file that is written as it is read from brokers: a JSON value a line, and a last line that tells its end. Whoever closes the connection ends it. */
export interface FileEndpoint<P extends Members = Members, A = unknown, E = unknown> extends Common<P> {
  readonly line: Schema<A>
  /** Of the last line. */
  readonly end: Schema<E>
  fileName(params: ValuesOf<P>): string
  /** A line for each, at the end what the last line says. */
  lines(ask: Ask, params: ValuesOf<P>): AsyncGenerator<A, E, void>
  /** The last line where it did not come to its end, after so many. */
  broken(problem: string, lines: number): E
}

export type AnyEndpoint =
  | Endpoint<never, unknown>
  | StreamEndpoint<never, unknown>
  | FileEndpoint<never, unknown, unknown>

/** Infers the types. */
export const endpoint = <P extends Members, A>(spec: Endpoint<P, A>): Endpoint<P, A> => spec
export const streamEndpoint = <P extends Members, A>(spec: StreamEndpoint<P, A>): StreamEndpoint<P, A> => spec
export const fileEndpoint = <P extends Members, A, E>(spec: FileEndpoint<P, A, E>): FileEndpoint<P, A, E> => spec

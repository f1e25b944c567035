import { AdminError, type AdminSession, type Where } from '@skua-mq/admin'
import type { Flags, Values } from './flag.ts'
import type { Block } from './table.ts'

/** What a subcommand is given. */
export interface Context<F extends Flags> {
  readonly session: AdminSession
  readonly flags: Values<F>
}

/** A subcommand: its flags, what it does, and how that is shown. `--json` prints what `run` returns. */
export interface Subcommand<F extends Flags, T> {
  /** Request codes that it sends, for the page of all subcommands. */
  readonly requests: string
  /** Further sentences of its help. */
  readonly notes?: string
  /** It changes something: it has `--dry-run`. */
  readonly changes?: true
  readonly flags: F
  run(context: Context<F>): Promise<T>
  show(result: T, context: Context<F>): readonly Block[]
  /** 1 where what was done is not all that was wanted. Default 0. */
  exitCode?(result: T): number
}

/** What is shown as it comes: `--json` prints an object a line. */
export interface Stream<F extends Flags, T> {
  readonly requests: string
  readonly notes?: string
  readonly changes?: true
  readonly flags: F
  stream(context: Context<F>): AsyncIterable<T>
  show(item: T, context: Context<F>): readonly Block[]
}

// biome-ignore lint/suspicious/noExplicitAny: of any flags and results; `subcommand` and `stream` have checked them
export type AnySubcommand = Subcommand<any, any> | Stream<any, any>

// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyContext = Context<any>

/** Infers the types of a table. */
export const subcommand = <F extends Flags, T>(table: Subcommand<F, T>): Subcommand<F, T> => table
export const stream = <F extends Flags, T>(table: Stream<F, T>): Stream<F, T> => table

/** `-b` or `-c`, one of which must be given. Errors: ARGUMENT. */
export function whereOf(flags: {
  readonly brokerAddr: string | undefined
  readonly clusterName: string | undefined
}): Where {
  const { brokerAddr, clusterName } = flags
  if (brokerAddr === undefined && clusterName === undefined)
    throw new AdminError('ARGUMENT', 'give a broker (-b host:port) or a cluster (-c name)')
  return brokerAddr === undefined ? { clusterName } : { brokerAddr }
}

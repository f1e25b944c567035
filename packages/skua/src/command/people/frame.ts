import type { AdminSession } from '@skua-mq/admin'
import type { Block } from '../mqadmin/frame/table.ts'
import type { Terminal } from '../mqadmin/frame/terminal.ts'
import type { AnyLiveCommand } from './live.ts'
import type { OpenScreenOf } from './screen.ts'

/** Where a command for people prints and asks; a test reads along and answers. */
export interface Desk extends Terminal {
  /** Undefined where nobody sits: what is not asked is not done. */
  readonly ask: ((question: string) => Promise<string>) | undefined
  /** Undefined where there is no terminal, but a file or a pipe. */
  readonly screen?: OpenScreenOf | undefined
  /** Has a person change a text; `editor` is a command line. */
  readonly edit?:
    | ((text: string, how: { readonly editor: string; readonly name: string }) => Promise<string>)
    | undefined
}

/** What a command is given. `O` are its own flags by commander's names. */
export interface Given<O = object> {
  readonly session: AdminSession
  /** Words behind the command's name. */
  readonly words: readonly string[]
  readonly options: O
  readonly timeoutMs: number
  readonly isJson: boolean
  /** Prints while it works; nothing under `--json`. */
  say(...blocks: readonly Block[]): Promise<void>
  /** Whether a person at the terminal says yes. Errors: ARGUMENT where nobody sits. */
  confirm(question: string): Promise<boolean>
  /** Has a person change a text in their editor. Errors: ARGUMENT where there is none. */
  edit(text: string, name: string): Promise<string>
}

/** A command for people: what it does and how that is shown. `--json` prints what `run` returns. */
export interface PersonCommand<O, T> {
  run(given: Given<O>): Promise<T>
  show(result: T, given: Given<O>): readonly Block[]
  /** Sentences for standard error; with any, the exit code is 1. */
  problems?(result: T): readonly string[]
  /** Where the result itself says it. Default: by `problems`. */
  exitCode?(result: T): number
}

/** Infers the types. */
export const personCommand = <O, T>(command: PersonCommand<O, T>): PersonCommand<O, T> => command

// biome-ignore lint/suspicious/noExplicitAny: of any flags and results; `personCommand` has checked them
export type AnyPersonCommand = PersonCommand<any, any>

/** A flag as commander takes it. */
export interface FlagOf {
  readonly flag: string
  readonly help: string
  /** `before` is what the flag became when it was given before. */
  // biome-ignore lint/suspicious/noExplicitAny: what a parser makes of a text is its own
  readonly parse?: (text: string, before: any) => unknown
  readonly standard?: string | number
  readonly needed?: true
}

/** A line of the list: what is known of a command before it is loaded. */
export interface Entry {
  /** `topics`, or `offsets show` for one below another. */
  readonly name: string
  /** As commander writes them: `<group>` `[id...]`. */
  readonly words?: string
  readonly help: string
  readonly flags: readonly FlagOf[]
  /** Longest wait for an answer. Default 5000. */
  readonly timeoutMs?: number
  load(): Promise<AnyPersonCommand | AnyLiveCommand>
}

import { createInterface } from 'node:readline/promises'
import { AdminError, connect } from '@skua-mq/admin'
import { editText } from '@skua-mq/runtime'
import { oneLine } from '../fail.ts'
import { accessOf } from '../mqadmin/frame/access.ts'
import { jsonText } from '../mqadmin/frame/json.ts'
import type { Block } from '../mqadmin/frame/table.ts'
import { processTerminal } from '../mqadmin/frame/terminal.ts'
import { tlsOf } from '../tls-flags.ts'
import type { AnyPersonCommand, Desk, Entry, Given } from './frame.ts'
import { carryOutLive } from './live.ts'
import { processScreen } from './screen.ts'

/** Flags that every command has. */
export interface CommonFlags {
  readonly namesrvAddr: string
  readonly timeoutMs: number
  readonly json?: boolean
  readonly tls?: boolean
  readonly tlsCa?: string
  readonly accessKey?: string
  readonly secretKey?: string
}

/** One command line. */
export interface PersonRun {
  readonly entry: Entry
  readonly words: readonly string[]
  readonly options: CommonFlags
  readonly env: Readonly<Record<string, string | undefined>>
  /** Default: this process's terminal. */
  readonly desk: Desk | undefined
}

/** Standard output, standard error and, where somebody sits there, standard input. */
const processDesk: Desk = {
  ...processTerminal,
  get ask() {
    return process.stdin.isTTY === true ? askAtTerminal : undefined
  },
  edit: editText,
  get screen() {
    return processScreen()
  },
}

async function askAtTerminal(question: string): Promise<string> {
  // The question goes where no pipe takes it.
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await lines.question(question)
  } finally {
    lines.close()
  }
}

/** Runs it and answers the exit code: 0 done, 1 not. What went wrong is a line on standard error. */
export async function runPerson({ entry, words, options, env, desk = processDesk }: PersonRun): Promise<number> {
  // Who reads along may have enough of it: head, say.
  if (desk === processDesk)
    process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    const access = await accessOf(options, {
      accessKey: env['SKUA_ACCESS_KEY'],
      secretKey: env['SKUA_SECRET_KEY'],
      rocketmqHome: env['ROCKETMQ_HOME'],
    })
    const { namesrvAddr, timeoutMs } = options
    const connectTimeoutMs = Math.min(timeoutMs, 3000)
    const session = connect({ namesrvAddr, tls: tlsOf(options), timeoutMs, connectTimeoutMs, ...access })
    try {
      const command = await entry.load()
      const given = givenOf({ session, words, options, desk, env })
      return 'ticks' in command ? await carryOutLive(command, given, desk) : await carryOut(command, given, desk)
    } finally {
      await session.close()
    }
  } catch (error) {
    desk.error(`skua ${entry.name}: ${oneLine(error)}\n`)
    return 1
  }
}

function givenOf({
  session,
  words,
  options,
  desk,
  env,
}: Pick<Given, 'session' | 'words'> & {
  readonly options: CommonFlags
  readonly desk: Desk
  readonly env: PersonRun['env']
}): Given {
  const isJson = options.json === true
  return {
    session,
    words,
    options,
    timeoutMs: options.timeoutMs,
    isJson,
    say: (...blocks) => (isJson ? Promise.resolve() : print(desk, blocks)),
    confirm: async question => {
      if (desk.ask === undefined)
        throw new AdminError('ARGUMENT', 'nobody is at a terminal to say yes: add --yes, or --dry-run to only look')
      return /^y(es)?$/i.test((await desk.ask(`${question} [y/N] `)).trim())
    },
    edit: async (text, name) => {
      if (desk.edit === undefined) throw new AdminError('ARGUMENT', 'there is no editor here')
      return desk.edit(text, { editor: env['VISUAL'] || env['EDITOR'] || 'vi', name })
    },
  }
}

async function carryOut(command: AnyPersonCommand, given: Given, desk: Desk): Promise<number> {
  const result = await command.run(given)
  if (given.isJson) await desk.out(`${jsonText(result)}\n`)
  else await print(desk, command.show(result, given))
  const problems = command.problems?.(result) ?? []
  for (const problem of problems) desk.error(`skua: ${problem}\n`)
  return problems.length === 0 ? (command.exitCode?.(result) ?? 0) : 1
}

async function print(desk: Desk, blocks: readonly Block[]): Promise<void> {
  for (const { lines } of blocks) for (const line of lines) await desk.out(`${line}\n`)
}

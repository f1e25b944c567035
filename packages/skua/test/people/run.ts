import { Command, CommanderError } from 'commander'
import { addPeopleCommands } from '../../src/command/people/register.ts'

/** What a command line did. */
export interface Ran {
  readonly exitCode: number
  readonly output: string
  readonly errors: string
}

/** Runs a command for people in this process; a text is split at blanks. Nobody sits at a terminal without `answer`. */
export async function people(line: string | readonly string[], namesrvAddr: string, answer?: string): Promise<Ran> {
  let output = ''
  let errors = ''
  let exitCode = -1
  const out = (text: string) => {
    output += text
    return undefined
  }
  const error = (text: string) => {
    errors += text
  }
  const ask =
    answer === undefined
      ? undefined
      : async (question: string) => {
          errors += question
          return answer
        }
  const skua = new Command('skua').enablePositionalOptions()
  const done = (code: number) => {
    exitCode = code
  }
  addPeopleCommands(skua, { env: { NAMESRV_ADDR: namesrvAddr }, desk: { out, error, ask }, done })
  for (const command of [skua, ...skua.commands.flatMap(below => [below, ...below.commands])])
    command.exitOverride().configureOutput({ writeErr: error, writeOut: out })
  try {
    await skua.parseAsync(typeof line === 'string' ? line.split(' ').filter(word => word !== '') : line, {
      from: 'user',
    })
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown
    exitCode = thrown.exitCode
  }
  return { exitCode, output, errors }
}

/** The same with --json, read. */
export async function asJson<T>(line: string, namesrvAddr: string): Promise<T> {
  const { exitCode, output, errors } = await people(`${line} --json`, namesrvAddr)
  if (exitCode !== 0) throw new Error(`skua ${line} ended with ${exitCode}: ${errors}`)
  return JSON.parse(output) as T
}

/** Waits until something holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within 20 s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

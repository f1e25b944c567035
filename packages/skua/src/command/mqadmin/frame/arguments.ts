import { Command, type CommanderError } from 'commander'
import type { Flags } from './flag.ts'
import type { AnySubcommand } from './subcommand.ts'

/** Flags that every subcommand has. */
export interface CommonFlags {
  readonly namesrvAddr?: string
  readonly accessKey?: string
  readonly secretKey?: string
  readonly tls?: boolean
  readonly tlsCa?: string
  readonly timeout?: number
  readonly json?: boolean
  readonly dryRun?: boolean
}

/** The command line of one subcommand. */
export interface Arguments {
  readonly common: CommonFlags
  readonly values: Readonly<Record<string, unknown>>
}

/** A command line that cannot be, or one that asks for help: `exitCode` 0. What there is to say was said. */
export class UsageError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode: number) {
    super(message)
    this.name = 'UsageError'
    this.exitCode = exitCode
  }
}

export interface Named {
  readonly name: string
  readonly description: string
  readonly subcommand: AnySubcommand
}

/** Wrong use of the command. */
export const usageExitCode = 2

/** Reads the arguments behind a subcommand's name. Throws UsageError, after it was told on standard error. */
export function parseArguments(named: Named, args: readonly string[]): Arguments {
  const command = commandOf(named)
  try {
    command.parse([...args], { from: 'user' })
  } catch (error) {
    const { exitCode, message } = error as CommanderError
    throw new UsageError(message, exitCode === 0 ? 0 : usageExitCode)
  }
  const given = command.opts()
  const { flags } = named.subcommand as { flags: Flags }
  const values = Object.fromEntries(
    Object.entries(flags).map(([key, { long, value }]) => [
      key,
      given[attribute(long)] ?? (value === undefined ? false : undefined),
    ]),
  )
  return { common: given as CommonFlags, values }
}

/** The page of `mqadmin help X`. */
export const helpOf = (named: Named): string => commandOf(named).helpInformation()

/** Apache's long names are written in camel case already; commander only knows of dashes. */
const attribute = (long: string): string => long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

function commandOf({ name, description, subcommand }: Named): Command {
  const command = new Command(`mqadmin ${name}`)
    .description(subcommand.notes === undefined ? description : `${description}. ${subcommand.notes}`)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`mqadmin ${name}: ${text.replace(/^error: /, '')}`) })
    .allowExcessArguments(false)
  for (const { short, long, help, value, needed, parse } of Object.values(subcommand.flags as Flags)) {
    const flag = `-${short}, --${long}${value === undefined ? '' : ` <${value}>`}`
    if (value === undefined) command.option(flag, help)
    else if (needed) command.requiredOption(flag, help, parse)
    else command.option(flag, help, parse)
  }
  const taken = Object.values(subcommand.flags as Flags).some(({ short }) => short === 'n')
  command
    .option(`${taken ? '' : '-n, '}--namesrvAddr <addr>`, 'name servers, host:port joined by ; (default: NAMESRV_ADDR)')
    .option('--json', 'print JSON')
    .option('--timeout <ms>', 'longest wait for an answer', positiveMs, 5000)
    .option('--access-key <key>', 'account (default: SKUA_ACCESS_KEY, then conf/tools.yml of ROCKETMQ_HOME)')
    .option('--secret-key <key>', 'its secret; better in SKUA_SECRET_KEY: others see command lines')
    .option('--tls', 'connect with TLS, whatever the certificate of the server')
    .option('--tls-ca <file>', 'connect with TLS; the certificate must be of this authority (PEM)')
  if (subcommand.changes) command.option('--dry-run', 'change nothing; print the requests that would be sent')
  return command.helpOption('-h, --help', 'print this')
}

function positiveMs(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new UsageError(`--timeout ${text}: milliseconds are wanted`, usageExitCode)
}

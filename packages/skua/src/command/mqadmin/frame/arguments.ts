import { Command, type CommanderError, Option } from 'commander'
import { positive } from '../../positive.ts'
import type { Flags } from './flag.ts'
import type { AnySubcommand } from './subcommand.ts'
import type { Terminal } from './terminal.ts'

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

/** Reads the arguments behind a subcommand's name. Throws UsageError, after it was told. */
export function parseArguments(named: Named, args: readonly string[], terminal: Terminal): Arguments {
  const command = commandOf(named).configureOutput({
    writeOut: text => void terminal.out(text),
    outputError: text => terminal.error(`mqadmin ${named.name}: ${text.replace(/^error: /, '')}`),
  })
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
  const { [askerKeys.accessKey]: accessKey, [askerKeys.secretKey]: secretKey } = given
  return { common: { ...given, accessKey, secretKey } as CommonFlags, values }
}

/** The page of `mqadmin help X`. */
export const helpOf = (named: Named): string => commandOf(named).helpInformation()

/** Apache's long names are written in camel case already; commander only knows of dashes. */
const attribute = (long: string): string => long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Who asks is another account than the one that `--accessKey` of some subcommands names; commander knows no difference. */
function asker(key: 'accessKey' | 'secretKey', flag: string, help: string): Option {
  const option = new Option(flag, help)
  option.attributeName = () => askerKeys[key]
  return option
}

const askerKeys = { accessKey: 'askerAccessKey', secretKey: 'askerSecretKey' } as const

/** A subcommand for commander, with its own flags and those that all have. */
export function commandOf({ name, description, subcommand }: Named): Command {
  const command = new Command(`mqadmin ${name}`)
    .description(subcommand.notes === undefined ? description : `${description}. ${subcommand.notes}`)
    .exitOverride()
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
    .option('--timeout <ms>', 'longest wait for an answer', positive, 5000)
    .addOption(
      asker(
        'accessKey',
        '--access-key <key>',
        'account (default: SKUA_ACCESS_KEY, then conf/tools.yml of ROCKETMQ_HOME)',
      ),
    )
    .addOption(
      asker('secretKey', '--secret-key <key>', 'its secret; better in SKUA_SECRET_KEY: others see command lines'),
    )
    .option('--tls', 'connect with TLS, whatever the certificate of the server')
    .option('--tls-ca <file>', 'connect with TLS; the certificate must be of this authority (PEM)')
  if (subcommand.changes) command.option('--dry-run', 'change nothing; print the requests that would be sent')
  return command.helpOption('-h, --help', 'print this')
}

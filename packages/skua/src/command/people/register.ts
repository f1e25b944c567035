import type { Command } from 'commander'
import { positive } from '../positive.ts'
import type { Desk, Entry } from './frame.ts'
import { entries, groups } from './list.ts'

/** What commands for people are given from outside. */
export interface PeopleSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Default: this process's terminal. */
  readonly desk?: Desk
  /** Is told the exit code. */
  done(exitCode: number): void
}

/** Adds the commands of the list; each is loaded when it runs. */
export function addPeopleCommands(skua: Command, surroundings: PeopleSurroundings): void {
  // Below `broker` stands also the server itself.
  for (const { name, help } of groups)
    if (!skua.commands.some(command => command.name() === name)) skua.command(name).description(help)
  for (const entry of entries) addEntry(skua, entry, surroundings)
}

function addEntry(skua: Command, entry: Entry, { env, desk, done }: PeopleSurroundings): void {
  const [first = '', second] = entry.name.split(' ')
  const above = second === undefined ? skua : skua.commands.find(command => command.name() === first)!
  const command = above.command(second ?? first).description(entry.help)
  if (entry.words !== undefined) command.arguments(entry.words)
  for (const { flag, help, parse, standard, needed } of entry.flags) {
    const option = command.createOption(flag, help)
    if (parse !== undefined) option.argParser(parse)
    if (standard !== undefined) option.default(standard)
    if (needed) option.makeOptionMandatory()
    command.addOption(option)
  }
  command
    .option('-n, --namesrv-addr <addr>', 'name servers, host:port joined by ;', env['NAMESRV_ADDR'] ?? '127.0.0.1:9876')
    .option('--json', 'print JSON')
    .option('--timeout-ms <ms>', 'longest wait for an answer', positive, entry.timeoutMs ?? 5000)
    .option('--tls', 'connect with TLS, whatever the certificate of the server')
    .option('--tls-ca <file>', 'connect with TLS; the certificate must be of this authority (PEM)')
    .option('--access-key <key>', 'account (default: SKUA_ACCESS_KEY, then conf/tools.yml of ROCKETMQ_HOME)')
    .option('--secret-key <key>', 'its secret; better in SKUA_SECRET_KEY: others see command lines')
    .action(async () => {
      const { runPerson } = await import('./run.ts')
      done(await runPerson({ entry, words: command.args, options: command.opts(), env, desk }))
    })
}

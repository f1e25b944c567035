import { nearest } from '@skua-mq/runtime'
import { leftOut } from './left-out.ts'
import { entries } from './subcommands.ts'

/** What `mqadmin` prints without arguments. */
export function listPage(): string {
  const width = Math.max(...entries.map(({ name }) => name.length))
  const list = entries.map(({ name, description }) => `   ${name.padEnd(width)}  ${description}`)
  const end =
    "See 'mqadmin help <command>' for its flags. Every command takes -n host:port (or NAMESRV_ADDR) and --json."
  return ['Commands of mqadmin:', ...list, '', end].join('\n')
}

/** With the name that was probably meant. */
export function unknownSubcommand(name: string): string {
  const close = nearest(name, [...entries.map(entry => entry.name), ...leftOut.keys()])
  const hint = close === undefined ? 'mqadmin without arguments lists all' : `did you mean ${close}?`
  return `there is no command ${name}: ${hint}`
}

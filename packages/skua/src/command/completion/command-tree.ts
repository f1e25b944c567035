import { Command } from 'commander'
import { commandOf } from '../mqadmin/frame/arguments.ts'
import { entries } from '../mqadmin/subcommands.ts'

/** A flag of a command, as somebody types it. */
export interface FlagWords {
  /** `-n` and `--namesrv-addr`. */
  readonly names: readonly string[]
  readonly help: string
  /** What stands behind it. */
  readonly value: 'none' | 'file' | 'word'
}

/** A command, the words that may follow it, and its flags. */
export interface CommandNode {
  /** `skua offsets show`. */
  readonly path: string
  readonly below: readonly { readonly name: string; readonly help: string }[]
  readonly flags: readonly FlagWords[]
  /** Its arguments are files or directories. */
  readonly takesFiles: boolean
}

const help: FlagWords = { names: ['-h', '--help'], help: 'print this', value: 'none' }

/** Every command below `skua`, those of mqadmin among them, as commander has them. */
export async function commandTree(skua: Command): Promise<CommandNode[]> {
  const mqadmin = new Command('mqadmin')
  for (const { name, description, load } of entries)
    mqadmin.addCommand(
      commandOf({ name, description, subcommand: await load() })
        .name(name)
        .description(description),
    )
  return [...nodesOf(skua, 'skua').filter(({ path }) => path !== mqadminPath), ...nodesOf(mqadmin, mqadminPath)]
}

/** Where `bin/mqadmin` begins. */
export const mqadminPath = 'skua mqadmin'

function nodesOf(command: Command, path: string): CommandNode[] {
  const below = command.commands
  const node: CommandNode = {
    path,
    below: [
      ...below.map(one => ({ name: one.name(), help: firstLine(one.description()) })),
      ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices.map(name => ({ name, help: '' }))),
      ...(path === 'skua' || path === mqadminPath
        ? [{ name: 'help', help: 'print what there is, or what a command takes' }]
        : []),
    ],
    flags: [...command.options.filter(({ hidden }) => !hidden).map(flagOf), help],
    takesFiles: command.registeredArguments.some(argument => isFile(argument.name())),
  }
  return [node, ...below.flatMap(one => nodesOf(one, `${path} ${one.name()}`))]
}

function flagOf({ short, long, description, flags, required, optional }: Command['options'][number]): FlagWords {
  const names = [short, long].filter(name => name !== undefined)
  const value = required || optional ? (isFile(flags) ? 'file' : 'word') : 'none'
  return { names, help: firstLine(description), value }
}

const isFile = (text: string): boolean => /\b(file|dir|path)\b/i.test(text)
const firstLine = (text: string): string => text.split('\n', 1)[0]!

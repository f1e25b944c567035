import { type Command, Help } from 'commander'

/** What most people want most days, in this order. */
export const commonest: readonly string[] = [
  'send',
  'tail',
  'status',
  'ping',
  'topics',
  'groups',
  'lag',
  'message',
  'offsets',
  'dlq',
]

const first = 'First of all:'
const others = 'And:'

/** `skua help` begins with the commonest commands. */
export function orderHelp(skua: Command): void {
  const place = new Map(commonest.map((name, i) => [name, i]))
  const placeOf = (command: Command): number => place.get(command.name()) ?? commonest.length
  for (const command of skua.commands) command.helpGroup(place.has(command.name()) ? first : others)
  const standard = new Help()
  skua.commandsGroup(others).helpCommand('help [command]', 'print this, or of a command what it takes')
  skua.configureHelp({
    visibleCommands: command => {
      const all = standard.visibleCommands(command)
      return command === skua ? all.sort((a, b) => placeOf(a) - placeOf(b)) : all
    },
    // Groups stand in the order of their first members as they are shown.
    groupItems: (_unsorted, shown, getGroup) => standard.groupItems(shown, shown, getGroup),
  })
}

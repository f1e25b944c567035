import { leftOut } from '../../packages/skua/src/command/mqadmin/left-out.ts'
import { intendedLines, ownLayout } from '../interop/src/admin/intended.ts'
import { comparedCommands, stages } from '../interop/src/admin/lines.ts'
import { readCommands } from '../interop/src/admin/record.ts'

const versions = ['4.9.8', '5.3.3'] as const
const cell = (text: string): string => text.replaceAll('|', '\\|')
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`

const head = `
# Apache's mqadmin, command by command

Every subcommand in the tools' own lists. Apache's 4.9.8 and 5.3.3 run against Skua and against real servers 4.9.7 and 5.3.3 with
the same few topics, groups and messages, and print the same columns, keys and rows, but for what stands in the last column; so does our
own at all of them; where it has a layout of its own (\`ours:\`) lines are not compared. Addresses, times, ids and measured numbers are masked, remarks of refusals are each server's own words, their codes are
compared. Where the two servers differ Skua answers as its dialect says, by default as 5.3; keys of its configuration are those of 4.9. \`mqadmin-recorded.test.ts\` compares at each \`npm test\` with what is recorded
in \`tools/interop/recorded\`, \`mqadmin-tools.long.ts\` with the servers themselves.
`

/** A row for each subcommand that either of Apache's tools has. */
export function mqadminCompared(): string {
  const known = new Map(
    versions.map(version => [version, new Set(readCommands(version).map(({ name }) => name))] as const),
  )
  const names = [...new Set(versions.flatMap(version => [...(known.get(version) ?? [])]))].sort()
  const state = (name: string, version: (typeof versions)[number]): string => {
    if (known.get(version)?.has(name) !== true) return '–'
    const lines = Object.values(stages)
      .flat()
      .filter(({ line, only }) => line.split(' ')[0] === name && (only === undefined || only === version))
    if (comparedCommands(version).has(name)) return `${lines.length} compared`
    return 'does not apply'
  }
  const rows = names.map(name => row(name, ...versions.map(version => state(name, version)), differs(name)))
  return `${head}
${row('command', ...versions.map(version => `in ${version}`), 'what differs, and why')}
${row('---', '---', '---', '---')}
${rows.join('\n')}
`
}

function differs(name: string): string {
  const reasons = intendedLines.filter(({ line }) => line.test(name)).map(({ reason }) => reason)
  const own = [...ownLayout].filter(([line]) => line.split(' ')[0] === name).map(([, reason]) => `ours: ${reason}`)
  const not = leftOut.get(name)
  return [...(not === undefined ? [] : [not]), ...new Set(reasons), ...own].join('; ')
}

import type { Flags } from '../../packages/skua/src/command/mqadmin/frame/flag.ts'
import { leftOut } from '../../packages/skua/src/command/mqadmin/left-out.ts'
import { entries } from '../../packages/skua/src/command/mqadmin/subcommands.ts'

const tables = await Promise.all(entries.map(async entry => ({ entry, table: await entry.load() })))

const flagText = ({ short, long, value, needed }: Flags[string]): string => {
  const taken = value === undefined ? '' : ` <${value}>`
  return `\`-${short}, --${long}${taken}\`${needed ? '!' : ''}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')
const row = (...cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`

/** Every subcommand of `bin/mqadmin`, and those that are left out. */
export function mqadminPage(note: string): string {
  const commands = tables.map(({ entry, table }) => {
    const name = entry.alias === undefined ? entry.name : `${entry.name}, ${entry.alias}`
    const told = table.notes === undefined ? entry.description : `${entry.description}. ${table.notes}`
    const flags = Object.values(table.flags as Flags).map(flagText)
    return row(name, told, flags.join(' '), table.requests, table.changes ? 'yes' : '')
  })
  const others = [...leftOut].map(([name, reason]) => row(name, reason))
  return `${note}${head}
${row('command', 'what it does', 'flags; `!` must be given', 'request codes', '`--dry-run`')}
${row('---', '---', '---', '---', '---')}
${commands.join('\n')}

## Left out

They are refused with this reason and exit code 2, in whatever case they are written.

${row('command', 'why')}
${row('---', '---')}
${others.join('\n')}
`
}

const head = `# mqadmin

\`bin/mqadmin\` (\`skua mqadmin\`) has the names and flags of the commands of Apache RocketMQ 4.9.8, and works against its brokers
4.9 and 5.x as well. \`mqadmin\` lists the commands, \`mqadmin help NAME\` the flags of one.

\`\`\`sh
export NAMESRV_ADDR=127.0.0.1:9876                      # or -n with each command; several joined by ;
bin/mqadmin clusterList
bin/mqadmin updateTopic -c DefaultCluster -t Orders -r 8 -w 8
bin/mqadmin consumerProgress -g billing --json
bin/mqadmin deleteTopic -c DefaultCluster -t Orders --dry-run
\`\`\`

| every command has | |
| --- | --- |
| \`-n, --namesrvAddr\` | name servers; default \`NAMESRV_ADDR\` |
| \`--json\` | JSON instead of tables: one document, or an object a line of what comes bit by bit (printMsg, clusterList, ...). Times are ms since 1970, bodies text, or \`base64:\` where they are none |
| \`--dry-run\` | of those that change something: the requests that would be sent, and nothing is changed |
| \`--access-key\`, \`--secret-key\` | an account; default \`SKUA_ACCESS_KEY\` and \`SKUA_SECRET_KEY\`, then \`conf/tools.yml\` of \`ROCKETMQ_HOME\` as with Apache's |
| \`--tls\`, \`--tls-ca FILE\` | encrypted; with any certificate, or one of this authority |
| \`--timeout MS\` | longest wait for an answer, 5000 |

Exit codes: 0 done; 1 not done, or not everywhere; 2 the command line is wrong. Apache's tool ends with 0 whatever happened.
Like Apache's, commands that delete do not ask.

What differs otherwise: columns are as wide as what is in them, and nothing is cut short; titles and their order are Apache's.
consumerStatus and queryMsgById print what Apache's write into files. Writes are tried at all servers although one refuses, and
the message says who took them. updateTopicPerm leaves each broker its numbers of queues.

## Commands
`

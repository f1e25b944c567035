// npm run bench:clients -- [--rounds N] [--seconds N] [--apache 5.3.3] [--only sdk] [--write]
// Our SDK beside the official Java client and ali-ons at the same broker, one after another, round by round.
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Admin, Producer } from '@skua-mq/client'
import type { ReferenceVersion } from '../../../interop/src/reference/jars.ts'
import { machineText } from '../machine.ts'
import { type Contender, startApache, startSkua } from '../servers.ts'
import { aliProgram, type ClientLoad, type ClientProgram, javaProgram, sdkProgram } from './programs.ts'
import { type ClientRow, clientTable } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    /** Messages in flight. */
    window: { type: 'string', default: '256' },
    bytes: { type: 'string', default: '128' },
    /** A version of Apache's broker, beside Skua. */
    apache: { type: 'string', default: '' },
    /** Part of a client's name. */
    only: { type: 'string', default: '' },
    write: { type: 'boolean', default: false },
  },
})

const programs = [sdkProgram(), javaProgram('4.9.8'), javaProgram('5.3.3'), aliProgram()].filter(({ name }) =>
  name.toLowerCase().includes(values.only === 'sdk' ? '@skua' : values.only),
)
let lastTopic = 0

async function loadFor(namesrv: string): Promise<ClientLoad> {
  const topic = `Clients_${process.pid}_${++lastTopic}`
  const firstTopic = `${topic}_first`
  await using admin = new Admin({ namesrvAddr: namesrv })
  await using producer = new Producer({ namesrvAddr: namesrv, group: 'bench-clients' })
  for (const name of [topic, firstTopic]) {
    await admin.createTopic(name, { queueNum: 8 })
    while ((await admin.topicRoute(name)) === undefined) await new Promise(resolve => setTimeout(resolve, 50))
  }
  await producer.send({ topic: firstTopic, body: 'first' })
  const [seconds, window, bodyBytes] = [values.seconds, values.window, values.bytes].map(Number)
  return { namesrv, topic, firstTopic, seconds: seconds!, window: window!, bodyBytes: bodyBytes! }
}

async function rowsAt(contender: Contender, chosen: readonly ClientProgram[]): Promise<ClientRow[]> {
  const rows = chosen.map(program => ({ program, rounds: [] as Awaited<ReturnType<ClientProgram['run']>>[] }))
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const row of rows) {
      row.rounds.push(await row.program.run(await loadFor(contender.namesrv)))
      console.error(`${contender.name}, round ${round}: ${row.program.name} ${JSON.stringify(row.rounds.at(-1))}`)
    }
  }
  return rows.map(({ program, rounds }) => ({ client: program.name, broker: contender.name, rounds }))
}

const settings = { mappedFileSizeCommitLog: 1024 ** 3 }
const rows: ClientRow[] = []
const starts = [
  () => startSkua(settings),
  ...(values.apache === '' ? [] : [() => startApache(values.apache as ReferenceVersion, settings, 1024)]),
]
for (const start of starts) {
  const contender = await start()
  try {
    rows.push(...(await rowsAt(contender, programs)))
  } finally {
    await contender.stop()
  }
}

const page = `# Benchmarks of clients

${machineText()}, ${values.rounds} rounds of ${values.seconds} s, medians; bodies of ${values.bytes} B, ${values.window} in flight, 8 queues. Written by
\`npm run bench:clients -- ${process.argv.slice(2).join(' ')}\`. Client and broker share the machine; the clients take turns at one broker.
CPU is the client's own process, with all its threads. Consuming begins with \`start()\` and reads what was sent.

${clientTable(rows)}
`
console.log(page)
if (values.write) {
  const docs = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', 'docs')
  writeFileSync(join(docs, 'benchmarks-clients.md'), page)
}
process.exit(0)

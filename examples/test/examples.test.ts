import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Standalone, startStandalone } from 'skua'

const here = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What each example says, in any order of lines. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  'quick-start.ts': [/^sent \w+$/m, /^received hello$/m],
  'ordered.ts': [/^A created, A paid, A shipped$/m, /^B created, B paid, B shipped$/m],
  'delayed.ts': [/^in time: /m],
  'transaction.ts': [/^rolled back: no money$/m, /^committed: paid 10$/m],
  'retry.ts': [/^recovered after 1 try: fails once$/m, /^dead letter: fails always$/m],
  'pull-own-offsets.ts': [/^message 0, message 1, message 2, message 3, message 4$/m],
  'lite-pull.ts': [/^polled 4$/m],
  'scheduled-pull.ts': [/^pulled 4$/m],
  'pop.ts': [/^3 members shared one queue$/m, /^done: picture 3 at its second try$/m],
  'simple-consumer.ts': [/^done: job 0 $/m, /^done: job 1 at its second try$/m, /^done: job 2 $/m],
  'cloud-events.ts': [/^e-1 order.paid north 10$/m, /^e-2 order.paid north 10$/m],
  'broadcasting.ts': [/^heard: for everybody\nheard: for everybody$/m],
  'sql-filter.ts': [/^selected: red 9$/m],
  'request-reply.ts': [/^reply: Is anybody there\? Yes\.$/m],
  'idempotent.ts': [/^4 deliveries, bill-1 and bill-2 handled once$/m],
  'http-service.ts': [/^worked on: somebody came$/m, /^closed$/m],
}

let skua: Standalone
before(async () => {
  skua = await startStandalone({ port: 0, store: 'memory', config: { enablePropertyFilter: true } })
})
after(() => skua.stop())

test('every example is run here', () => {
  assert.deepEqual(
    readdirSync(here)
      .filter(name => name.endsWith('.ts'))
      .sort(),
    Object.keys(expected).sort(),
  )
})

for (const [name, lines] of Object.entries(expected)) {
  test(`${name} says what it promises, and ends by itself`, async () => {
    const env = { ...process.env, NAMESRV_ADDR: skua.namesrvAddr }
    const args = ['--conditions=skua-source', '--import', 'tsx', join(here, name)]
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, cwd: here, timeout: 60_000 })
    for (const line of lines) assert.match(stdout, line)
  })
}

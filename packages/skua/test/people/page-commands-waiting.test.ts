import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, test } from 'node:test'
import { connect, messagesByKey } from '@skua-mq/admin'
import { startDashboard } from '@skua-mq/dashboard'
import { where } from '../../../dashboard/page/command.ts'
import * as shown from '../../../dashboard/page/commands.ts'
import { startDemo } from '../../../dashboard/test/demo.ts'
import { people, until } from './run.ts'

/** What the page does with messages that lie somewhere, by its API and by the commands that it shows. */
const demo = await startDemo()
const { namesrvAddr } = demo
where.namesrvAddr = namesrvAddr
const session = connect({ namesrvAddr })
const page = new Map([['index.html', Buffer.from('<!doctype html>')]])
const dashboard = await startDashboard({ namesrvAddr, port: 0, sampleMs: 0, page })
after(async () => {
  await dashboard.stop()
  await session.close()
  await demo.stop()
})

interface Row {
  readonly msgId: string
  readonly offsetMsgId: string
  readonly topic: string
  readonly brokerName: string
  readonly physicalOffset: number
  readonly by: string
  readonly dueMs: number
  readonly preview: string
}

/** Rows of an answer. */
const look = async (path: string): Promise<Row[]> => {
  const { rows } = (await (await fetch(`${dashboard.url}api/${path}`)).json()) as { rows: (Row & { row?: Row })[] }
  return rows.map(one => one.row ?? one)
}

async function act(name: string, params: object): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-skua-dashboard': '1' }
  const response = await fetch(`${dashboard.url}api/${name}`, { method: 'POST', headers, body: JSON.stringify(params) })
  const text = await response.text()
  assert.ok(response.status === 200 && !/^event: problem/m.test(text), text)
}

/** Runs what the page shows, as a shell takes it apart; to whom it asks yes is said. */
async function run(line: string): Promise<void> {
  const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line}`])
    .toString()
    .split('\0')
    .slice(1, -1)
  const { exitCode, output, errors } = await people(words, 'nobody.invalid:1', 'y')
  assert.equal(exitCode, 0, `${line}: ${output}${errors}`)
}

test('dead letters: one with another property, and all', async () => {
  const [first, second] = await look('dead/letters?group=ledger')
  const properties = { KEYS: 'mended', by: "o'hara & co" }
  await act('dead/resend', { group: 'ledger', ids: [first!.offsetMsgId], properties })
  await run(shown.letterCommand('ledger', second!.offsetMsgId, { isBodyChanged: false, properties }))
  const sent = await messagesByKey(session, { topic: 'Payments', key: 'mended' })
  assert.deepEqual(
    sent.map(one => one.properties['by']),
    ["o'hara & co", "o'hara & co"],
  )
  assert.deepEqual(sent.map(({ body }) => body.toString()).sort(), ['cannot be booked: 1', 'cannot be booked: 2'])
  const copies = async () => (await messagesByKey(session, { topic: 'Payments', key: 'payment-1' })).length
  const before = await copies()
  await run(shown.resendCommand('ledger', [first!.offsetMsgId, second!.offsetMsgId], '100'))
  const byIds = await copies()
  assert.equal(byIds - before, 1)
  // Its members are there, and give up again what they get again: there may be more by now.
  await run(shown.resendCommand('ledger', undefined, '100'))
  assert.ok((await copies()) > byIds)
})

test('delayed: another time, then taken back', async () => {
  const timer = async () => (await look('delayed')).find(({ by }) => by === 'timer')
  const one = (await timer())!
  const later = Math.floor(one.dueMs / 1000) * 1000 + 600_000
  const time = `${new Date(later).toISOString().slice(0, 19)}+00:00`
  await run(shown.delayedMoveCommand(one, time))
  await until('moved', async () => (await timer())?.dueMs === later)
  await run(shown.delayedCancelCommand(one))
  await until('taken back', async () => (await timer()) === undefined)
})

test('a half message: decided', async () => {
  const [half] = await look('halves')
  await run(shown.halfCommand('commit', half!))
  await until('delivered', async () => (await look('messages?topic=Receipts&from=newest')).length === 1)
  assert.deepEqual(await look('halves'), [])
})

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { messagesByKey } from '@skua-mq/admin'
import * as shown from '../../../dashboard/page/commands.ts'
import { startDemo } from '../../../dashboard/test/demo.ts'
import { until } from './run.ts'
import { openPage, run } from './shown-commands.ts'

/** What the page does with messages that lie somewhere, by its API and by the commands that it shows. */
const demo = await startDemo()
const { namesrvAddr } = demo
const { session, dashboard, act, close } = await openPage(namesrvAddr)
after(async () => {
  await close()
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

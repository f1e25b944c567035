import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { WaitingMessages } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import type { WaitingChanged } from '../../src/command/people/timers-change.ts'
import type { WaitingFound } from '../../src/command/people/timers-list.ts'
import { waitText } from '../../src/command/people/wait-text.ts'
import { whenOf } from '../../src/command/people/when.ts'
import { startStandalone } from '../../src/index.ts'
import { asJson, people, until } from './run.ts'

const skua = await startStandalone({ port: 0, store: 'memory', config: { defaultTopicQueueNums: 1 } })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers', defaultTopicQueueNums: 1 })
const consumer = new PushConsumer({ namesrvAddr, group: 'takers', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
const got: string[] = []
after(async () => {
  await consumer.close()
  await producer.close()
  await skua.stop()
})

const hourMs = 3_600_000
const atMs = Date.now() + 2 * hourMs
const ids: Record<string, string> = {}
for (const [body, keys] of [
  ['one', 'k1 both'],
  ['two', 'k2 both'],
  ['three', 'k3'],
] as const)
  ids[body] = (await producer.send({ topic: 'Later', body, keys: keys.split(' '), deliverAtMs: atMs })).msgId
const waiting = async (flags = '') =>
  (await asJson<WaitingMessages>(`timers list ${flags}`, namesrvAddr)).messages.map(({ msgId }) => msgId)
await until('all wait', async () => (await waiting()).length === 3)
consumer.subscribe('Later').onMessage(({ body }) => void got.push(String(body)))
await consumer.start()

describe('skua timers', () => {
  test('list: what waits, with its time, by topic, key and time', async () => {
    assert.deepEqual((await waiting()).sort(), Object.values(ids).sort())
    assert.deepEqual(await waiting('--key k2'), [ids['two']])
    assert.deepEqual(await waiting('--topic Other'), [])
    assert.deepEqual(await waiting('--to +1h'), [])
    assert.equal((await waiting('--from +1h --to +3h')).length, 3)
    const { output } = await people('timers list --key k1', namesrvAddr)
    assert.match(output, new RegExp(`^20\\S+ \\S+ +1h 59m +Later +${ids['one']} +- +k1 both +127`, 'm'))
    assert.match((await people('timers list --limit 1', namesrvAddr)).output, /there are more: --limit 10/)
    assert.match(
      (await people('timers list --topic Other', namesrvAddr)).output,
      /none of the 3 that wait is asked for/,
    )
  })

  test('show: the message under its own topic; a key that several have names them', async () => {
    const found = await asJson<WaitingFound>(`timers show ${ids['one']}`, namesrvAddr)
    assert.equal(found.waiting.deliverAtMs, atMs)
    const { output } = await people('timers show k1', namesrvAddr)
    assert.match(output, /^comes at +20/m)
    assert.match(output, /^topic +Later$/m)
    assert.match(output, /^one$/m)
    const { exitCode, errors } = await people('timers show both', namesrvAddr)
    assert.equal(exitCode, 1)
    assert.match(errors, /several messages wait under both: name one by its id/)
  })

  test('move: asks, and delivers once at the other time', async () => {
    const line = `timers move ${ids['one']} --to now`
    const dry = await asJson<WaitingChanged>(`${line} --dry-run`, namesrvAddr)
    assert.equal(dry.by, 'planned')
    const no = await people(line, namesrvAddr, 'n')
    assert.match(no.errors, /Move .* for Later/)
    assert.match(no.output, /was not moved/)
    assert.equal(got.length, 0)
    assert.match((await people(`timers move ${ids['three']} --to +1h --yes`, namesrvAddr)).output, /is moved to 20/)
    assert.equal((await people(`${line} --yes`, namesrvAddr)).exitCode, 0)
    await until('it has come', () => got.length === 1)
    assert.deepEqual(got, ['one'])
    await until('the wheel says so', async () => (await waiting()).length === 2)
    assert.deepEqual(await waiting('--to +90m'), [ids['three']])
  })

  test('cancel: it waits no more, and is not found again', async () => {
    assert.equal((await people(`timers cancel ${ids['two']} --yes`, namesrvAddr)).exitCode, 0)
    await until('it is gone', async () => (await waiting('--key k2')).length === 0)
    const { exitCode, errors } = await people(`timers cancel ${ids['two']} --yes`, namesrvAddr)
    assert.equal(exitCode, 1)
    assert.match(errors, /no message waits for its time under the id or key/)
    assert.deepEqual(got, ['one'])
  })
})

test('times as people write them', () => {
  const now = 1_700_000_000_000
  for (const [text, ms] of [
    ['now', 0],
    ['+30m', 1_800_000],
    ['90s', 90_000],
    ['1d12h', 129_600_000],
  ] as const)
    assert.equal(whenOf(text, now), now + ms, text)
  assert.equal(whenOf('1700000000001', now), now + 1)
  assert.equal(whenOf('2026-01-31T12:00', now), new Date(2026, 0, 31, 12).getTime())
  assert.throws(() => whenOf('soon', now), /"soon" is not a time: now, \+30m/)
  assert.throws(() => whenOf('+3x', now), /is not a time/)
  assert.deepEqual([999, 59_000, 61_000, 3_600_000, 100_000_000].map(waitText), ['now', '59s', '1m 1s', '1h', '1d 3h'])
})

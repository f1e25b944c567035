import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { DeadLetter, Resent } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import type { MessageFound } from '../../src/command/people/message.ts'
import type { ResetDone } from '../../src/command/people/offsets-reset.ts'
import { startStandalone } from '../../src/index.ts'
import { asJson, people, until } from './run.ts'

const skua = await startStandalone({ port: 0, store: 'memory' })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers' })
const from = 'CONSUME_FROM_FIRST_OFFSET'
after(async () => {
  await producer.close()
  await skua.stop()
})

/** A member that has got `count` messages, and is gone again unless `stays`. */
async function consumed(group: string, topic: string, count: number, stays = false): Promise<PushConsumer> {
  const consumer = new PushConsumer({ namesrvAddr, group, consumeFromWhere: from })
  let got = 0
  consumer.subscribe(topic).onMessage(() => void got++)
  await consumer.start()
  await until(`${group} has ${count} of ${topic}`, () => got >= count)
  if (!stays) await consumer.close()
  return consumer
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0)
const places = (done: ResetDone) => ({
  from: sumOf(done.queues.map(queue => queue.from ?? 0)),
  to: sumOf(done.queues.map(queue => queue.to)),
})

test('message and find: by unique id, by offset id, by key; and who consumed it', async () => {
  const properties = { color: 'red' }
  const sent = await producer.send({ topic: 'Parcels', body: 'a parcel', tag: 'T', keys: ['k-1'], properties })
  await producer.send({ topic: 'Parcels', body: 'another', keys: ['k-2'] })
  const consumer = await consumed('readers', 'Parcels', 2, true)
  try {
    let found = await asJson<MessageFound>(`message ${sent.msgId}`, namesrvAddr)
    assert.equal(String(found.message.body), 'a parcel')
    assert.equal(found.message.properties['color'], 'red')
    await until('the group has committed', async () => {
      found = await asJson<MessageFound>(`message ${sent.msgId}`, namesrvAddr)
      return found.tracks[0]?.state === 'CONSUMED'
    })
    assert.deepEqual(found.tracks, [{ group: 'readers', state: 'CONSUMED' }])
    const { output } = await people(`message ${found.message.offsetMsgId}`, namesrvAddr)
    assert.match(output, new RegExp(`^id +${sent.msgId}$`, 'm'))
    assert.match(output, /^ +color +red$/m)
    assert.match(output, /^a parcel$/m)
    assert.match(output, /^readers +consumed$/m)
    const { output: list } = await people('find Parcels --key k-1', namesrvAddr)
    assert.match(list, new RegExp(`^${sent.msgId} .* T +k-1 +a parcel$`, 'm'))
    assert.equal(list.trimEnd().split('\n').length, 2)
  } finally {
    await consumer.close()
  }
  const nothing = await people('find Parcels --key k', namesrvAddr)
  assert.equal(nothing.exitCode, 1)
  assert.match(nothing.errors, /no message in Parcels has the key k:/)
  const gone = await people('message 7F0000010001', namesrvAddr)
  assert.equal(gone.exitCode, 1)
  assert.match(gone.errors, /message 7F0000010001 is in no topic/)
})

test('offsets reset: shows, asks, refuses where nobody sits, and does what it showed', async () => {
  for (let i = 0; i < 8; i++) await producer.send({ topic: 'Ledger', body: `entry ${i}` })
  await consumed('books', 'Ledger', 8)
  const shown = await asJson<{ topic: string; consumerOffset: number }[]>('offsets show books', namesrvAddr)
  const stands = async (): Promise<number> => {
    const rows = await asJson<typeof shown>('offsets show books', namesrvAddr)
    return sumOf(rows.filter(({ topic }) => topic === 'Ledger').map(({ consumerOffset }) => consumerOffset))
  }
  assert.equal(await stands(), 8)
  const earliest = 'offsets reset books --topic Ledger --to earliest'
  const dry = await asJson<ResetDone>(`${earliest} --dry-run`, namesrvAddr)
  assert.deepEqual({ by: dry.by, ...places(dry) }, { by: 'planned', from: 8, to: 0 })
  const alone = await people(earliest, namesrvAddr)
  assert.equal(alone.exitCode, 1)
  assert.match(alone.errors, /nobody is at a terminal to say yes: add --yes/)
  const no = await people(earliest, namesrvAddr, 'n')
  assert.equal(no.exitCode, 1)
  assert.match(no.output, /^broker-a +\d+ +\d+ +→ +0 +\d+ again +0 to \d+$/m)
  assert.equal(await stands(), 8)
  const yes = await people(earliest, namesrvAddr, 'y')
  assert.equal(yes.exitCode, 0, yes.errors)
  assert.match(yes.errors, /Reset books in Ledger, offline\? \[y\/N\]/)
  assert.equal(await stands(), 0)
  await consumed('books', 'Ledger', 8)
  assert.equal((await people('offsets reset books --topic Ledger --to 1 --yes', namesrvAddr)).exitCode, 0)
  const { queues } = await asJson<ResetDone>('offsets reset books --topic Ledger --to latest --dry-run', namesrvAddr)
  assert.ok(queues.every(({ from, end }) => from === Math.min(1, end)))
  assert.equal((await people('offsets reset books --topic Ledger --to latest --yes', namesrvAddr)).exitCode, 0)
  assert.equal(await stands(), 8)
  const wrong = await people('offsets reset books --topic Ledger --to yesterday --yes', namesrvAddr)
  assert.equal(wrong.exitCode, 1)
})

test('offsets reset: members that run go there; an offset they would commit over is refused', async () => {
  for (let i = 0; i < 4; i++) await producer.send({ topic: 'Live', body: `${i}` })
  const consumer = new PushConsumer({ namesrvAddr, group: 'running', consumeFromWhere: from })
  let got = 0
  consumer.subscribe('Live').onMessage(() => void got++)
  await consumer.start()
  try {
    await until('all are there', () => got === 4)
    const refused = await people('offsets reset running --topic Live --to 0 --yes', namesrvAddr)
    assert.equal(refused.exitCode, 1)
    assert.match(refused.errors, /1 members of running are online/)
    const done = await people('offsets reset running --topic Live --to earliest --yes', namesrvAddr)
    assert.equal(done.exitCode, 0, done.errors)
    await until('all are there again', () => got >= 8)
  } finally {
    await consumer.close()
  }
})

test('dlq: lists, shows and resends to the first topic, each with its result', async () => {
  const sent = []
  for (let i = 0; i < 3; i++) {
    const properties = { number: `${i}` }
    sent.push(await producer.send({ topic: 'Bills', body: `bill ${i}`, tag: 'due', keys: [`b-${i}`], properties }))
  }
  const failing = new PushConsumer({ namesrvAddr, group: 'payers', consumeFromWhere: from, maxReconsumeTimes: 0 })
  failing.subscribe('Bills').onMessage(() => 'RECONSUME_LATER')
  await failing.start()
  const list = () => asJson<{ messages: DeadLetter[]; more: number }>('dlq list payers', namesrvAddr)
  await until('three are dead', async () => (await list()).messages.length === 3)
  await failing.close()
  const { messages } = await list()
  assert.deepEqual(messages.map(({ msgId }) => msgId).sort(), sent.map(({ msgId }) => msgId).sort())
  assert.deepEqual([...new Set(messages.map(({ originTopic }) => originTopic))], ['Bills'])
  assert.match((await people('dlq list payers --limit 1', namesrvAddr)).output, /^2 more: --limit 3$/m)
  const id = sent[1]!.msgId
  assert.match((await people(`dlq show payers ${id}`, namesrvAddr)).output, /^sent to Bills$[\s\S]*^bill 1$/m)
  const dry = await asJson<Resent[]>('dlq resend payers --all --dry-run', namesrvAddr)
  assert.deepEqual(
    dry.map(({ status }) => status),
    ['PLANNED', 'PLANNED', 'PLANNED'],
  )
  assert.equal((await people('dlq resend payers --yes', namesrvAddr)).exitCode, 1)
  assert.match((await people(`dlq resend payers ${id}`, namesrvAddr)).errors, /nobody is at a terminal/)
  const partly = await people(`dlq resend payers ${id} NONE --yes`, namesrvAddr)
  assert.equal(partly.exitCode, 1)
  assert.match(partly.output, new RegExp(`^SEND_OK ${id} → Bills \\w+$\\n1 of 2 resent`, 'm'))
  assert.match(partly.errors, /NONE: no such dead letter/)
  const copies = await asJson<{ body: string; tags: string; properties: Record<string, string> }[]>(
    'find Bills --key b-1',
    namesrvAddr,
  )
  const [, again] = copies
  assert.equal(copies.length, 2)
  assert.deepEqual([again!.body, again!.tags, again!.properties['number']], ['bill 1', 'due', '1'])
  assert.equal(again!.properties['RESENT_FROM'], messages.find(({ msgId }) => msgId === id)!.offsetMsgId)
  assert.equal(again!.properties['RETRY_TOPIC'], undefined)
  const begun = performance.now()
  const all = await asJson<Resent[]>('dlq resend payers --all --rate 10/s --yes', namesrvAddr)
  assert.ok(performance.now() - begun >= 190, 'the rate is kept')
  assert.deepEqual(
    all.map(({ status, topic }) => `${status} ${topic}`),
    ['SEND_OK Bills', 'SEND_OK Bills', 'SEND_OK Bills'],
  )
  assert.equal((await asJson<unknown[]>('find Bills --key b-1', namesrvAddr)).length, 3)
})

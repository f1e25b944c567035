import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Explained } from '@skua-mq/admin'
import { commitOffset, connect, deleteGroup, type OffsetHistory, putGroup } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { NameServer } from '@skua-mq/nameserver'
import { registerBroker } from '@skua-mq/protocol'
import { MemoryDisk, nodeRuntime } from '@skua-mq/runtime'
import type { UndoDone } from '../../src/command/people/offsets-undo.ts'
import { freePorts, startStandalone } from '../../src/index.ts'
import { asJson, people, until } from './run.ts'

const skua = await startStandalone({ port: 0, store: 'memory', config: { defaultTopicQueueNums: 2 } })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers', defaultTopicQueueNums: 2 })
after(async () => {
  await producer.close()
  await skua.stop()
})

async function member(group: string, topic: string) {
  const from = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 100 } as const
  const consumer = new PushConsumer({ namesrvAddr, group, ...from })
  const got: string[] = []
  consumer.subscribe(topic).onMessage(message => void got.push(String(message.body)))
  await consumer.start()
  return { consumer, got }
}

/** Where the group stands in the queues of a topic, in sum. */
async function stands(group: string, topic: string): Promise<number> {
  const rows = await asJson<{ topic: string; consumerOffset: number }[]>(`offsets show ${group}`, namesrvAddr)
  return rows.filter(row => row.topic === topic).reduce((sum, { consumerOffset }) => sum + consumerOffset, 0)
}

test('history: a reset of each queue with its time, places, address and request; progress is none of it', async () => {
  for (let i = 0; i < 6; i++) await producer.send({ topic: 'Ledger', body: `${i}` })
  const { consumer, got } = await member('books', 'Ledger')
  await until('it has all', () => got.length === 6)
  await consumer.close()
  assert.equal((await people('offsets history -g books', namesrvAddr)).output, 'nobody moved an offset of books\n')
  assert.equal((await people('offsets reset books --topic Ledger --to earliest --yes', namesrvAddr)).exitCode, 0)
  const { moves, without } = await asJson<OffsetHistory>('offsets history -g books', namesrvAddr)
  assert.deepEqual(without, [])
  assert.deepEqual(
    moves.map(({ topic, queueId, from, to, request, address }) => [topic, queueId, from, to, request, address]).sort(),
    [0, 1].map(queueId => ['Ledger', queueId, 3, 0, 'UPDATE_CONSUMER_OFFSET', skua.brokers[0]!.address]),
  )
  assert.ok(Math.abs(Date.now() - moves[0]!.atMs) < 60_000)
  const { output } = await people('offsets history books --limit 1', namesrvAddr)
  assert.match(
    output,
    /^20\S+ \S+ +Ledger +127\.0\.0\.1:\d+ +[01] +3 +→ +0 +127\.0\.0\.1:\d+ +UPDATE_CONSUMER_OFFSET$/m,
  )
  assert.equal(output.trimEnd().split('\n').length, 2)
})

test('undo: shows, asks, puts the queues back; undone twice it is done again', async () => {
  const dry = await asJson<UndoDone>('offsets undo -g books --dry-run', namesrvAddr)
  assert.deepEqual(
    [dry.by, dry.queues.map(({ from, to }) => [from, to])],
    [
      'planned',
      [
        [0, 3],
        [0, 3],
      ],
    ],
  )
  const alone = await people('offsets undo -g books', namesrvAddr)
  assert.equal(alone.exitCode, 1)
  assert.match(alone.errors, /nobody is at a terminal to say yes/)
  const no = await people('offsets undo -g books', namesrvAddr, 'n')
  assert.equal(no.exitCode, 1)
  assert.match(no.output, /^moved at 20\S+ \S+: 127\.0\.0\.1:\d+ \(UPDATE_CONSUMER_OFFSET\)$/m)
  assert.equal(await stands('books', 'Ledger'), 0)
  const yes = await people('offsets undo -g books', namesrvAddr, 'y')
  assert.equal(yes.exitCode, 0, yes.errors)
  assert.equal(await stands('books', 'Ledger'), 6)
  assert.equal((await people('offsets undo books --yes', namesrvAddr)).exitCode, 0)
  assert.equal(await stands('books', 'Ledger'), 0)
})

test('undo: a skip is undone for members that run; explain says who skipped a message', async () => {
  const first = await member('skippers', 'Skips')
  await producer.send({ topic: 'Skips', body: 'seen' })
  await until('it has the first', () => first.got.length === 1)
  await first.consumer.close()
  const sent: { msgId: string }[] = []
  for (let i = 0; i < 6; i++) sent.push(await producer.send({ topic: 'Skips', body: `skipped ${i}` }))
  assert.equal((await people('offsets reset skippers --topic Skips --to latest --yes', namesrvAddr)).exitCode, 0)
  const explain = () => asJson<Explained>(`explain ${sent[3]!.msgId} -g skippers`, namesrvAddr)
  const why = await explain()
  assert.equal(why.state, 'SKIPPED')
  assert.match(
    why.sentence,
    /^skippers was moved from \d to \d at 20\S+ \S+, past it \(127\.0\.0\.1:\d+\): skippers goes on at/,
  )
  const again = await member('skippers', 'Skips')
  try {
    await until('the member is there', async () => (await explain()).owner === again.consumer.clientId)
    const undone = await people('offsets undo -g skippers --yes', namesrvAddr)
    assert.equal(undone.exitCode, 0, undone.errors)
    assert.match(undone.output, /the members of skippers go there within seconds/)
    await until('what was skipped comes', () => again.got.length >= 6)
    assert.ok(sent.every((_, i) => again.got.includes(`skipped ${i}`)))
    await until('it is past it', async () => (await explain()).state === 'CONSUMED_OR_SKIPPED')
  } finally {
    await again.consumer.close()
  }
})

test('undo: a deleted group stands again where it stood; of a queue that has moved on nothing is consumed twice', async () => {
  const session = connect({ namesrvAddr })
  const { address } = skua.brokers[0]!
  try {
    const queue = { address, topic: 'Ledger', queueId: 0 }
    await putGroup(session, { brokerAddr: address }, { groupName: 'gone' })
    await commitOffset(session, queue, { group: 'gone', offset: 2 })
    await deleteGroup(session, { brokerAddr: address }, { group: 'gone', removeOffset: true })
    const { moves } = await asJson<OffsetHistory>('offsets history -g gone', namesrvAddr)
    assert.deepEqual(
      moves.map(({ from, to, request }) => [from, to, request]),
      [
        [undefined, 2, 'UPDATE_CONSUMER_OFFSET'],
        [2, undefined, 'DELETE_SUBSCRIPTIONGROUP'],
      ],
    )
    const undone = await asJson<UndoDone>('offsets undo -g gone --yes', namesrvAddr)
    assert.deepEqual(
      undone.queues.map(({ from, to }) => [from, to]),
      [[0, 2]],
    )
    assert.equal((await asJson<OffsetHistory>('offsets history -g gone', namesrvAddr)).moves.at(-1)!.to, 2)
    // Back from 3 to 1, and on to 2 since: undone it is at 3, not at 1.
    const back = await asJson<UndoDone>('offsets reset books --topic Ledger --to 3 --yes', namesrvAddr)
    assert.equal(back.queues.length, 2)
    await people('offsets reset books --topic Ledger --to 1 --yes', namesrvAddr)
    const plan = await asJson<UndoDone>('offsets undo -g books --dry-run', namesrvAddr)
    assert.deepEqual(
      plan.queues.map(({ to }) => to),
      [3, 3],
    )
  } finally {
    await session.close()
  }
})

test('without a group, with two, and with one whose offsets nobody moved: exit code 1', async () => {
  for (const [line, reason] of [
    ['offsets history', /name the group: -g GROUP/],
    ['offsets undo a -g b', /one group is wanted, not a and b/],
    ['offsets undo -g nobody --yes', /nobody moved an offset of nobody: nothing to undo/],
  ] as const) {
    const { exitCode, errors } = await people(line, namesrvAddr)
    assert.equal(exitCode, 1, line)
    assert.match(errors, reason)
  }
})

test('a broker that does not know the request is named', async () => {
  const { nameServer: port } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const at = `127.0.0.1:${port}`
  const runtime = { ...nodeRuntime(), disk: new MemoryDisk() }
  const options = { kvConfigPath: '/names/kvConfig.json', orderMessageEnable: false }
  const names = new NameServer({ runtime, listen: { host: '127.0.0.1', port }, ...options })
  await names.start()
  // A name server answers requests of brokers as Apache's broker answers this one: it does not know them.
  const session = connect({ namesrvAddr: at })
  try {
    const told = { brokerName: 'broker-x', brokerAddr: at, clusterName: 'C', brokerId: 0, haServerAddr: at }
    await session.askNameServer({ spec: registerBroker, header: { ...told, compressed: false, bodyCrc32: 0 } })
    for (const line of ['offsets history -g books', 'offsets undo -g books --yes']) {
      const { exitCode, errors } = await people(line, at)
      assert.equal(exitCode, 1)
      assert.match(errors, new RegExp(`no broker keeps a history of offsets \\(${at}\\): only Skua's do`))
    }
  } finally {
    await session.close()
    await names.stop()
  }
})

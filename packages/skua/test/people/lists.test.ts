import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import type { ConsumingClient } from '../../src/command/people/clients.ts'
import type { GroupLine } from '../../src/command/people/groups.ts'
import type { OwnedQueue } from '../../src/command/people/lag.ts'
import type { TopicLine } from '../../src/command/people/topics.ts'
import { startStandalone } from '../../src/index.ts'
import { asJson, people, until } from './run.ts'

const skua = await startStandalone({ port: 0, store: 'memory' })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers' })
const consumer = new PushConsumer({ namesrvAddr, group: 'billing', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
after(async () => {
  await Promise.all([producer.close(), consumer.close()])
  await skua.stop()
})

before(async () => {
  for (let i = 0; i < 7; i++) await producer.send({ topic: 'Orders', body: `order ${i}`, tag: 'new' })
  // A second group that stopped: six more wait for it.
  const stopped = new PushConsumer({ namesrvAddr, group: 'stopped', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  let got = 0
  stopped.subscribe('Orders').onMessage(() => void got++)
  await stopped.start()
  await until('the group that stops has all', () => got === 7)
  await stopped.close()
  for (let i = 0; i < 6; i++) await producer.send({ topic: 'Orders', body: `later ${i}`, tag: 'new' })
  consumer.subscribe('Orders', 'new || old').onMessage(() => {})
  await consumer.start()
  await until('billing has consumed all', async () => {
    // A group that has committed nothing yet waits for nothing.
    const { queues } = await asJson<{ queues: OwnedQueue[] }>('lag billing', namesrvAddr).catch(() => ({ queues: [] }))
    const own = queues.filter(({ topic }) => topic === 'Orders')
    return own.reduce((sum, { consumerOffset }) => sum + consumerOffset, 0) === 13
  })
})

test('topics: what each holds, without those of the system unless asked', async () => {
  const rows = await asJson<TopicLine[]>('topics', namesrvAddr)
  assert.deepEqual(
    rows.map(({ topic }) => topic),
    ['Orders'],
  )
  assert.equal(rows[0]!.messages, 13)
  assert.equal(rows[0]!.perm, 'RW')
  assert.ok(Math.abs(Date.now() - rows[0]!.lastWrittenMs) < 60_000)
  const all = await asJson<TopicLine[]>('topics --all', namesrvAddr)
  assert.ok(all.some(({ topic }) => topic === '%RETRY%billing'))
  assert.ok(all.some(({ topic }) => topic === 'TBW102'))
  const { output, exitCode } = await people('topics', namesrvAddr)
  assert.equal(exitCode, 0)
  assert.match(output, /^TOPIC +QUEUES +PERM +MESSAGES +LAST WRITTEN\nOrders +\d+ +RW +13 +20\d\d-\S+ \S+\n$/)
})

test('groups: online and offline, members, what waits', async () => {
  const rows = await asJson<GroupLine[]>('groups', namesrvAddr)
  assert.deepEqual(
    rows.map(({ group, online, mode, members, lag }) => ({ group, online, mode, members, lag })),
    [
      { group: 'billing', online: true, mode: 'push clustering', members: 1, lag: 0 },
      { group: 'stopped', online: false, mode: '', members: 0, lag: 6 },
    ],
  )
  assert.ok((await asJson<GroupLine[]>('groups --all', namesrvAddr)).length > rows.length)
  assert.match((await people('groups', namesrvAddr)).output, /^stopped +offline +- +0 +6 +/m)
})

test('lag: groups by what waits, and one group with the owner of each queue', async () => {
  const { groups } = await asJson<{ groups: GroupLine[] }>('lag', namesrvAddr)
  assert.deepEqual(
    groups.map(({ group }) => group),
    ['stopped', 'billing'],
  )
  const one = await asJson<{ lag: number; queues: OwnedQueue[] }>('lag billing', namesrvAddr)
  const own = one.queues.filter(({ topic }) => topic === 'Orders')
  assert.equal(own.length > 0 && own.reduce((sum, { brokerOffset }) => sum + brokerOffset, 0), 13)
  assert.deepEqual([...new Set(own.map(({ owner }) => owner))], [consumer.clientId])
  const { output, exitCode } = await people('lag stopped', namesrvAddr)
  assert.equal(exitCode, 0)
  assert.match(output, /^6 waiting$/m)
  assert.match(output, /owners are not known: no consumer of group stopped is connected/)
})

test('lag: a name that nobody knows is an error with the nearest one', async () => {
  const { exitCode, errors } = await people('lag biling', namesrvAddr)
  assert.equal(exitCode, 1)
  assert.equal(errors, 'skua lag: group biling is not known: did you mean billing?\n')
})

test('clients: who consumes, with language, version and subscriptions', async () => {
  const rows = await asJson<ConsumingClient[]>('clients', namesrvAddr)
  assert.equal(rows.length, 1)
  assert.equal(rows[0]!.clientId, consumer.clientId)
  assert.deepEqual(rows[0]!.subscriptions, [{ topic: 'Orders', expression: 'new || old', type: 'TAG' }])
  const { output } = await people('clients -g billing', namesrvAddr)
  assert.match(output, /^billing +\S+ +127\.0\.0\.1:\d+ +\w+ +V\d\S+ +Orders \(new \|\| old\)$/m)
  assert.match((await people('clients -g stopped', namesrvAddr)).output, /no consumer of group stopped is connected/)
})

test('a name server that is not there: exit code 1, its address and what to try', async () => {
  for (const line of ['topics', 'groups', 'lag', 'clients']) {
    const { exitCode, errors, output } = await people(line, '127.0.0.1:1')
    assert.equal(exitCode, 1, line)
    assert.match(errors, new RegExp(`^skua ${line}: no name server answers \\(127\\.0\\.0\\.1:1: .*check that it runs`))
    assert.equal(output, '')
  }
})

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { UndecidedTransactions } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { printProperties, sendMessage } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import type { TransactionDecided } from '../../src/command/people/tx-decide.ts'
import { startStandalone } from '../../src/index.ts'
import { asJson, people, until } from './run.ts'

// Dialect 5.3 refuses verdicts that come after the time of immunity, unless they are answers to a check.
const config = { defaultTopicQueueNums: 1, dialect: '5.3', transactionCheckInterval: 3_600_000 } as const
const skua = await startStandalone({ port: 0, store: 'memory', config })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'shop', checkTransaction: () => 'unknown' })
const consumer = new PushConsumer({ namesrvAddr, group: 'takers', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
const got: string[] = []
after(async () => {
  await consumer.close()
  await producer.close()
  await skua.stop()
})

const begin = async (body: string, properties: Record<string, string> = {}): Promise<string> =>
  (await producer.transaction({ topic: 'Paid', body, properties }, () => 'unknown')).msgId

/** A half message as a producer leaves it that sends another time, since it had no answer. */
async function sameId(id: string, body: string): Promise<void> {
  const client = new RemotingClient(nodeRuntime())
  const header = {
    ...{ producerGroup: 'shop', topic: 'Paid', defaultTopic: 'TBW102', defaultTopicQueueNums: 1, queueId: 0 },
    ...{ sysFlag: 4, bornTimestamp: Date.now(), flag: 0, unitMode: false, batch: false },
    properties: printProperties(Object.entries({ TRAN_MSG: 'true', PGROUP: 'shop', UNIQ_KEY: id })),
  }
  const sent = await client.request(skua.brokers[0]!.address, sendMessage, header, { body: Buffer.from(body) })
  await client.close()
  assert.equal(sent.code, 0, sent.remark)
}

const list = (flags = '') => asJson<UndecidedTransactions>(`tx list ${flags}`, namesrvAddr)
const pending = async () => (await list()).transactions.map(({ msgId }) => msgId)

describe('skua tx', () => {
  const ids: Record<string, string> = {}

  test('list: nothing at first, then what nobody has decided, oldest first', async () => {
    assert.match((await people('tx list', namesrvAddr)).output, /^no transaction is pending$/m)
    for (const body of ['one', 'two', 'three']) ids[body] = await begin(body)
    consumer.subscribe('Paid').onMessage(({ body }) => void got.push(String(body)))
    await consumer.start()
    await until('all wait', async () => (await pending()).length === 3)
    assert.deepEqual(await pending(), [ids['one'], ids['two'], ids['three']])
    const { output } = await people('tx list', namesrvAddr)
    assert.match(output, new RegExp(`^20\\S+ \\S+ +Paid +${ids['one']} +shop +0 +\\S.* +broker-a$`, 'm'))
    assert.equal((await list('--limit 1')).transactions.length, 1)
    assert.match((await people('tx list --limit 1', namesrvAddr)).output, /there may be more: --limit 10/)
  })

  test('commit: asks, shows, and delivers that one', async () => {
    const line = `tx commit ${ids['two']}`
    assert.equal((await asJson<TransactionDecided>(`${line} --dry-run`, namesrvAddr)).by, 'planned')
    const no = await people(line, namesrvAddr, 'n')
    assert.match(no.errors, /Deliver .* for Paid, which shop began at 20/)
    assert.match(no.output, /was not delivered/)
    const nobody = await people(line, namesrvAddr)
    assert.equal(nobody.exitCode, 1)
    assert.equal((await pending()).length, 3)
    const yes = await people(line, namesrvAddr, 'y')
    assert.equal(yes.exitCode, 0, yes.errors)
    assert.match(yes.output, /is delivered/)
    await until('it has come', () => got.length > 0)
    assert.deepEqual([got, await pending()], [['two'], [ids['one'], ids['three']]])
  })

  test('rollback: it is dropped, and not found again', async () => {
    const line = `tx rollback ${ids['one']} --yes`
    assert.match((await people(line, namesrvAddr)).output, /is dropped/)
    assert.deepEqual(await pending(), [ids['three']])
    for (const again of [line, `tx commit ${ids['two']} --yes`, 'tx commit 7F0000010001 --yes']) {
      const { exitCode, errors } = await people(again, namesrvAddr)
      assert.equal(exitCode, 1)
      assert.match(errors, /no undecided transaction has the id .*: it is decided, or was never begun/)
    }
  })

  test('several under one id are told apart by their place', async () => {
    await sameId(ids['three']!, 'four')
    const line = `tx commit ${ids['three']} --yes`
    const both = await people(line, namesrvAddr)
    assert.equal(both.exitCode, 1)
    assert.match(both.errors, /several undecided transactions have the id .*broker-a \d+, broker-a \d+/)
    const { physicalOffset } = (await list()).transactions[1]!
    assert.equal(
      (await people(`${line} --physical-offset ${physicalOffset} --broker broker-b`, namesrvAddr)).exitCode,
      1,
    )
    const one = await people(`${line} --physical-offset ${physicalOffset} --broker broker-a`, namesrvAddr)
    assert.equal(one.exitCode, 0, one.errors)
    await until('it has come', () => got.length > 1)
    assert.deepEqual(got, ['two', 'four'])
    assert.match((await people(`${line} --physical-offset x`, namesrvAddr)).errors, /a number of bytes is wanted/)
    assert.equal((await people(line, namesrvAddr)).exitCode, 0)
    await until('the other has come', () => got.length > 2)
  })

  test('one whose time of immunity is over is decided as by the answer to a check', async () => {
    const id = await begin('late', { CHECK_IMMUNITY_TIME_IN_SECONDS: '1' })
    await until('its time is over', async () => {
      const late = (await list()).transactions.find(({ msgId }) => msgId === id)
      return late !== undefined && Date.now() - late.bornAtMs > 1_100
    })
    const { exitCode, errors } = await people(`tx commit ${id} --yes`, namesrvAddr)
    assert.equal(exitCode, 0, errors)
    await until('it has come', () => got.includes('late'))
  })
})

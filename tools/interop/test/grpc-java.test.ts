import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect, consumerConnections, putGroup } from '@skua-mq/admin'
import { Admin } from '@skua-mq/client'
import type { Driver } from '../src/driver.ts'
import { grpcJavaClient } from '../src/grpc-java-client.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'
import { type GrpcWorld, startGrpcWorld } from './grpc-world.ts'

interface Seen {
  readonly messageId: string
  readonly body: string
  readonly tag: string | null
  readonly keys: readonly string[]
  readonly group: string | null
  readonly properties: Readonly<Record<string, string>>
  readonly attempt: number
  readonly atMs: number
  readonly receipt: string
}

describe('the official gRPC client for Java', { skip: skipWithout('java') }, () => {
  let skua: GrpcWorld
  let java: Driver
  let admin: Admin
  let topics = 0

  before(async () => {
    const config = {
      enablePropertyFilter: true,
      recallMessageEnable: true,
      transactionTimeOut: 1000,
      transactionCheckInterval: 1000,
    }
    skua = await startGrpcWorld(config)
    java = await grpcJavaClient()
    admin = new Admin({ namesrvAddr: skua.namesrvAddr })
  })

  after(async () => {
    const failed = (await Promise.all(leaving)).filter(error => error !== undefined)
    await java?.kill()
    await admin?.close()
    await skua?.stop()
    assert.deepEqual(failed, [])
  })

  const call = <T>(what: string, request: Record<string, unknown> = {}): Promise<T> =>
    java.call<T>(what, { endpoints: skua.grpcAddr, ...request })

  /** The client ends when its receives have, which may wait for 20 s: the next test need not. */
  const leaving: Promise<unknown>[] = []
  const leave = (name: string): void => {
    const left = call('close', { name })
    leaving.push(left.then(() => undefined).catch((error: unknown) => error))
  }

  async function newTopic(queueNum = 2, messageType?: 'FIFO' | 'DELAY' | 'TRANSACTION' | 'MIXED'): Promise<string> {
    const topic = `Grpc_${++topics}`
    await admin.createTopic(topic, { queueNum, messageType })
    return topic
  }

  test('sends and receives through TLS: body, tag, keys, properties, message group', async () => {
    const topic = await newTopic(2, 'FIFO')
    const [sent] = await call<{ messageId: string }[]>('send', {
      ...{ topic, body: 'ä ☃', tag: 'A', key: 'k1', property: 'v', group: 'orders' },
    })
    await call('simple', { name: topic, topic, group: `G_${topic}` })
    const [got, ...others] = await call<Seen[]>('receive', { name: topic })
    assert.equal(others.length, 0)
    assert.deepEqual(
      { ...got, atMs: 0, receipt: '' },
      {
        ...{ messageId: sent?.messageId, topic, body: 'ä ☃', tag: 'A', keys: ['k1'], group: 'orders' },
        ...{ properties: { p: 'v', __SHARDINGKEY: 'orders' }, attempt: 1, atMs: 0, receipt: '' },
      },
    )
    await call('ack', { name: topic, receipt: got?.receipt })
    leave(topic)
  })

  test('the same in clear text', async () => {
    const topic = await newTopic()
    await call('send', { topic, tls: false, body: 'plain' })
    await call('simple', { name: topic, topic, group: `G_${topic}`, tls: false })
    assert.deepEqual(
      (await call<Seen[]>('receive', { name: topic })).map(({ body }) => body),
      ['plain'],
    )
    leave(topic)
  })

  test('what is not acknowledged comes again after its invisible time, what is acknowledged never', async () => {
    const topic = await newTopic(1)
    await call('send', { topic, count: 2 })
    await call('simple', { name: topic, topic, group: `G_${topic}` })
    const first: Seen[] = []
    while (first.length < 2) first.push(...(await call<Seen[]>('receive', { name: topic, invisibleMs: 10_000 })))
    const [kept, dropped] = first
    await call('ack', { name: topic, receipt: kept?.receipt })
    const again: Seen[] = []
    await until(
      async () => again.push(...(await call<Seen[]>('receive', { name: topic }))) > 0,
      'it comes again',
      25_000,
    )
    assert.deepEqual(
      again.map(({ messageId, attempt }) => ({ messageId, attempt })),
      [{ messageId: dropped?.messageId, attempt: 2 }],
    )
    const waitedMs = again[0]!.atMs - dropped!.atMs
    assert.ok(waitedMs > 9000 && waitedMs < 20_000, `${waitedMs} ms`)
    leave(topic)
  })

  test('an invisible time that is changed counts', async () => {
    const topic = await newTopic(1)
    await call('send', { topic })
    await call('simple', { name: topic, topic, group: `G_${topic}` })
    const [first] = await call<Seen[]>('receive', { name: topic, invisibleMs: 60_000 })
    await call('hide', { name: topic, receipt: first?.receipt, ms: 2000 })
    const again: Seen[] = []
    await until(
      async () => again.push(...(await call<Seen[]>('receive', { name: topic }))) > 0,
      'it comes again',
      15_000,
    )
    assert.equal(again[0]?.messageId, first?.messageId)
    leave(topic)
  })

  test('a push consumer takes what comes, and what failed again', async () => {
    const topic = await newTopic()
    await call('push', { name: topic, topic, group: `G_${topic}`, failFirst: 1 })
    await call('send', { topic, count: 5 })
    const got = await call<Seen[]>('received', { name: topic, count: 10, timeoutMs: 30_000 })
    const attempts = (body: string) => got.filter(seen => seen.body === body).map(({ attempt }) => attempt)
    for (let i = 0; i < 5; i++) assert.deepEqual(attempts(`hello ${i}`), [1, 2], `hello ${i}`)
    leave(topic)
  })

  // Brokers know nothing of the clients of Apache’s proxy.
  const isTheirs = process.env['SKUA_GRPC_SERVER'] === 'apache'
  test('members show in the broker’s lists under their own names', { skip: isTheirs }, async () => {
    const topic = await newTopic()
    await call('push', { name: topic, topic, group: `G_${topic}` })
    const session = connect({ namesrvAddr: skua.namesrvAddr })
    const members = async () => (await consumerConnections(session, `G_${topic}`).catch(() => undefined))?.clients ?? []
    await until(async () => (await members()).length === 1, 'the member is listed')
    const [member] = await members()
    assert.equal(member?.language, 'JAVA')
    assert.match(member?.clientId ?? '', /@\d+@/)
    leave(topic)
    await until(async () => (await members()).length === 0, 'it has left')
    await session.close()
  })

  for (const [filter, wanted] of [
    [{ tags: 'A || C' }, ['A', 'C']],
    [{ sql: "TAGS = 'B' OR p = 'none'" }, ['B']],
  ] as const) {
    test(`only what the filter lets through: ${JSON.stringify(filter)}`, async () => {
      const topic = await newTopic(1)
      for (const tag of ['A', 'B', 'C']) await call('send', { topic, tag, body: tag })
      await call('push', { name: topic, topic, group: `G_${topic}`, ...filter })
      const got = await call<Seen[]>('received', { name: topic, count: wanted.length, timeoutMs: 15_000 })
      assert.deepEqual(got.map(({ body }) => body).sort(), wanted)
      leave(topic)
    })
  }

  test('transactions: committed ones come, rolled back ones never, of the undecided the producer is asked', async () => {
    const topic = await newTopic(1, 'TRANSACTION')
    for (const transaction of ['COMMIT', 'ROLLBACK', 'UNKNOWN'])
      await call('send', { topic, transaction, check: 'COMMIT', body: transaction })
    await call('push', { name: topic, topic, group: `G_${topic}` })
    // A check may cross a late answer, and the message come twice.
    const bodies = async () => [
      ...new Set((await call<Seen[]>('received', { name: topic, count: 2 })).map(each => each.body)),
    ]
    await until(async () => (await bodies()).length > 1, 'both have come')
    assert.deepEqual((await bodies()).sort(), ['COMMIT', 'UNKNOWN'])
    const checked = await call<string[]>('checked')
    // RocketMQ 5 gathers verdicts for three seconds, and asks again about those that it has not written down.
    if (process.env['SKUA_GRPC'] === undefined) assert.deepEqual(checked, ['UNKNOWN'])
    else assert.ok(checked.includes('UNKNOWN'))
    leave(topic)
  })

  test('a topic takes messages of its type only, and one of all types takes all', async () => {
    const [plain, fifo, mixed] = [await newTopic(1), await newTopic(1, 'FIFO'), await newTopic(1, 'MIXED')]
    const isConflict = /accept|type|40014/i
    await assert.rejects(call('send', { topic: plain, group: 'g' }), isConflict)
    await assert.rejects(call('send', { topic: plain, transaction: 'COMMIT', check: 'COMMIT' }), isConflict)
    await assert.rejects(call('send', { topic: fifo }), isConflict)
    await call('send', { topic: fifo, group: 'g' })
    for (const more of [{}, { group: 'g' }, { transaction: 'COMMIT', check: 'COMMIT' }])
      await call('send', { topic: mixed, ...more })
  })

  test('messages of a group come in their order to a group that consumes in order', async () => {
    const topic = await newTopic(4, 'FIFO')
    const session = connect({ namesrvAddr: skua.namesrvAddr })
    await putGroup(session, {}, { groupName: `G_${topic}`, consumeMessageOrderly: true } as never)
    await session.close()
    await call('push', { name: topic, topic, group: `G_${topic}`, failFirst: 0, workMs: 20 })
    for (let i = 0; i < 20; i++) await call('send', { topic, group: `order-${i % 3}`, body: `${i}` })
    const got = await call<Seen[]>('received', { name: topic, count: 20, timeoutMs: 40_000 })
    for (let order = 0; order < 3; order++) {
      const bodies = got.filter(({ group }) => group === `order-${order}`).map(({ body }) => Number(body))
      assert.deepEqual(
        bodies,
        [...Array(20).keys()].filter(i => i % 3 === order),
      )
    }
    leave(topic)
  })

  test('a message comes at its time, and one that is recalled never', async () => {
    const topic = await newTopic(1, 'DELAY')
    await call('push', { name: topic, topic, group: `G_${topic}` })
    const begunMs = Date.now()
    await call('send', { topic, body: 'late', delayMs: 4000 })
    const [taken] = await call<{ messageId: string; recallHandle: string }[]>('send', {
      topic,
      body: 'taken',
      delayMs: 3000,
    })
    assert.equal(await call('recall', { topic, handle: taken?.recallHandle }), taken?.messageId)
    const got = await call<Seen[]>('received', { name: topic, count: 1, timeoutMs: 15_000 })
    assert.deepEqual(
      got.map(({ body }) => body),
      ['late'],
    )
    const waitedMs = got[0]!.atMs - begunMs
    assert.ok(waitedMs >= 3900 && waitedMs < 9000, `${waitedMs} ms`)
    leave(topic)
  })

  test('what is refused is refused with its code', async () => {
    const missing = call('send', { topic: 'NoSuchTopic' })
    await assert.rejects(missing, (error: { code?: number }) => error.code === 40_402)
    const topic = await newTopic()
    await assert.rejects(call('send', { topic, property: 'a\u0001b' }), /40007|control|IllegalArgument/)
    await call('simple', { name: topic, topic, group: `G_${topic}` })
    await assert.rejects(
      call('receive', { name: topic, invisibleMs: 1000 }),
      (error: { code?: number }) => error.code === 40_011,
    )
    leave(topic)
  })
})

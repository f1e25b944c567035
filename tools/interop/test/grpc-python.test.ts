import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import type { Driver } from '../src/driver.ts'
import { grpcPythonClient } from '../src/grpc-python-client.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'
import { type GrpcWorld, startGrpcWorld } from './grpc-world.ts'

interface Seen {
  readonly messageId: string
  readonly body: string
  readonly corrupted: boolean
  readonly tag: string | null
  readonly keys: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly attempt: number
  readonly receipt: string
}

describe('the official gRPC client for Python', { skip: skipWithout('python') }, () => {
  let skua: GrpcWorld
  let python: Driver
  let admin: Admin

  before(async () => {
    const config = { transactionTimeOut: 1000, transactionCheckInterval: 1000 }
    skua = await startGrpcWorld(config)
    python = await grpcPythonClient()
    admin = new Admin({ namesrvAddr: skua.namesrvAddr })
  })

  after(async () => {
    await python?.kill()
    await admin?.close()
    await skua?.stop()
  })

  const call = <T>(what: string, request: Record<string, unknown> = {}): Promise<T> =>
    python.call<T>(what, { endpoints: skua.grpcAddr, ...request })

  test('sends, receives and acknowledges', async () => {
    const topic = 'GrpcPython'
    await admin.createTopic(topic, { queueNum: 2 })
    const sent = await call<{ messageId: string }[]>('send', { topic, count: 3, tag: 'A', key: 'k', property: 'v' })
    await call('simple', { name: 's', topic, group: 'G_python' })
    const got: Seen[] = []
    while (got.length < 3) got.push(...(await call<Seen[]>('receive', { name: 's' })))
    assert.deepEqual(got.map(({ messageId }) => messageId).sort(), sent.map(({ messageId }) => messageId).sort())
    for (const { body, corrupted, tag, keys, properties, attempt, receipt } of got) {
      assert.match(body, /^hello \d$/)
      const wanted = { corrupted: false, tag: 'A', keys: ['k'], properties: { p: 'v' }, attempt: 1 }
      assert.deepEqual({ corrupted, tag, keys, properties, attempt }, wanted)
      await call('ack', { name: 's', receipt })
    }
    await call('close', { name: 's' })
  })

  test('a push consumer takes what comes, and what failed again', async () => {
    const topic = 'GrpcPythonPush'
    await admin.createTopic(topic, { queueNum: 2 })
    await call('push', { name: 'p', topic, group: 'G_push', failFirst: 1 })
    await call('send', { topic, count: 3 })
    const got = await call<Seen[]>('received', { name: 'p', count: 6, timeoutMs: 40_000 })
    const attempts = (body: string) => got.filter(seen => seen.body === body).map(({ attempt }) => attempt)
    for (let i = 0; i < 3; i++) assert.deepEqual(attempts(`hello ${i}`), [1, 2], `hello ${i}`)
    await call('close', { name: 'p' })
  })

  test('transactions: committed ones come, rolled back ones never, of the undecided the producer is asked', async () => {
    const topic = 'GrpcPythonTx'
    await admin.createTopic(topic, { queueNum: 1, messageType: 'TRANSACTION' })
    for (const transaction of ['COMMIT', 'ROLLBACK', 'UNKNOWN'])
      await call('send', { topic, transaction, check: 'COMMIT', body: transaction })
    await call('push', { name: 't', topic, group: 'G_tx' })
    // A check may cross a late answer, and the message come twice.
    const bodies = async () => [
      ...new Set((await call<Seen[]>('received', { name: 't', count: 2 })).map(each => each.body)),
    ]
    await until(async () => (await bodies()).length > 1, 'both have come')
    assert.deepEqual((await bodies()).sort(), ['COMMIT', 'UNKNOWN'])
    const checked = await call<string[]>('checked')
    // RocketMQ 5 gathers verdicts for three seconds, and asks again about those that it has not written down.
    if (process.env['SKUA_GRPC'] === undefined) assert.deepEqual(checked, ['UNKNOWN'])
    else assert.ok(checked.includes('UNKNOWN'))
    await call('close', { name: 't' })
  })
})

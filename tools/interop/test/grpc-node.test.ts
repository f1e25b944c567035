import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import type { Driver } from '../src/driver.ts'
import { grpcNodeClient } from '../src/grpc-node-client.ts'
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

describe('the official gRPC client for Node', () => {
  let skua: GrpcWorld
  let node: Driver
  let admin: Admin

  before(async () => {
    skua = await startGrpcWorld()
    node = await grpcNodeClient()
    admin = new Admin({ namesrvAddr: skua.namesrvAddr })
  })

  after(async () => {
    await node?.kill()
    await admin?.close()
    await skua?.stop()
  })

  const call = <T>(what: string, request: Record<string, unknown> = {}): Promise<T> =>
    node.call<T>(what, { endpoints: skua.grpcAddr, ...request })

  test('sends, receives and acknowledges; the body is what its digest says', async () => {
    const topic = 'GrpcNode'
    await admin.createTopic(topic, { queueNum: 2 })
    const sent = await call<{ messageId: string }[]>('send', { topic, count: 3, tag: 'A', key: 'k', property: 'v' })
    await call('simple', { name: 's', topic, group: 'G_node' })
    const got: Seen[] = []
    while (got.length < 3) got.push(...(await call<Seen[]>('receive', { name: 's' })))
    assert.deepEqual(got.map(({ messageId }) => messageId).sort(), sent.map(({ messageId }) => messageId).sort())
    for (const { body, corrupted, tag, keys, properties, attempt, receipt } of got) {
      assert.match(body, /^hello \d$/)
      assert.deepEqual(
        { corrupted, tag, keys, properties, attempt },
        {
          ...{ corrupted: false, tag: 'A', keys: ['k'], properties: { p: 'v' }, attempt: 1 },
        },
      )
      await call('ack', { name: 's', receipt })
    }
    await call('close', { name: 's' })
  })

  test('a push consumer takes what comes, and what failed again', async () => {
    const topic = 'GrpcNodePush'
    await admin.createTopic(topic, { queueNum: 2 })
    await call('push', { name: 'p', topic, group: 'G_push', failFirst: 1 })
    await call('send', { topic, count: 3 })
    const got = await call<Seen[]>('received', { name: 'p', count: 6, timeoutMs: 40_000 })
    for (let i = 0; i < 3; i++)
      assert.deepEqual(
        got.filter(({ body }) => body === `hello ${i}`).map(({ attempt }) => attempt),
        [1, 2],
      )
    await call('close', { name: 'p' })
  })
})

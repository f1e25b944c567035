import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import { updateAndCreateSubscriptionGroup } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { type Standalone, startStandalone } from '../../src/index.ts'
import { bodiesOf, Caller, receiveOf, sendOf, type Told } from './caller.ts'

describe('groups that consume in order', () => {
  let skua: Standalone
  let caller: Caller

  before(async () => {
    skua = await startStandalone({ store: 'memory', port: 0, grpcPort: 0, grpc: { untypedTopic: 'MIXED' } })
    await using admin = new Admin({ namesrvAddr: skua.namesrvAddr })
    await admin.createTopic('Ordered', { queueNum: 4 })
    const remoting = new RemotingClient(nodeRuntime())
    const group = { groupName: 'G_order', consumeMessageOrderly: true, consumeEnable: true, retryMaxTimes: 16 }
    const body = Buffer.from(JSON.stringify(group))
    const { code } = await remoting.request(skua.brokers[0]!.address, updateAndCreateSubscriptionGroup, {} as never, {
      body,
    })
    assert.equal(code, 0)
    await remoting.close()
    caller = new Caller(skua.grpcAddr!, { clientId: 'fifo' })
  })

  after(async () => {
    caller?.close()
    await skua?.stop()
  })

  async function receive(wishes: Told): Promise<Told[]> {
    const open = caller.open('ReceiveMessage', receiveOf('Ordered', 'G_order', wishes))
    open.stream.end()
    await open.ended
    return open.answers
  }

  test('a simple consumer gets what lies in any queue, whichever it names', async () => {
    for (let i = 0; i < 8; i++)
      await caller.ask('SendMessage', sendOf('Ordered', `m${i}`, { messageGroup: 'one group' }))
    const messageQueue = { topic: { name: 'Ordered' }, broker: { name: 'broker-a' } }
    const got: string[][] = []
    for (let id = 0; id < 4; id++) got.push(bodiesOf(await receive({ messageQueue: { ...messageQueue, id } })))
    assert.deepEqual(got, [Array.from({ length: 8 }, (_, i) => `m${i}`), [], [], []])
  })

  test('the same attempt gets the same messages, another one waits', async () => {
    for (let i = 0; i < 3; i++)
      await caller.ask('SendMessage', sendOf('Ordered', `n${i}`, { messageGroup: 'other group' }))
    const first = bodiesOf(await receive({ attemptId: 'attempt' })).filter(body => body.startsWith('n'))
    assert.deepEqual(first, ['n0', 'n1', 'n2'])
    assert.deepEqual(
      bodiesOf(await receive({ attemptId: 'attempt' })).filter(body => body.startsWith('n')),
      first,
    )
    assert.deepEqual(bodiesOf(await receive({ attemptId: 'another' })), [])
  })
})

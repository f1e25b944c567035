import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import { consumeMessageDirectly, getConsumerRunningInfo } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { type Standalone, startStandalone } from '../../src/index.ts'
import { bodiesOf, Caller, consumerOf, type Open, receiveOf, sendOf, until } from './caller.ts'

describe('operators and gRPC consumers', () => {
  let skua: Standalone
  let caller: Caller
  let stream: Open
  let remoting: RemotingClient
  const topic = 'Operated'
  const member = { consumerGroup: 'G_operated', clientId: 'member' }

  before(async () => {
    skua = await startStandalone({ store: 'memory', port: 0, grpcPort: 0 })
    await using admin = new Admin({ namesrvAddr: skua.namesrvAddr })
    await admin.createTopic(topic, { queueNum: 1 })
    caller = new Caller(skua.grpcAddr!, { clientId: 'member' })
    stream = await caller.settle(consumerOf(topic, 'G_operated'))
    remoting = new RemotingClient(nodeRuntime())
  })

  after(async () => {
    caller?.close()
    await remoting?.close()
    await skua?.stop()
  })

  /** Does what a client does with the next command of a kind. */
  async function next(kind: string) {
    await until(() => stream.answers.some(answer => answer[kind] !== undefined))
    const at = stream.answers.findIndex(answer => answer[kind] !== undefined)
    return stream.answers.splice(at, 1)[0]![kind]
  }

  test('a member tells what it is subscribed to, and its stack where that is asked for', async () => {
    const address = skua.brokers[0]!.address
    const plain = await remoting.request(address, getConsumerRunningInfo, member)
    assert.equal(plain.code, 0, plain.remark)
    const info = getConsumerRunningInfo.replyBody!.decode(plain.body!)
    assert.deepEqual(
      info.subscriptionSet.map(({ topic: name, subString }) => [name, subString]),
      [[topic, '*']],
    )
    assert.equal(info.properties.get('PROP_CONSUME_TYPE'), 'CONSUME_PASSIVELY')
    assert.equal(info.jstack, undefined)
    const asked = remoting.request(
      address,
      getConsumerRunningInfo,
      { ...member, jstackEnable: true },
      { timeoutMs: 9000 },
    )
    const { nonce } = await next('printThreadStackTraceCommand')
    stream.send({ status: { code: 20_000 }, threadStackTrace: { nonce, threadStackTrace: 'main: idle' } })
    const told = await asked
    assert.equal(getConsumerRunningInfo.replyBody!.decode(told.body!).jstack, 'main: idle')
  })

  test('a message is consumed directly, and its result told; an answer on another stream is none', async () => {
    const address = skua.brokers[0]!.address
    await caller.ask('SendMessage', sendOf(topic, 'directly'))
    const open = caller.open('ReceiveMessage', receiveOf(topic, 'G_look'))
    open.stream.end()
    await open.ended
    const { message } = open.answers.find(answer => answer.message !== undefined)!
    const [host, port] = message.systemProperties.storeHost.split(':')
    const handle = message.systemProperties.receiptHandle.split(' ')
    const id = Buffer.alloc(16)
    for (const [i, part] of host.split('.').entries()) id[i] = Number(part)
    id.writeInt32BE(Number(port), 4)
    id.writeBigInt64BE(BigInt(handle[8]), 8)
    const msgId = id.toString('hex').toUpperCase()
    for (const [code, result] of [
      [20_000, 'CR_SUCCESS'],
      [60_000, 'CR_LATER'],
    ] as const) {
      const asked = remoting.request(address, consumeMessageDirectly, { ...member, msgId, topic }, { timeoutMs: 9000 })
      const command = await next('verifyMessageCommand')
      assert.equal(String(command.message.body), 'directly')
      const other = new Caller(skua.grpcAddr!, { clientId: 'forger' })
      const forged = await other.settle(consumerOf(topic, 'G_operated'))
      forged.send({ status: { code: 40_016 }, verifyMessageResult: { nonce: command.nonce } })
      await new Promise(resolve => setTimeout(resolve, 100))
      stream.send({ status: { code }, verifyMessageResult: { nonce: command.nonce } })
      const told = await asked
      assert.equal(told.code, 0, told.remark)
      assert.equal(consumeMessageDirectly.replyBody!.decode(told.body!).consumeResult, result)
      other.close()
    }
  })

  test('settings that are refused leave nothing behind', async () => {
    const wrong = new Caller(skua.grpcAddr!, { clientId: 'wrong' })
    const settings = consumerOf(topic, 'G_wrong')
    settings.subscription.subscriptions[0].expression.expression = '||'
    assert.equal(await wrong.open('Telemetry', { settings }).ended, '3')
    assert.equal((await wrong.ask('Heartbeat', {})).status.code, 40_015)
    wrong.close()
  })

  test('tags that share their hash are told apart', async () => {
    await caller.ask('SendMessage', sendOf(topic, 'BB', { tag: 'BB' }))
    await caller.ask('SendMessage', sendOf(topic, 'Aa', { tag: 'Aa' }))
    const open = caller.open(
      'ReceiveMessage',
      receiveOf(topic, 'G_tags', { filterExpression: { type: 1, expression: 'Aa' } }),
    )
    open.stream.end()
    await open.ended
    assert.deepEqual(bodiesOf(open.answers), ['Aa'])
    const bad = await caller.ask(
      'ReceiveMessage',
      receiveOf(topic, 'G_tags', { filterExpression: { type: 1, expression: '||' } }),
    )
    assert.equal(bad.status.code, 40_010)
  })
})

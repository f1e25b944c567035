import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Admin } from '@skua-mq/client'
import { type Standalone, startStandalone } from '../../src/index.ts'
import { Caller, consumerOf, receiveOf, sendOf, type Told } from './caller.ts'

const topic = 'History'
const group = 'G_history'
const count = 200

/** Numbers from a seed. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

describe('clients that come and vanish at any moment', () => {
  let skua: Standalone
  const seed = Number(process.env['SKUA_SEED'] ?? 1)

  before(async () => {
    // What was written to a client in the moment in which it vanished counts as taken until the client is gone: after 2 minutes by default.
    const grpc = { grpcClientIdleTimeMills: 12_000 }
    skua = await startStandalone({ store: 'memory', port: 0, grpcPort: 0, grpc })
    await using admin = new Admin({ namesrvAddr: skua.namesrvAddr })
    await admin.createTopic(topic, { queueNum: 4 })
  })

  after(() => skua?.stop())

  test(`nothing is lost, and nothing that was acknowledged comes again (SKUA_SEED=${seed})`, async () => {
    const next = random(seed)
    const acked = new Set<string>()
    const again: string[] = []
    const deadline = performance.now() + 60_000
    const sender = new Caller(skua.grpcAddr!, { clientId: 'sender' })
    const sending = (async () => {
      for (let i = 0; i < count; i++) {
        await sender.ask('SendMessage', sendOf(topic, `${i}`, { messageId: `m${i}` }))
        if (i % 5 === 0) await new Promise(resolve => setTimeout(resolve, 20))
      }
    })()

    async function settle(caller: Caller, answers: readonly Told[]): Promise<void> {
      const messages = answers.flatMap(({ message }) => (message === undefined ? [] : [message.systemProperties]))
      for (const { messageId } of messages) if (acked.has(messageId)) again.push(messageId)
      const entries = messages.map(({ messageId, receiptHandle }) => ({ messageId, receiptHandle }))
      const told = await caller.ask('AckMessage', { group: { name: group }, topic: { name: topic }, entries })
      for (const { messageId, status } of told.entries ?? []) if (status.code === 20_000) acked.add(messageId)
    }

    async function consumer(name: string): Promise<void> {
      for (let life = 0; acked.size < count && performance.now() < deadline; life++) {
        const caller = new Caller(skua.grpcAddr!, { clientId: `${name}-${life}` })
        const isPush = next() < 0.5
        if (isPush) await caller.settle(consumerOf(topic, group))
        const wishes = { invisibleDuration: { seconds: 10 }, autoRenew: isPush, batchSize: 8 }
        for (let receives = 0; receives < 3 && acked.size < count; receives++) {
          const open = caller.open('ReceiveMessage', receiveOf(topic, group, wishes))
          open.stream.end()
          if (next() < 0.3) {
            // Before anything can have come, or in the middle of it.
            await new Promise(resolve => setTimeout(resolve, next() * 60))
            if (open.answers.length === 0) {
              open.stream.close(8)
              await open.ended
              continue
            }
          }
          await open.ended
          if (open.answers.some(({ message }) => message !== undefined)) await settle(caller, open.answers)
        }
        if (isPush && next() < 0.5) await caller.ask('NotifyClientTermination', { group: { name: group } })
        caller.close()
      }
    }

    await Promise.all(Array.from({ length: 8 }, (_, i) => consumer(`c${i}`)))
    await sending
    sender.close()
    assert.deepEqual(again, [])
    assert.equal(acked.size, count)
  })
})

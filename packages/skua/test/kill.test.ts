import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  decodeRecords,
  getMaxOffset,
  pullMessage,
  queryConsumerOffset,
  sendMessageV2,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { ServerProcess } from './server-process.ts'

const rounds = Number(process.env['SKUA_KILL_ROUNDS'] ?? 3)
const topic = 'Killed'
const queues = 4

/** Senders that keep what was acknowledged: body text by queue and offset. */
class Load {
  readonly acknowledged = new Map<string, string>()
  committed = 0
  going = true
  private readonly client = new RemotingClient(nodeRuntime())
  private readonly address: string

  constructor(address: string) {
    this.address = address
  }

  async run(round: number): Promise<void> {
    const senders = Array.from({ length: 32 }, (_, sender) => this.sender(round, sender))
    await Promise.all([...senders, this.committer()])
    await this.client.close()
  }

  private async sender(round: number, sender: number): Promise<void> {
    for (let i = 0; this.going; i++) {
      const text = `${round}-${sender}-${i}-${'x'.repeat(200)}`
      const header = {
        producerGroup: 'pg',
        topic,
        defaultTopic: 'TBW102',
        defaultTopicQueueNums: queues,
        queueId: sender % queues,
        sysFlag: 0,
        bornTimestamp: 1,
        flag: 0,
        unitMode: false,
        batch: false,
      }
      try {
        const reply = await this.client.request(this.address, sendMessageV2, header, {
          body: Buffer.from(text),
          timeoutMs: 2000,
        })
        if (reply.code === 0) this.acknowledged.set(`${reply.header.queueId}@${reply.header.queueOffset}`, text)
      } catch {
        return // The broker was killed: what was not acknowledged may be there or not.
      }
    }
  }

  private async committer(): Promise<void> {
    while (this.going) {
      try {
        const offset = this.committed + 1
        const reply = await this.client.request(
          this.address,
          updateConsumerOffset,
          { consumerGroup: 'cg', topic, queueId: 0, commitOffset: offset },
          { timeoutMs: 2000 },
        )
        if (reply.code === 0) this.committed = offset
      } catch {
        return
      }
    }
  }
}

async function readAll(client: RemotingClient, address: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (let queueId = 0; queueId < queues; queueId++) {
    const { header } = await client.request(address, getMaxOffset, { topic, queueId })
    for (let queueOffset = 0; queueOffset < header.offset; ) {
      const pull = {
        consumerGroup: 'reader',
        topic,
        queueId,
        queueOffset,
        maxMsgNums: 32,
        sysFlag: 4,
        commitOffset: 0,
        suspendTimeoutMillis: 0,
        subscription: '*',
        subVersion: 0,
        expressionType: 'TAG',
      }
      const reply = await client.request(address, pullMessage, pull)
      assert.equal(reply.code, 0, reply.remark)
      for (const message of decodeRecords(reply.body ?? Buffer.alloc(0)))
        found.set(`${queueId}@${message.queueOffset}`, Buffer.from(message.body).toString())
      assert.ok(reply.header.nextBeginOffset > queueOffset)
      queueOffset = reply.header.nextBeginOffset
    }
  }
  return found
}

test(`SIGKILL under load, also amid and behind a SIGSTOP, ${rounds} rounds: nothing acknowledged is lost, offsets never go back`, async () => {
  const store = mkdtempSync(join(tmpdir(), 'skua-kill-'))
  const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const start = async () => {
    const skua = ServerProcess.skua(['--store', store, '--port', String(broker), '--namesrv-port', String(nameServer)])
    const [line] = await skua.says(/Skua is ready after \d+ ms/)
    return { skua, line }
  }
  const address = `127.0.0.1:${broker}`
  const acknowledged = new Map<string, string>()
  let committed = 0
  let { skua } = await start()
  for (let round = 0; round < rounds; round++) {
    const load = new Load(address)
    load.committed = committed
    const running = load.run(round)
    await new Promise(resolve => setTimeout(resolve, 700 + (round % 8) * 130))
    // Time leaps for a process that is stopped; the next one is killed while it is stopped.
    if (round % 3 > 0) await skua.pause(400)
    if (round % 3 === 1) {
      skua.resume()
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    await skua.signal('SIGKILL')
    load.going = false
    await running
    for (const [place, text] of load.acknowledged) {
      assert.equal(acknowledged.has(place), false, `${place} was acknowledged twice`)
      acknowledged.set(place, text)
    }
    const again = await start()
    skua = again.skua
    const client = new RemotingClient(nodeRuntime())
    const found = await readAll(client, address)
    let lost = 0
    for (const [place, text] of acknowledged) if (found.get(place) !== text) lost++
    assert.equal(lost, 0, `${lost} of ${acknowledged.size} acknowledged messages are lost or misplaced`)
    // Offsets are written every flushConsumerOffsetInterval: they may be older after a kill, never from another history.
    const reply = await client.request(address, queryConsumerOffset, { consumerGroup: 'cg', topic, queueId: 0 })
    assert.ok(reply.code !== 0 || reply.header.offset <= load.committed)
    committed = reply.code === 0 ? Math.max(reply.header.offset, committed) : committed
    await client.close()
    console.log(`round ${round}: ${load.acknowledged.size} acknowledged, ${found.size} found, restart: ${again.line}`)
  }
  await skua.signal('SIGTERM')
  rmSync(store, { recursive: true, force: true })
})

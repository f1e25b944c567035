import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts, type Standalone } from 'skua'
import type { Driver } from '../src/driver.ts'
import { javaClient, javaVersions } from '../src/java-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'

interface Got {
  body: string
  queueId: number
  queueOffset: number
  receivedAt: number
}

const skip = skipWithout('java')
const queues = 4
const each = 60

for (const version of javaVersions) {
  describe(`strict order with the official Java client ${version}`, { skip }, () => {
    const store = mkdtempSync(join(tmpdir(), 'skua-order-'))
    const topic = 'Ordered'
    const members = new Map<string, Driver>()
    const gone: Got[] = []
    let skua: Standalone
    let sender: Driver
    let ports: { broker: number; nameServer: number }
    let sent = 0

    const start = () =>
      startSkua({
        port: ports.broker,
        nameServerPort: ports.nameServer,
        store,
        config: { defaultTopicQueueNums: queues },
      })
    const send = async (count: number) => {
      for (let queueId = 0; queueId < queues; queueId++) {
        const request = { namesrv: skua.namesrvAddr, topic, queueId, count, body: `q${queueId}` }
        const results = await sender.call<{ status: string }[]>('send', request)
        assert.ok(results.every(({ status }) => status === 'SEND_OK'))
      }
      sent += count
    }
    const joins = async (name: string) => {
      const member = await javaClient(version)
      members.set(name, member)
      await member.call('push', { namesrv: skua.namesrvAddr, topic, name, group: 'ordered', orderly: true, threads: 4 })
    }
    const received = async () => {
      const all = [...gone]
      for (const [name, member] of members)
        all.push(...(await member.call<Got[]>('received', { name, count: 0, timeoutMs: 1 })))
      return all
    }
    const distinct = async () =>
      new Set((await received()).map(({ queueId, queueOffset }) => `${queueId} ${queueOffset}`)).size
    const settled = (what: string) => until(async () => (await distinct()) === sent * queues, what, 120_000)
    /** Whoever got it: of each queue no message was handled before the one that precedes it. */
    const checkOrder = async () => {
      const all = (await received()).sort((a, b) => a.receivedAt - b.receivedAt || a.queueOffset - b.queueOffset)
      for (let queueId = 0; queueId < queues; queueId++) {
        let next = 0
        for (const { queueOffset } of all.filter(got => got.queueId === queueId)) {
          assert.ok(queueOffset <= next, `queue ${queueId}: ${queueOffset} came before ${next}`)
          next = Math.max(next, queueOffset + 1)
        }
        assert.equal(next, sent)
      }
    }

    before(async () => {
      ports = await freePorts(nodeRuntime().net, '127.0.0.1')
      skua = await start()
      sender = await javaClient(version)
    })
    after(async () => {
      for (const member of members.values()) await member.kill()
      await sender?.kill()
      await skua?.stop()
      rmSync(store, { recursive: true, force: true })
    })

    test('while a second member joins and leaves', async () => {
      await send(1)
      await joins('first')
      await settled('the first message of each queue')
      const sending = send(each)
      await joins('second')
      await sending
      await send(each)
      await settled('all messages, with two members')
      gone.push(...(await members.get('second')!.call<Got[]>('received', { name: 'second', count: 0, timeoutMs: 1 })))
      await members.get('second')!.call('stopConsumer', { name: 'second' })
      await members.get('second')!.kill()
      members.delete('second')
      await send(each)
      await settled('all messages, with the first member alone again')
      await checkOrder()
    })

    test('while the broker is stopped and started again', async () => {
      await send(each)
      await skua.stop()
      skua = await start()
      await send(each)
      await settled('all messages, after the restart')
      await checkOrder()
    })

    // Its locks are held for 60 s more, as in RocketMQ: the long run has the time.
    if (process.env['SKUA_ORDER_CRASHES'] === '1') {
      test('while a member crashes', async () => {
        await joins('crashes')
        await send(each)
        await settled('all messages before the crash')
        gone.push(
          ...(await members.get('crashes')!.call<Got[]>('received', { name: 'crashes', count: 0, timeoutMs: 1 })),
        )
        await members.get('crashes')!.kill()
        members.delete('crashes')
        await send(each)
        await settled('all messages after the crash')
        await checkOrder()
      })
    }
  })
}

// The same requests to a broker of ours and to RocketMQ's 5.3.3: the answers are equal, but for times.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { getAllMessageRequestMode } from '@skua-mq/protocol'
import { PopClient } from '../src/pop-client.ts'
import { ask } from '../src/reference/ask.ts'
import { freeBrokerPort, freePort } from '../src/reference/free-ports.ts'
import { referenceJars } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { command, skipWithout } from '../src/toolchain.ts'
import { SkuaProcess } from './skua-process.ts'

type Popped = Awaited<ReturnType<PopClient['pop']>>

/** All of an answer that is no time; queues are popped in an order of chance, which the handles do not show. */
function seen({ code, header, messages }: Popped) {
  const parts = (text: string | undefined) => (text ?? '').split(';').sort().join(';')
  return {
    code,
    restNum: header?.restNum,
    isOrder: header?.reviveQid === 999,
    invisibleTime: header?.invisibleTime,
    starts: parts(header?.startOffsetInfo),
    offsets: parts(header?.msgOffsetInfo),
    counts: parts(header?.orderCountInfo),
    messages: messages
      .map(({ body, reconsumeTimes, handle }) => {
        const [start, , invisible, , mark, broker, queue, offset] = handle.split(' ')
        return [body, reconsumeTimes, start, invisible, mark, broker, queue, offset].join(' ')
      })
      .sort(),
  }
}

const invisibleTime = 5000

async function plainSession(client: PopClient): Promise<unknown[]> {
  const told: unknown[] = []
  for (let n = 0; n < 8; n++) told.push(await client.send(`p${n}`, n % 2))
  await sleep(500)
  const first = await client.pop({ invisibleTime })
  told.push(seen(first), seen(await client.pop({ invisibleTime })))
  const at = (body: string) => first.messages.find(message => message.body === body)!
  told.push(await client.ack(at('p0')), await client.ack(at('p0')), await client.ackAll([at('p1'), at('p3')]))
  told.push(await client.change(at('p2'), 20_000))
  // Java revives two to three seconds late, and looks a second at a time.
  const again: Popped['messages'] = []
  for (const end = Date.now() + 15_000; Date.now() < end; ) {
    const { messages } = await client.pop({ invisibleTime: 60_000, pollTime: 1000 })
    again.push(...messages)
  }
  told.push(again.map(({ body, reconsumeTimes, handle }) => `${body} ${reconsumeTimes} ${handle.split(' ')[4]}`).sort())
  for (const message of again) told.push(await client.ack(message))
  return told
}

async function orderedSession(client: PopClient): Promise<unknown[]> {
  const told: unknown[] = []
  for (let n = 0; n < 5; n++) told.push(await client.send(`o${n}`, 0))
  await sleep(500)
  const wish = { invisibleTime, order: true, maxMsgNums: 2 }
  const first = await client.pop({ ...wish, attemptId: 'one' })
  told.push(seen(first), seen(await client.pop({ ...wish, attemptId: 'one' })))
  told.push(seen(await client.pop({ ...wish, attemptId: 'two' })))
  const again = await client.pop({ ...wish, attemptId: 'one' })
  told.push(await client.ack(first.messages[0]!), await client.ack(again.messages[1]!))
  told.push(seen(await client.pop({ ...wish, attemptId: 'two' })))
  await sleep(invisibleTime + 200)
  const third = await client.pop({ ...wish, attemptId: 'three' })
  told.push(seen(third), await client.ack(third.messages[0]!), await client.change(third.messages[1]!, 1000))
  await sleep(1500)
  const fourth = await client.pop(wish)
  told.push(seen(fourth))
  for (const message of fourth.messages) told.push(await client.ack(message))
  told.push(seen(await client.pop(wish)))
  return told
}

describe('pops are answered as RocketMQ answers them', { skip: skipWithout('java') }, () => {
  const store = mkdtempSync(join(tmpdir(), 'skua-pop-reference-'))
  after(() => rmSync(store, { recursive: true, force: true }))
  for (const [title, session] of Object.entries({ plain: plainSession, 'in order': orderedSession })) {
    test(title, async () => {
      const place = {
        store: join(store, title.replace(' ', '-')),
        broker: await freeBrokerPort(),
        nameServer: await freePort(),
      }
      const config = { brokerName: 'broker-a', brokerIP1: '127.0.0.1', defaultTopicQueueNums: 4 }
      const skua = await SkuaProcess.start({ ...place, config })
      const java = await startReference({ version: '5.3.3', conf: { defaultTopicQueueNums: 4 } })
      const clients = [`127.0.0.1:${place.broker}`, java.brokerAddr].map(each => new PopClient(each, 'Same', 'same'))
      try {
        const [ours, theirs] = await Promise.all(clients.map(session))
        assert.deepEqual(ours, theirs)
      } finally {
        for (const client of clients) await client.close()
        await Promise.all([skua.stop('SIGTERM'), java.stop('SIGKILL')])
      }
    })
  }

  test('Apache’s own mqadmin sets the mode at a broker of ours', async () => {
    const place = { store: join(store, 'mode'), broker: await freeBrokerPort(), nameServer: await freePort() }
    const skua = await SkuaProcess.start({ ...place, config: { brokerName: 'broker-a', brokerIP1: '127.0.0.1' } })
    const address = `127.0.0.1:${place.broker}`
    const client = new PopClient(address, 'Moded', 'moded')
    try {
      assert.equal(await client.send('one', 0), 0)
      const jars = await referenceJars('5.3.3')
      const tool = ['-cp', `${jars}/*`, 'org.apache.rocketmq.tools.command.MQAdminStartup']
      const line = `setConsumeMode -b ${address} -t Moded -g moded -m POP -q 2 -n 127.0.0.1:${place.nameServer}`
      const said = await command('java', [`-Duser.home=${store}`, ...tool, ...line.split(' ')])
      assert.match(said, /set consume mode to .* success/)
      const { code, body } = await ask(address, { code: getAllMessageRequestMode.code })
      assert.equal(code, 0)
      const { messageRequestModeMap } = getAllMessageRequestMode.replyBody!.decode(body!)
      const mode = { consumerGroup: 'moded', mode: 'POP', popShareQueueNum: 2, topic: 'Moded' }
      assert.deepEqual(messageRequestModeMap.get('Moded')?.get('moded'), mode)
    } finally {
      await client.close()
      await skua.stop('SIGTERM')
    }
  })
})

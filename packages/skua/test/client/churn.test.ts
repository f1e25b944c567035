import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { Admin, averagelyByCircle, Producer, PushConsumer } from '@skua-mq/client'
import { cluster, fresh, sleep, until } from './harness.ts'

const { namesrvAddr } = await cluster()
/** `npm run test:long` gives more. */
const churnMs = Number(process.env.SKUA_CHURN_MS ?? 5_000)

/** A member in a process of its own, which prints what it consumes. */
function crashing(topic: string, group: string, seen: Map<string, number>): ChildProcess {
  const source = `
    import { averagelyByCircle, PushConsumer } from '@skua-mq/client'
    const options = { namesrvAddr: '${namesrvAddr}', group: '${group}', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' }
    const consumer = new PushConsumer({ ...options, allocateMessageQueueStrategy: averagelyByCircle() })
    consumer.subscribe('${topic}').onMessage(message => console.log(message.text()))
    await consumer.start()
  `
  const flags = ['--conditions=skua-source', '--import', 'tsx', '--input-type=module', '-e', source]
  const child = spawn(process.execPath, flags, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
  createInterface({ input: child.stdout! }).on('line', body => seen.set(body, (seen.get(body) ?? 0) + 1))
  return child
}

test('members join, leave and crash, and every message is consumed; only crashes repeat some', async () => {
  const topic = fresh('T')
  const group = fresh('cg')
  await using admin = new Admin({ namesrvAddr })
  await admin.createTopic(topic, { queueNum: 8 })
  await until('the route', async () => (await admin.topicRoute(topic)) !== undefined)
  const seen = new Map<string, number>()
  const member = async () => {
    const consumer = new PushConsumer({
      namesrvAddr,
      group,
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
      allocateMessageQueueStrategy: averagelyByCircle(),
    })
    consumer.subscribe(topic).onMessage(async message => {
      await sleep(1)
      seen.set(message.text(), (seen.get(message.text()) ?? 0) + 1)
    })
    await consumer.start()
    return consumer
  }
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  await using _always = await member()
  const end = Date.now() + churnMs
  let sent = 0
  const sending = (async () => {
    while (Date.now() < end) {
      await producer.send({ topic, body: `${sent}` })
      sent++
      await sleep(2)
    }
  })()
  while (Date.now() < end) {
    const child = crashing(topic, group, seen)
    const guest = await member()
    await sleep(1_000)
    await guest.close()
    child.kill('SIGKILL')
  }
  await sending
  await until(`all ${sent} messages, of which ${seen.size} came`, () => seen.size === sent, 40_000)
  assert.ok(sent > 100)
  const repeated = [...seen.values()].filter(count => count > 1).length
  assert.ok(repeated < sent / 2, `${repeated} of ${sent} came more than once`)
})

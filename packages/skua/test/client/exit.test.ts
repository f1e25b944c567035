import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import process from 'node:process'
import { test } from 'node:test'
import { cluster, fresh } from './harness.ts'

const { namesrvAddr } = await cluster()

/** Runs a module text in a process of its own; what it printed, and how it ended. */
function run(source: string): Promise<{ out: string; code: number | null }> {
  const flags = ['--conditions=skua-source', '--import', 'tsx', '--input-type=module', '-e', source]
  return new Promise(resolve => {
    const child = spawn(process.execPath, flags, { cwd: import.meta.dirname, timeout: 20_000 })
    let out = ''
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.stderr.on('data', chunk => {
      out += chunk
    })
    child.on('close', code => resolve({ out, code }))
  })
}

test('a process ends by itself when its clients are closed', async () => {
  const topic = fresh('T')
  const { out, code } = await run(`
    import { Producer, PushConsumer, LitePullConsumer } from '@skua-mq/client'
    const namesrvAddr = '${namesrvAddr}'
    const producer = new Producer({ namesrvAddr, group: '${fresh('pg')}' })
    await producer.send({ topic: '${topic}', body: 'hello' })
    const consumer = new PushConsumer({ namesrvAddr, group: '${fresh('cg')}', consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
    consumer.subscribe('${topic}')
    for await (const message of consumer) { console.log(message.text()); consumer.ack(message); break }
    const lite = new LitePullConsumer({ namesrvAddr, group: '${fresh('cg')}' }).subscribe('${topic}')
    await lite.poll({ timeoutMs: 100 })
    await Promise.all([consumer.close(), producer.close(), lite.close()])
  `)
  assert.deepEqual([out, code], ['hello\n', 0])
})

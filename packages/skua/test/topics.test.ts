import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect, topicConfigs } from '@skua-mq/admin'
import { startStandalone } from '../src/index.ts'
import { ServerProcess } from './server-process.ts'

const home = mkdtempSync(join(tmpdir(), 'skua-topics-'))
after(() => rmSync(home, { recursive: true, force: true }))

async function configs({ namesrvAddr, address }: { namesrvAddr: string; address: string }) {
  const session = connect({ namesrvAddr })
  try {
    const all = await topicConfigs(session, address)
    return Object.fromEntries(
      all.map(({ topicName, writeQueueNums, readQueueNums, attributes }) => [
        topicName,
        [readQueueNums, writeQueueNums, attributes?.get('message.type')],
      ]),
    )
  } finally {
    await session.close()
  }
}

test('topics are there before anybody connects; a further start changes what it says, and no more', async () => {
  const store = join(home, 'store')
  const begin = (topics: Parameters<typeof startStandalone>[0]['topics']) =>
    startStandalone({ port: 0, store, ...(topics === undefined ? {} : { topics }) })
  const first = await begin(['Plain', { name: 'Ordered', queues: 3, type: 'FIFO' }])
  const at = (skua: typeof first) => ({ namesrvAddr: skua.namesrvAddr, address: skua.brokers[0]!.address })
  const before = await configs(at(first))
  assert.deepEqual(
    [before.Plain, before.Ordered],
    [
      [4, 4, undefined],
      [3, 3, 'FIFO'],
    ],
  )
  await first.stop()
  const second = await begin(['Ordered', { name: 'Plain', queues: 2, type: 'DELAY' }])
  const later = await configs(at(second))
  assert.deepEqual(
    [later.Plain, later.Ordered],
    [
      [2, 2, 'DELAY'],
      [3, 3, 'FIFO'],
    ],
  )
  await second.stop()
})

test('topics that cannot be end the start, and leave nothing behind', async () => {
  const store = 'memory'
  const start = (topics: unknown) => startStandalone({ port: 0, store, topics: topics as never })
  await assert.rejects(start(['a b']), /topics, topic 1: the topic "a b" holds characters/)
  await assert.rejects(start([{ name: 'A', queues: 0 }]), /queues of A is 0: a number from 1 to 1024/)
  await assert.rejects(start([{ name: 'A' }, 'A']), /topics: topic A is there twice/)
  await assert.rejects(start([{ topic: 'A' }]), /a topic has no "topic"/)
  await assert.rejects(start([7]), /topic 1: a topic is a name or/)
  await assert.rejects(start('A'), /a list of topics is wanted/)
  await assert.rejects(start(['TBW102']), /belongs to the broker/)
})

test('skua --topics reads them from a file, JSON or YAML', async () => {
  const file = join(home, 'topics.json')
  writeFileSync(file, '["Plain", { "name": "Ordered", "queues": 3, "type": "FIFO" }]')
  const skua = ServerProcess.skua(['--memory', '--port', '0', '--topics', file])
  await skua.says(/Skua is ready/)
  const [, namesrvAddr] = /name server +(\S+)/.exec(skua.output)!
  const [, address] = /broker +(\S+)/.exec(skua.output)!
  assert.deepEqual((await configs({ namesrvAddr: namesrvAddr!, address: address! })).Ordered, [3, 3, 'FIFO'])
  assert.equal((await skua.signal('SIGTERM')).code, 0)
  const wrong = join(home, 'wrong.yaml')
  writeFileSync(wrong, '- name: A\n  queue: 3\n')
  const failed = ServerProcess.skua(['--memory', '--port', '0', '--topics', wrong])
  assert.equal(await failed.exit(), 1)
  assert.match(failed.errors, /wrong\.yaml, topic 1: a topic has no "queue"; did you mean queues\?/)
})

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { Producer } from '@skua-mq/client'
import {
  getRouteInfoByTopic,
  PullSysFlag,
  pullMessage,
  ResponseCode,
  registerMessageFilterClass,
} from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { type Standalone, startStandalone } from '../src/index.ts'
import { ServerProcess } from './server-process.ts'

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Filter servers of this process's brokers, by process id. */
function filterProcesses(broker = process.pid): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,args=']).toString().split('\n')
  return lines
    .filter(line => line.includes(' filterserver --broker '))
    .map(line => line.trim().split(/\s+/).map(Number))
    .filter(([, parent]) => parent === broker)
    .map(([pid]) => pid as number)
}

async function until<T>(find: () => Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 20_000
  for (;;) {
    const found = await find()
    if (found !== undefined) return found
    if (Date.now() > end) assert.fail('not within 20 s')
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

describe('a filter server', () => {
  let skua: Standalone
  const client = new RemotingClient(nodeRuntime())

  before(async () => {
    skua = await startStandalone({
      port: 0,
      store: 'memory',
      config: { filterServerNums: 1, defaultTopicQueueNums: 1 },
    })
    const producer = new Producer({ namesrvAddr: skua.namesrvAddr, group: 'p' })
    await producer.start()
    for (const tag of ['A', 'B', 'A']) await producer.send({ topic: 'F', tag, body: 'x'.repeat(5000) })
    await producer.close()
  })
  after(async () => {
    await client.close()
    await skua.stop()
    assert.deepEqual(filterProcesses(), [])
  })

  /** As consumers find it. */
  const address = () =>
    until(async () => {
      const reply = await client.request(skua.namesrvAddr, getRouteInfoByTopic, { topic: 'F' })
      const route = getRouteInfoByTopic.replyBody!.decode(reply.body!)
      return route.filterServerTable.get(skua.brokers[0]!.address)?.[0]
    })
  const register = async (group: string, source: string) =>
    client.request(
      await address(),
      registerMessageFilterClass,
      { consumerGroup: group, topic: 'F', className: 'C', classCRC: 0 },
      { body: Buffer.from(source) },
    )
  const pull = async (group: string, queueOffset: number) =>
    client.request(await address(), pullMessage, {
      consumerGroup: group,
      topic: 'F',
      queueId: 0,
      queueOffset,
      maxMsgNums: 32,
      sysFlag: PullSysFlag.classFilter,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 0,
    })

  test('answers a pull as the broker would, with what the filter lets pass', async () => {
    assert.equal((await register('g', 'const match = m => m.tags === "A" && m.bodyText.length === 5000')).code, 0)
    const found = await pull('g', 0)
    assert.equal(found.code, ResponseCode.success)
    assert.deepEqual({ ...found.header }, { suggestWhichBrokerId: 0, nextBeginOffset: 3, minOffset: 0, maxOffset: 3 })
    const direct = await client.request(skua.brokers[0]!.address, pullMessage, {
      consumerGroup: 'other',
      topic: 'F',
      queueId: 0,
      queueOffset: 0,
      maxMsgNums: 32,
      sysFlag: PullSysFlag.subscription,
      subscription: 'A',
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 0,
    })
    assert.deepEqual(found.body, direct.body, 'the records as they are stored')
  })

  test('tells apart what did not match, what is not there yet and what is out of range', async () => {
    await register('none', 'const match = () => false')
    const unmatched = await pull('none', 0)
    assert.equal(unmatched.code, ResponseCode.pullRetryImmediately)
    assert.equal(unmatched.header.nextBeginOffset, 3)
    assert.equal((await pull('none', 3)).code, ResponseCode.pullNotFound)
    const beyond = await pull('none', 99)
    assert.equal(beyond.code, ResponseCode.pullOffsetMoved)
    assert.equal(beyond.header.nextBeginOffset, 3)
  })

  test('refuses with the reason: no filter, no JavaScript, a filter that fails', async () => {
    const stranger = await pull('stranger', 0)
    assert.equal(stranger.code, ResponseCode.systemError)
    assert.match(stranger.remark ?? '', /no filter of stranger for F/)
    const java = await register('java', 'public class C implements MessageFilter {}')
    assert.equal(java.code, ResponseCode.systemError)
    assert.match(java.remark ?? '', /wanted is JavaScript/)
    const afterwards = await pull('java', 0)
    assert.equal(afterwards.code, ResponseCode.systemError)
    assert.match(afterwards.remark ?? '', /wanted is JavaScript/, 'the consumer’s log says it with each pull')
    await register('loops', 'function match() { for (;;); }')
    const looping = await pull('loops', 0)
    assert.equal(looping.code, ResponseCode.systemError)
    assert.match(looping.remark ?? '', /filter C failed.*filterCallTimeoutMs=100/)
  })

  test('goes on for others while one filter hangs inside a built-in function', async () => {
    await register('hangs', `const match = () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)`)
    await register('g', 'const match = () => true')
    const hanging = pull('hangs', 0)
    let others = 0
    for (let done = false; !done; others++) {
      assert.equal((await pull('g', 0)).code, 0)
      done = await Promise.race([
        hanging.then(() => true),
        new Promise<false>(resolve => setTimeout(resolve, 1, false)),
      ])
    }
    assert.ok(others > 20, `${others} pulls`)
    assert.match((await hanging).remark ?? '', /filter C failed.*filterCallTimeoutMs=100/)
  })

  test('that was killed is started again and found in the route', async () => {
    const before = await address()
    const [pid] = filterProcesses()
    process.kill(pid!, 'SIGKILL')
    await until(async () => ((await address()) === before ? undefined : true))
    assert.equal((await register('g', 'const match = () => true')).code, 0)
    assert.equal((await pull('g', 0)).code, 0)
    assert.equal(filterProcesses().length, 1)
  })
})

test('filter servers end by themselves when their broker is killed', async () => {
  const broker = ServerProcess.skua(['--memory', '--port', '0', '--config', 'filterServerNums=2'])
  const pids = await until(async () => {
    const found = filterProcesses(broker.child.pid)
    return found.length === 2 ? found : undefined
  })
  await broker.signal('SIGKILL')
  await until(async () => (pids.some(isAlive) ? undefined : true))
})

test('a filter server whose broker is gone ends by itself', async () => {
  const server = ServerProcess.skua(['filterserver', '--broker', '127.0.0.1:1'])
  assert.equal(await server.exit(), 1)
  assert.match(server.errors, /its broker does not answer/)
})

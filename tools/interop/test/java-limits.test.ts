import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultDialect, putKvConfig, updateAndCreateTopic } from '@skua-mq/protocol'
import { NodeClock, SimDisk } from '@skua-mq/runtime'
import { askedDialect } from '../src/asked-dialect.ts'
import { until } from '../src/until.ts'
import { type JavaWorld, type Pulled, refusal, type Sent, withJava } from './java-world.ts'

interface Reply {
  code: number
  remark: string | null
}

/** A name or queue that is none: 5.x has a code of its own for that. */
const speaks = process.env['SKUA_REFERENCE_VERSION'] ?? askedDialect().dialect ?? defaultDialect
const invalid = speaks.startsWith('5') ? 29 : 1
const permission = { read: 4, write: 2, inherit: 1 } as const

/** A send by the remoting layer of the Java client, which checks nothing itself. */
const sendRaw = (world: JavaWorld, topic: string, fields: Record<string, unknown> = {}): Promise<Reply> =>
  world.withTool((_, address) =>
    world.call<Reply>('remoting', {
      address,
      code: 10,
      body: 'raw',
      fields: {
        ...{ producerGroup: 'raw', topic, defaultTopic: 'TBW102', defaultTopicQueueNums: 4, queueId: 0, sysFlag: 0 },
        ...{ bornTimestamp: Date.now(), flag: 0, properties: '', reconsumeTimes: 0, unitMode: false, batch: false },
        ...fields,
      },
    }),
  )

const createTopic = (world: JavaWorld, topic: string, perm: number, order = false) =>
  world.withTool(async ask => {
    const queues = { readQueueNums: 2, writeQueueNums: 2 }
    const header = { topic, defaultTopic: 'TBW102', ...queues, perm, topicFilterType: 'SINGLE_TAG', order }
    assert.equal((await ask(updateAndCreateTopic, header)).code, 0)
  })

/** Changes options of the running broker while `work` lasts. */
async function withOption(world: JavaWorld, key: string, value: unknown, usual: unknown, work: () => Promise<void>) {
  await world.setOption(key, value)
  try {
    await work()
  } finally {
    await world.setOption(key, usual)
  }
}

withJava('limits and refusals before the official Java client', {}, world => {
  /** Straight to a queue of the broker, whatever the route says. */
  const sendTo = (topic: string, queueId = 0, further: Record<string, unknown> = {}) =>
    world.call<Sent[]>('send', { topic, brokerName, queueId, ...further })
  const pull = (topic: string, further: Record<string, unknown> = {}): Promise<Pulled> =>
    world.pull({ topic, brokerName, offset: 0, ...further })
  let brokerName = ''

  test('a body above maxMessageSize is refused, and so are properties that cannot be stored', async () => {
    const topic = world.name('Big')
    brokerName = (await world.send(topic))[0]?.brokerName ?? ''
    const big = { group: world.name('big'), maxMessageSize: 16 * 1024 * 1024 }
    assert.equal((await world.send(topic, { ...big, bodyBytes: 4_000_000 })).length, 1)
    const words = world.owned ? /has 4500000 bytes, maxMessageSize is 4194304/ : /./
    await assert.rejects(world.send(topic, { ...big, bodyBytes: 4_500_000 }), refusal(13, words))
    const properties = { long: 'x'.repeat(33_000) }
    await assert.rejects(world.send(topic, { properties }), refusal(13, world.owned ? /32767/ : /./))
    assert.equal((await world.send(topic, { properties: { long: 'x'.repeat(32_000) } })).length, 1)
  })

  test('names that are none, and topics of the broker itself, are refused to whoever does not check them', async () => {
    const own = ['SCHEDULE_TOPIC_XXXX', 'RMQ_SYS_TRANS_HALF_TOPIC', 'RMQ_SYS_TRANS_OP_HALF_TOPIC', 'SELF_TEST_TOPIC']
    for (const topic of ['', 'a/b', 'x'.repeat(128), ...own]) {
      const reply = await sendRaw(world, topic)
      assert.equal(reply.code, own.includes(topic) ? 16 : invalid, `${topic}: ${reply.remark}`)
      assert.notEqual(reply.remark ?? '', '')
    }
    // As long as a name may be, and with every character; the name goes to a queue that every broker has.
    const longest = `${world.name('All-')}|%`.padEnd(127, 'x')
    assert.equal((await sendRaw(world, longest)).code, 0)
  })

  test('a topic that may not be written takes nothing, one that may not be read gives nothing', async () => {
    const [written, read] = [world.name('ReadOnly'), world.name('WriteOnly')]
    await createTopic(world, written, permission.read)
    await createTopic(world, read, permission.write)
    // RocketMQ leaves that to the clients, who are not given such queues (docs/differences.md).
    if (world.owned) await assert.rejects(sendTo(written), refusal(16, /its perm is 4/))
    assert.equal((await sendTo(read)).length, 1)
    await assert.rejects(pull(read), refusal(16, /./))
    await createTopic(world, read, permission.read | permission.write)
    assert.equal((await pull(read)).status, 'FOUND')
  })

  test('a broker that may not be written or read says so', async () => {
    const [plain, ordered] = [world.name('Plain'), world.name('Ordered')]
    await createTopic(world, plain, permission.read | permission.write)
    // What is in this namespace is told to a broker that registers.
    await world.withTool(async ask => {
      const order = { namespace: 'ORDER_TOPIC_CONFIG', key: ordered, value: `${brokerName}:2` }
      assert.equal((await ask(putKvConfig, order)).code, 0)
    }, world.namesrv)
    await createTopic(world, ordered, permission.read | permission.write, true)
    await withOption(world, 'brokerPermission', permission.read, 6, async () => {
      await until(async () => (await sendRaw(world, ordered)).code === 16, 'ordered topics are refused')
      // Other topics that are there go on, as in RocketMQ: whoever has their route may finish.
      assert.equal((await sendRaw(world, plain)).code, 0)
    })
    await withOption(world, 'brokerPermission', permission.write, 6, () =>
      assert.rejects(pull(plain), refusal(16, /./)),
    )
    assert.equal((await pull(plain)).status, 'FOUND')
  })

  test('a queue that the topic does not have is refused, at a send and at a pull', async () => {
    const topic = world.name('Queues')
    await createTopic(world, topic, permission.read | permission.write)
    assert.equal((await sendTo(topic, 1))[0]?.queueId, 1)
    await assert.rejects(sendTo(topic, 2), refusal(invalid, /./))
    await assert.rejects(pull(topic, { queueId: 2 }), refusal(invalid, /./))
  })

  test('a topic is created from a template that lets itself be inherited, and from no other', async () => {
    const template = world.name('Template')
    await createTopic(world, template, permission.read | permission.write)
    const made = world.name('Made')
    assert.equal((await sendRaw(world, made, { defaultTopic: template })).code, 17)
    assert.equal((await sendRaw(world, made, { defaultTopic: 'NoSuchTopic' })).code, 17)
    await createTopic(world, template, 7)
    assert.equal((await sendRaw(world, made, { defaultTopic: template })).code, 0)
  })

  test('a group that is not there is told so where none may be created', async () => {
    const topic = world.name('Groups')
    await world.send(topic, { queueId: 0 })
    await withOption(world, 'autoCreateSubscriptionGroup', false, true, () =>
      assert.rejects(pull(topic, { group: world.name('unknown') }), refusal(26, /./)),
    )
  })

  test('transactions are refused where rejectTransactionMessage says so', async () => {
    const topic = world.name('NoTx')
    await world.send(topic)
    const sends = () => world.call('transaction', { topic, group: world.name('no_tx') })
    await withOption(world, 'rejectTransactionMessage', true, false, () => assert.rejects(sends(), refusal(16, /./)))
    await sends()
  })
})

const clock = Object.assign(new NodeClock(), {
  block: (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms),
})
const disk = new SimDisk(clock)
const config = { flushDirtyBytes: 20_000, maxDirtyBytes: 200_000 }

withJava('a broker whose disk stalls, before the official Java client', { runtime: { disk }, config }, world => {
  test('sends are refused with 2 and the measured cause, what was taken is consumed, and later all goes on', {
    skip: !world.owned,
  }, async () => {
    const topic = world.name('Busy')
    await world.send(topic, { body: 'first' })
    await world.push('busy', { topic })
    await world.received('busy', 1)
    const recovered = disk.faults.slow({ on: 'sync', ms: 5000, path: 'commitlog' })
    let taken = 1
    const busy = refusal(2, /wait for the disk, an fdatasync of it has taken \d+ ms so far; maxDirtyBytes is 200000/)
    await assert.rejects(async () => {
      // Bodies that the client does not compress.
      for (let i = 0; i < 200; i++) {
        await world.send(topic, { bodyBytes: 4000 })
        taken++
      }
    }, busy)
    assert.ok(taken > 20 && taken < 70, `${taken} were taken`)
    assert.equal((await world.received('busy', taken)).length, taken)
    recovered()
    for (let tries = 0; tries < 100; tries++) {
      const sent = await world.send(topic, { body: 'after' }).catch(() => undefined)
      if (sent !== undefined) break
      await new Promise(resolve => setTimeout(resolve, 100))
    }
    assert.equal((await world.received('busy', taken + 1)).at(-1)?.body, 'after')
    await world.stopConsumer('busy')
  })
})

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Explained, FateState } from '@skua-mq/admin'
import { brokerRuntimeInfo, cleanBrokers, connect } from '@skua-mq/admin'
import { Producer, PushConsumer, type PushConsumerOptions } from '@skua-mq/client'
import { NodeClock } from '@skua-mq/runtime'
import { startStandalone } from '../../src/index.ts'
import { asJson, people, until } from './run.ts'

// The first retry comes after a second, the second one after an hour.
const config = { enablePropertyFilter: true, messageDelayLevel: '1s 1h 1s 1h', defaultTopicQueueNums: 1 }
const skua = await startStandalone({ port: 0, store: 'memory', config })
const { namesrvAddr } = skua
const producer = new Producer({ namesrvAddr, group: 'makers', defaultTopicQueueNums: 1 })
const open: PushConsumer[] = []
after(async () => {
  await Promise.all([producer.close(), ...open.map(consumer => consumer.close())])
  await skua.stop()
})

/** Long waits are short: retention begins a minute after the start. */
class HastyClock extends NodeClock {
  override after(ms: number, run: () => void) {
    return super.after(ms >= 10_000 ? ms / 100 : ms, run)
  }
}

function consumer(group: string, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  const made = new PushConsumer({
    namesrvAddr,
    group,
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    persistConsumerOffsetInterval: 200,
    ...options,
  })
  open.push(made)
  return made
}

const explain = (id: string, group: string) => asJson<Explained>(`explain ${id} -g ${group}`, namesrvAddr)

/** Waits until the verdict is this one. */
async function becomes(id: string, group: string, state: FateState): Promise<Explained> {
  let last: Explained | undefined
  try {
    await until(`${state} for ${group}`, async () => {
      last = await explain(id, group).catch(() => undefined)
      return last?.state === state
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}; at last: ${JSON.stringify(last)}`)
  }
  return last!
}

const send = (topic: string, more: object = {}) => producer.send({ topic, body: 'b', ...more })

test('consumed or skipped: the group is past it; with a trace it was consumed; a fresh message waits', async () => {
  const { msgId } = await send('Past')
  const group = consumer('past')
  group.subscribe('Past').onMessage(() => {})
  await group.start()
  const done = await becomes(msgId, 'past', 'CONSUMED_OR_SKIPPED')
  assert.equal(done.committed, 1)
  assert.match(done.sentence, /past goes on at 1 in queue broker-a\/0 of Past, behind its offset 0$/)
  const { output, exitCode } = await people(`explain ${done.message!.offsetMsgId} -g past`, namesrvAddr)
  assert.equal(exitCode, 0)
  assert.equal(output, `${done.sentence}\n`)
  const traced = consumer('traced', { enableMsgTrace: true })
  traced.subscribe('Past').onMessage(() => {})
  await traced.start()
  await becomes(msgId, 'traced', 'CONSUMED_OR_SKIPPED')
  await traced.close()
  assert.match((await becomes(msgId, 'traced', 'CONSUMED')).sentence, /^traced consumed it at 20\S+ \S+ on \S+, says/)
})

test('filtered, by tags and by SQL92; a waiting one that will be left out says so', async () => {
  const { msgId } = await send('Kinds', { tag: 'red', properties: { size: '3' } })
  const tags = consumer('tags')
  tags.subscribe('Kinds', 'blue || green').onMessage(() => {})
  const sql = consumer('sql')
  sql.subscribe('Kinds', 'size > 5', { type: 'SQL92' }).onMessage(() => {})
  const wide = consumer('wide')
  wide.subscribe('Kinds', 'size > 2', { type: 'SQL92' }).onMessage(() => {})
  await Promise.all([tags.start(), sql.start(), wide.start()])
  const byTag = await becomes(msgId, 'tags', 'FILTERED')
  assert.match(byTag.sentence, /subscribes to the tags "blue \|\| green", and the message has the tag "red"$/)
  assert.match((await becomes(msgId, 'sql', 'FILTERED')).sentence, /its SQL92 filter "size > 5" is not true/)
  await becomes(msgId, 'wide', 'CONSUMED_OR_SKIPPED')
})

test('not reached: how many are before it, and who has the queue', async () => {
  const stuck = consumer('stuck', { consumeThreadMax: 1 })
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  stuck.subscribe('Slow').onMessage(async () => void (await held))
  await send('Slow')
  const { msgId } = await send('Slow')
  await stuck.start()
  const waits = await becomes(msgId, 'stuck', 'NOT_REACHED')
  assert.equal(waits.owner, stuck.clientId)
  const begun = await (async () => {
    await until('the group has committed', async () => (await explain(msgId, 'stuck')).committed !== null)
    return explain(msgId, 'stuck')
  })()
  assert.match(
    begun.sentence,
    /^stuck has not reached it in queue broker-a\/0 of Slow, which \S+ has: 1 message is before/,
  )
  release()
  await becomes(msgId, 'stuck', 'CONSUMED_OR_SKIPPED')
})

test('no member online, and a topic in which the group never consumed', async () => {
  const { msgId: other } = await send('Other')
  const gone = consumer('gone')
  let got = 0
  gone.subscribe('Left').onMessage(() => void got++)
  await send('Left')
  await gone.start()
  await until('it has the first', () => got === 1)
  assert.match(
    (await becomes(other, 'gone', 'NOT_SUBSCRIBED')).sentence,
    /do not subscribe to Other: they subscribe to Left$/,
  )
  await gone.close()
  const { msgId } = await send('Left')
  assert.match(
    (await becomes(msgId, 'gone', 'NO_MEMBER')).sentence,
    /no member is online; it is the next one of 1 that wait/,
  )
  assert.match((await becomes(other, 'gone', 'NOT_SUBSCRIBED')).sentence, /never committed anything in Other/)
})

test('owned by nobody: members are online, and none has the queue', async () => {
  const idle = consumer('idle', { allocateMessageQueueStrategy: { name: 'NONE', allocate: () => [] } })
  const { msgId } = await send('Idle')
  idle.subscribe('Idle').onMessage(() => {})
  await idle.start()
  const { sentence, owner } = await becomes(msgId, 'idle', 'NO_OWNER')
  assert.equal(owner, '')
  assert.match(sentence, /none of its 1 members has queue broker-a\/0 of Idle/)
})

test('waits for a retry; consumed at a retry; dead letter', async () => {
  const { msgId } = await send('Tries')
  const twice = consumer('twice')
  twice.subscribe('Tries').onMessage(() => 'RECONSUME_LATER')
  const once = consumer('once')
  once.subscribe('Tries').onMessage(message => (message.reconsumeTimes === 0 ? 'RECONSUME_LATER' : 'CONSUME_SUCCESS'))
  const never = consumer('never', { maxReconsumeTimes: 0 })
  never.subscribe('Tries').onMessage(() => 'RECONSUME_LATER')
  await Promise.all([twice.start(), once.start(), never.start()])
  const dead = await becomes(msgId, 'never', 'DEAD_LETTER')
  assert.match(
    dead.sentence,
    /^never gave it up after 1 try: it is a dead letter since 20\S+ \S+; skua dlq resend never/,
  )
  assert.match((await becomes(msgId, 'once', 'CONSUMED')).sentence, /^once consumed it at retry 1:/)
  await until('it waits for the second retry', async () => /retry 2/.test((await explain(msgId, 'twice')).sentence))
  const waits = await explain(msgId, 'twice')
  assert.equal(waits.state, 'WAITS_FOR_RETRY')
  assert.match(waits.sentence, /it waits for retry 2, due at 20\d\d-/)
  assert.ok(Math.abs(waits.dueMs! - Date.now() - 3_600_000) < 60_000)
})

test('delayed, undecided, broadcasting', async () => {
  const { msgId } = await send('Later', { delayLevel: 2 })
  const all = consumer('all', { messageModel: 'BROADCASTING' })
  all.subscribe('Now').onMessage(() => {})
  const { msgId: now } = await send('Now')
  await all.start()
  assert.match((await becomes(msgId, 'all', 'DELAYED')).sentence, /it is delayed and comes into Later at 20\d\d/)
  assert.match((await becomes(now, 'all', 'BROADCASTING')).sentence, /each member keeps its own place/)
  const transactions = new Producer({ namesrvAddr, group: 'tx', checkTransaction: () => 'unknown' })
  try {
    const sent = await transactions.transaction({ topic: 'Now', body: 'half' }, () => 'unknown')
    assert.match((await becomes(sent.msgId, 'all', 'UNDECIDED')).sentence, /half message of a transaction for Now/)
  } finally {
    await transactions.close()
  }
})

test('unknown group or message: exit code 1, with the nearest name', async () => {
  const { msgId } = await send('Past')
  const group = await people(`explain ${msgId} -g pst`, namesrvAddr)
  assert.equal(group.exitCode, 1)
  assert.match(group.errors, /group pst is not known: did you mean past\?/)
  const unknown = await people('explain 7F0000010001 -g past', namesrvAddr)
  assert.equal(unknown.exitCode, 1)
  assert.match(unknown.errors, /message 7F0000010001 is in no topic/)
})

test('expired: the log no longer holds it', async () => {
  const hour = String((new Date().getHours() + 12) % 24).padStart(2, '0')
  const small = { mappedFileSizeCommitLog: 65_536, fileReservedTime: 0, deleteWhen: hour, cleanResourceInterval: 50 }
  const other = await startStandalone({ port: 0, store: 'memory', config: small, clock: new HastyClock() })
  const session = connect({ namesrvAddr: other.namesrvAddr })
  const maker = new Producer({ namesrvAddr: other.namesrvAddr, group: 'm' })
  const readers = new PushConsumer({ namesrvAddr: other.namesrvAddr, group: 'readers' })
  try {
    readers.subscribe('T').onMessage(() => {})
    const first = await maker.send({ topic: 'T', body: 'first' })
    await readers.start()
    for (let i = 0; i < 60; i++) await maker.send({ topic: 'T', body: Buffer.alloc(4000) })
    const { address } = other.brokers[0]!
    await until('the first file of the log is gone', async () => {
      await cleanBrokers(session, {}, 'commitLog')
      return Number((await brokerRuntimeInfo(session, address))['commitLogMinOffset']) > 0
    })
    const byPlace = await asJson<Explained>(`explain ${first.offsetMsgId} -g readers`, other.namesrvAddr)
    assert.equal(byPlace.state, 'EXPIRED')
    assert.match(byPlace.sentence, /it was at offset 0 of the log of broker-a, which begins at \d+ by now$/)
    const byId = await asJson<Explained>(`explain ${first.msgId} -g readers`, other.namesrvAddr)
    assert.match(byId.sentence, /^it expired, or never arrived: its id was made at 20/)
  } finally {
    await Promise.all([session.close(), maker.close(), readers.close()])
    await other.stop()
  }
})

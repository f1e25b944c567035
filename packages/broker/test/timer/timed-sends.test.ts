import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  encodeBatch,
  endTransaction,
  PropertyName,
  parseRecallHandle,
  printRecallHandle,
  recallMessage,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import { maxOffset } from '../delay/max-offset.ts'
import { World } from '../world.ts'

const hourMs = 3_600_000

describe('a send with a time of delivery', () => {
  test('is kept until then, by any of the three properties, and comes to its queue', async () => {
    const world = await new World().start()
    const peer = world.client('client')
    const now = world.runtime.clock.now()
    const wishes: Record<string, string>[] = [
      { TIMER_DELAY_SEC: '10' },
      { TIMER_DELAY_MS: '10000' },
      { TIMER_DELIVER_MS: String(now + 10_000) },
    ]
    for (const properties of wishes) assert.equal((await peer.send('T', 'x', { queueId: 3, properties })).code, 0)
    assert.equal(await maxOffset(peer, wheelTimerTopic, 0), 3)
    await world.pass(now + 9990 - world.runtime.clock.now())
    assert.equal(await maxOffset(peer, 'T', 3), 0)
    await world.pass(200)
    assert.equal(await maxOffset(peer, 'T', 3), 3)
    await world.stop()
  })

  test('that has passed is stored at once, one beside a level follows the level', async () => {
    const world = await new World().start()
    const peer = world.client('client')
    const now = world.runtime.clock.now()
    await peer.send('T', 'x', { properties: { TIMER_DELIVER_MS: String(now - 1) } })
    await peer.send('T', 'x', { properties: { TIMER_DELAY_MS: '0' } })
    assert.equal(await maxOffset(peer, 'T', 0), 2)
    await peer.send('T', 'x', { properties: { TIMER_DELIVER_MS: String(now + hourMs), DELAY: '1' } })
    assert.equal(await maxOffset(peer, wheelTimerTopic, 0), 0)
    await world.pass(1100)
    assert.equal(await maxOffset(peer, 'T', 0), 3)
    await world.stop()
  })

  test('that is none, or too far away, or of a batch, is refused with 13, and nothing is stored', async () => {
    const world = await new World({ timerMaxDelaySec: 3600 }).start()
    const peer = world.client('client')
    const now = world.runtime.clock.now()
    const refused: [Record<string, string>, RegExp][] = [
      [{ TIMER_DELIVER_MS: 'x' }, /TIMER_DELIVER_MS "x" is no time/],
      [{ TIMER_DELAY_SEC: '1.5' }, /is no time/],
      [{ TIMER_DELAY_SEC: '3601' }, /timerMaxDelaySec, 3600000 ms/],
      [{ TIMER_DELIVER_MS: String(now + 2 * hourMs) }, /timerMaxDelaySec/],
      [{ TIMER_DELIVER_MS: String(now - 1), TIMER_DEL_UNIQKEY: 'T+k' }, /too late/],
    ]
    for (const [properties, remark] of refused)
      for (const more of [{}, { TRAN_MSG: 'true', PGROUP: 'g' }]) {
        const reply = await peer.send('T', 'x', { properties: { ...properties, ...more } })
        assert.equal(reply.code, 13, JSON.stringify(properties))
        assert.match(reply.remark ?? '', remark)
      }
    const batch = encodeBatch([{ flag: 0, body: Buffer.from('x'), properties: Buffer.alloc(0) }])
    assert.equal((await peer.sendBatch('T', batch, { TIMER_DELAY_SEC: '5' })).code, 13)
    assert.equal(await maxOffset(peer, 'T', 0), 0)
    await world.stop()
  })

  test('is refused with 1 where timerWheelEnable is false', async () => {
    const world = await new World({ timerWheelEnable: false }).start()
    const peer = world.client('client')
    const reply = await peer.send('T', 'x', { properties: { TIMER_DELAY_SEC: '5' } })
    assert.equal(reply.code, 1)
    assert.match(reply.remark ?? '', /timerWheelEnable is false/)
    await world.stop()
  })

  test('is refused where too many wait for the same slot', async () => {
    const world = await new World({ timerCongestNumEachSlot: 5 }).start()
    const peer = world.client('client')
    const properties = { TIMER_DELIVER_MS: String(world.runtime.clock.now() + hourMs) }
    const codes: number[] = []
    for (let n = 0; n < 40; n++) codes.push((await peer.send('T', 'x', { properties })).code)
    assert.deepEqual(codes.slice(0, 6), [0, 0, 0, 0, 0, 0])
    const waiting = await maxOffset(peer, wheelTimerTopic, 0)
    assert.ok(waiting >= 6 && waiting <= 10, String(waiting))
    assert.equal(codes.at(-1), 1)
    await world.stop()
  })

  test('is answered with a handle for its recall, when it has a unique key', async () => {
    // Which adds none of its own.
    const world = await new World({ dialect: '4.9' }).start()
    const peer = world.client('client')
    const deliverMs = world.runtime.clock.now() + 7321
    const properties = { TIMER_DELIVER_MS: String(deliverMs) }
    const { header } = await peer.send('T', 'x', { properties: { ...properties, UNIQ_KEY: 'k1' } })
    const out = Math.ceil(deliverMs / 1000 - 1) * 1000
    const handle = { topic: 'T', brokerName: 'broker-a', deliverMs: out + 1, uniqueKey: 'k1' }
    assert.deepEqual(parseRecallHandle(header!.recallHandle!), handle)
    assert.equal((await peer.send('T', 'x', { properties })).header!.recallHandle, undefined)
    assert.equal((await peer.send('T', 'x', { properties: { UNIQ_KEY: 'k2' } })).header!.recallHandle, undefined)
    await world.stop()
  })

  test('of a transaction begins to wait when the transaction is committed', async () => {
    const world = await new World().start()
    const peer = world.client('client')
    const deliverMs = world.runtime.clock.now() + 10_000
    const properties = { TRAN_MSG: 'true', PGROUP: 'g', UNIQ_KEY: 'k', TIMER_DELIVER_MS: String(deliverMs) }
    const { header } = await peer.send('T', 'x', { properties, sysFlag: 4 })
    assert.equal(await maxOffset(peer, wheelTimerTopic, 0), 0)
    const end = {
      ...{
        producerGroup: 'g',
        tranStateTableOffset: header!.queueOffset,
        commitOrRollback: 8,
        fromTransactionCheck: false,
      },
      ...{ commitLogOffset: Number.parseInt(header!.msgId.slice(16), 16), msgId: 'k', transactionId: 'k' },
    }
    assert.equal((await peer.ask(endTransaction, end)).code, 0)
    assert.equal(await maxOffset(peer, wheelTimerTopic, 0), 1)
    assert.equal(await maxOffset(peer, 'T', 0), 0)
    await world.pass(10_001)
    assert.equal(await maxOffset(peer, 'T', 0), 1)
    await world.stop()
  })

  test('cannot be made by sending to the timer’s topic', async () => {
    const world = await new World().start()
    const peer = world.client('client')
    const properties = {
      [PropertyName.timerOutMs]: '1',
      [PropertyName.realTopic]: 'T',
      [PropertyName.realQueueId]: '0',
    }
    assert.equal((await peer.send(wheelTimerTopic, 'x', { properties })).code, 16)
    await world.stop()
  })
})

describe('a recall', () => {
  const world = (config = {}) => new World({ recallMessageEnable: true, ...config }).start()

  test('takes back the message of its handle, and no other', async () => {
    const at = await world()
    const peer = at.client('client')
    const properties = { TIMER_DELIVER_MS: String(at.runtime.clock.now() + 5000) }
    const handles: string[] = []
    for (const UNIQ_KEY of ['k1', 'k2', 'k3']) {
      const { header } = await peer.send('T', UNIQ_KEY, { properties: { ...properties, UNIQ_KEY } })
      handles.push(header!.recallHandle!)
    }
    const reply = await peer.ask(recallMessage, { topic: 'T', recallHandle: handles[1]! })
    assert.deepEqual([reply.code, reply.header?.msgId], [0, 'k2'])
    await at.pass(6001)
    assert.equal(await maxOffset(peer, 'T', 0), 2)
    const late = await peer.ask(recallMessage, { topic: 'T', recallHandle: handles[0]! })
    assert.deepEqual([late.code, late.remark], [604, 'recall failed, the time of the message has come'])
    await at.stop()
  })

  test('is refused for what is no handle, or not of this topic and broker, and where it is not allowed', async () => {
    const at = await world()
    const peer = at.client('client')
    await peer.send('T', 'x')
    const handle = { topic: 'T', brokerName: 'broker-a', deliverMs: at.runtime.clock.now() + 5000, uniqueKey: 'k' }
    const cases: [string, string, number, RegExp][] = [
      ['T', 'x', 604, /handle is invalid/],
      ['T', '', 604, /handle is invalid/],
      ['T', Buffer.from('v2 T broker-a 1 k').toString('base64url'), 604, /handle is invalid/],
      ['T', printRecallHandle({ ...handle, topic: 'U' }), 604, /of topic U/],
      ['T', printRecallHandle({ ...handle, brokerName: 'b' }), 604, /of broker b/],
      ['T', printRecallHandle({ ...handle, deliverMs: Number.NaN }), 604, /time of the message has come/],
      ['T', printRecallHandle({ ...handle, deliverMs: handle.deliverMs + 4 * 24 * hourMs }), 604, /too far away/],
      ['V', printRecallHandle({ ...handle, topic: 'V' }), 17, /topic V does not exist/],
    ]
    for (const [topic, recallHandle, code, remark] of cases) {
      const reply = await peer.ask(recallMessage, { topic, recallHandle })
      assert.equal(reply.code, code, recallHandle)
      assert.match(reply.remark ?? '', remark)
    }
    await at.stop()
    const closed = await world({ recallMessageEnable: false })
    const other = closed.client('other')
    const reply = await other.ask(recallMessage, { topic: 'T', recallHandle: printRecallHandle(handle) })
    assert.deepEqual([reply.code, /recallMessageEnable/.test(reply.remark ?? '')], [16, true])
    await closed.stop()
  })
})

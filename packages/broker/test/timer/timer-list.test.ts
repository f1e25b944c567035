import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { changeTimer, getTimers, type HeaderOf, recallMessage } from '@skua-mq/protocol'
import { maxOffset } from '../delay/max-offset.ts'
import { type Peer, World } from '../world.ts'

const secondMs = 1000
const hourMs = 3_600_000
const all: HeaderOf<typeof getTimers> = {
  ...{ topic: undefined, key: undefined, fromMs: undefined, toMs: undefined, cursor: undefined, limit: 100 },
}

async function timers(peer: Peer, wanted: Partial<HeaderOf<typeof getTimers>> = {}) {
  const reply = await peer.ask(getTimers, { ...all, ...wanted })
  assert.equal(reply.code, 0, reply.remark)
  return getTimers.replyBody!.decode(reply.body!)
}

const send = (peer: Peer, topic: string, { id, atMs, keys }: { id: string; atMs: number; keys?: string }) =>
  peer.send(topic, id, { properties: { UNIQ_KEY: id, TIMER_DELIVER_MS: String(atMs), ...(keys && { KEYS: keys }) } })

describe('messages that wait', () => {
  test('are listed in the order of their slots, by topic, key and time', async () => {
    const world = await new World().start()
    const peer = world.client('tool')
    const now = world.runtime.clock.now()
    await send(peer, 'T', { id: 'late', atMs: now + 2 * hourMs, keys: 'k1 k2' })
    await send(peer, 'U', { id: 'soon', atMs: now + 10 * secondMs })
    await send(peer, 'T', { id: 'between', atMs: now + hourMs, keys: 'k2' })
    await world.pass(20)
    const ids = async (wanted: Partial<HeaderOf<typeof getTimers>>) =>
      (await timers(peer, wanted)).timers.map(({ msgId }) => msgId)
    assert.deepEqual(await ids({}), ['soon', 'between', 'late'])
    assert.deepEqual(await ids({ topic: 'T' }), ['between', 'late'])
    assert.deepEqual(await ids({ key: 'k1' }), ['late'])
    assert.deepEqual(await ids({ key: 'soon' }), ['soon'])
    assert.deepEqual(await ids({ key: 'k' }), [])
    assert.deepEqual(await ids({ fromMs: now + hourMs }), ['between', 'late'])
    assert.deepEqual(await ids({ toMs: now + hourMs }), ['soon'])
    const { timers: found, waiting } = await timers(peer, { key: 'k1' })
    assert.equal(waiting, 3)
    const { topic, keys, tags, deliverAtMs, storeSize } = found[0]!
    assert.deepEqual(
      { topic, keys, tags, deliverAtMs },
      { topic: 'T', keys: 'k1 k2', tags: undefined, deliverAtMs: now + 2 * hourMs },
    )
    assert.ok(storeSize > 100)
    await world.pass(11 * secondMs)
    assert.deepEqual(await ids({}), ['between', 'late'])
    await world.stop()
  })

  test('come page by page, each once, also within one slot, and beyond the window of the wheel', async () => {
    const world = await new World({ timerMaxDelaySec: 30 * 86_400, timerRollWindowSlot: 7200 }).start()
    const peer = world.client('tool')
    const now = world.runtime.clock.now()
    const sent: string[] = []
    for (let n = 0; n < 25; n++) {
      sent.push(`m${n}`)
      await send(peer, 'T', { id: `m${n}`, atMs: n < 20 ? now + hourMs : now + 20 * 24 * hourMs })
    }
    await world.pass(50)
    const got: string[] = []
    let pages = 0
    for (let cursor: string | undefined; ; pages++) {
      const page = await timers(peer, { limit: 4, cursor })
      assert.ok(page.timers.length <= 4)
      for (const { msgId, deliverAtMs } of page.timers) {
        got.push(msgId)
        assert.equal(deliverAtMs, Number(msgId.slice(1)) < 20 ? now + hourMs : now + 20 * 24 * hourMs)
      }
      cursor = page.cursor
      if (cursor === undefined) break
    }
    assert.ok(pages >= 6)
    assert.deepEqual(got.sort(), sent.sort())
    assert.equal((await peer.ask(getTimers, { ...all, cursor: 'x' })).code, 1)
    await world.stop()
  })

  test('say which of them are taken back by their senders', async () => {
    const world = await new World({ recallMessageEnable: true }).start()
    const peer = world.client('client')
    const atMs = world.runtime.clock.now() + hourMs
    await send(peer, 'T', { id: 'kept', atMs })
    const { header } = await send(peer, 'T', { id: 'taken', atMs })
    await peer.ask(recallMessage, { topic: 'T', recallHandle: header!.recallHandle! })
    await world.pass(20)
    const page = await timers(peer)
    const slotMs = page.timers[0]!.slotMs
    assert.ok(slotMs < atMs && slotMs >= atMs - 1000)
    assert.deepEqual(page.recalled, [{ key: 'T+taken', slotMs }])
    assert.deepEqual(page.timers.map(({ msgId }) => msgId).sort(), ['kept', 'taken'])
    await world.stop()
  })

  test('are at the master, and nowhere without a wheel', async () => {
    const world = await new World({ timerWheelEnable: false }).start()
    const reply = await world.client('tool').ask(getTimers, all)
    assert.deepEqual([reply.code, /timerWheelEnable/.test(reply.remark ?? '')], [604, true])
    await world.stop()
  })
})

describe('an operator', () => {
  async function waiting(config = {}) {
    const world = await new World(config).start()
    const peer = world.client('tool')
    const atMs = world.runtime.clock.now() + hourMs
    for (const id of ['a', 'b']) await send(peer, 'T', { id, atMs })
    await world.pass(20)
    const { timers: found } = await timers(peer)
    const placeOf = (id: string) => {
      const { topic, msgId, physicalOffset } = found.find(({ msgId }) => msgId === id)!
      return { topic, msgId, physicalOffset, deliverAtMs: undefined as number | undefined }
    }
    return { world, peer, atMs, placeOf }
  }

  test('takes a message back, though senders may not, and once', async () => {
    const { world, peer, placeOf } = await waiting()
    assert.equal((await peer.ask(changeTimer, placeOf('a'))).code, 0)
    const again = await peer.ask(changeTimer, placeOf('a'))
    assert.deepEqual([again.code, /moved or taken back/.test(again.remark ?? '')], [208, true])
    await world.pass(hourMs + 2 * secondMs)
    assert.equal(await maxOffset(peer, 'T', 0), 1)
    await world.stop()
  })

  test('moves a message, and it comes once, at its new time', async () => {
    const { world, peer, atMs, placeOf } = await waiting()
    const earlier = atMs - hourMs / 2
    assert.equal((await peer.ask(changeTimer, { ...placeOf('a'), deliverAtMs: earlier })).code, 0)
    await world.pass(20)
    const { timers: listed, recalled } = await timers(peer)
    assert.deepEqual(
      listed.map(({ msgId, deliverAtMs }) => [msgId, deliverAtMs]).sort(),
      [
        ['a', earlier],
        ['a', atMs],
        ['b', atMs],
      ].sort(),
    )
    assert.deepEqual(
      recalled.map(({ key }) => key),
      ['T+a'],
    )
    assert.equal(recalled[0]!.slotMs, listed.find(({ msgId }) => msgId === 'b')!.slotMs)
    await world.pass(earlier - world.runtime.clock.now() - 20)
    assert.equal(await maxOffset(peer, 'T', 0), 0)
    await world.pass(secondMs)
    assert.equal(await maxOffset(peer, 'T', 0), 1)
    await world.pass(hourMs)
    assert.equal(await maxOffset(peer, 'T', 0), 2)
    await world.stop()
  })

  test('delivers a message now', async () => {
    const { world, peer, placeOf } = await waiting()
    const reply = await peer.ask(changeTimer, { ...placeOf('b'), deliverAtMs: world.runtime.clock.now() })
    assert.equal(reply.code, 0, reply.remark)
    assert.equal(await maxOffset(peer, 'T', 0), 1)
    await world.pass(hourMs + 2 * secondMs)
    assert.equal(await maxOffset(peer, 'T', 0), 2)
    await world.stop()
  })

  test('hears why not: another message, another topic, no time, the same slot, a time that has come, a restart later', async () => {
    const { world, peer, atMs, placeOf } = await waiting({ timerMaxDelaySec: 86_400 })
    const cases: [Partial<HeaderOf<typeof changeTimer>>, number, RegExp][] = [
      [{ msgId: 'x' }, 208, /no message x/],
      [{ topic: 'V' }, 17, /does not exist/],
      [{ physicalOffset: 40 }, 208, /waits there/],
      [{ physicalOffset: 10_000_000 }, 208, /waits there/],
      [{ deliverAtMs: atMs + 2 * 86_400_000 }, 604, /timerMaxDelaySec/],
      [{ deliverAtMs: atMs }, 604, /both times lie within timerPrecisionMs/],
    ]
    for (const [more, code, remark] of cases) {
      const reply = await peer.ask(changeTimer, { ...placeOf('a'), ...more })
      assert.equal(reply.code, code, `${JSON.stringify(more)}: ${reply.remark}`)
      assert.match(reply.remark ?? '', remark)
    }
    assert.equal((await peer.ask(changeTimer, placeOf('a'))).code, 0)
    await world.stop()
    await world.start()
    const after = world.client('after')
    await world.pass(50)
    assert.equal((await after.ask(changeTimer, placeOf('a'))).code, 208)
    await world.pass(hourMs + secondMs)
    assert.match((await after.ask(changeTimer, placeOf('b'))).remark ?? '', /its time has come/)
    await world.stop()
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxOffset } from '../delay/max-offset.ts'
import { World } from '../world.ts'

const later = 60_000

test('a DELAY that is no number is refused with 1; one that Java reads is read as there', async () => {
  const world = await new World().start()
  const peer = world.client('client')
  for (const DELAY of ['4Pinpoint-Flags', '1.5', ' 3', '3 ', '0x1', '99999999999', '--1', 'x']) {
    for (const more of [{}, { TRAN_MSG: 'true', PGROUP: 'g' }]) {
      const reply = await peer.send('T', 'x', { properties: { DELAY, ...more } })
      assert.equal(reply.code, 1, DELAY)
      assert.ok(reply.remark?.includes(`DELAY is "${DELAY}"`), reply.remark)
    }
  }
  for (const [DELAY, queue] of [
    ['+3', 2],
    ['03', 2],
    ['99', 17],
    ['2000000000', 17],
  ] as const) {
    const before = await maxOffset(peer, 'SCHEDULE_TOPIC_XXXX', queue)
    assert.equal((await peer.send('T', 'x', { properties: { DELAY } })).code, 0)
    assert.equal(await maxOffset(peer, 'SCHEDULE_TOPIC_XXXX', queue), before + 1, DELAY)
  }
  for (const DELAY of ['0', '-1', '']) {
    const before = await maxOffset(peer, 'T', 0)
    assert.equal((await peer.send('T', 'x', { properties: { DELAY } })).code, 0)
    assert.equal(await maxOffset(peer, 'T', 0), before + 1, DELAY)
  }
  await world.stop()
})

test('ONS’s times, further queues, priorities and lite topics are refused, each with its reason, and nothing is stored', async () => {
  const world = await new World().start()
  const peer = world.client('client')
  const now = world.runtime.clock.now()
  const cases: [Record<string, string>, number, RegExp][] = [
    [{ __STARTDELIVERTIME: String(now + later) }, 1, /__STARTDELIVERTIME/],
    [{ __STARTDELIVERTIME: 'x' }, 13, /__STARTDELIVERTIME is "x", which is no time/],
    [{ INNER_MULTI_DISPATCH: '%LMQ%a' }, 13, /INNER_MULTI_DISPATCH asks for further queues/],
    [{ _SYS_MSG_PRIORITY_: '3' }, 13, /asks for a priority/],
    [{ __LITE_TOPIC: 'a' }, 13, /names a lite topic/],
  ]
  for (const [properties, code, remark] of cases)
    for (const more of [{}, { TRAN_MSG: 'true', PGROUP: 'g' }]) {
      const reply = await peer.send('T', 'x', { properties: { ...properties, ...more } })
      assert.equal(reply.code, code, JSON.stringify(properties))
      assert.match(reply.remark ?? '', remark)
    }
  assert.equal(await maxOffset(peer, 'T', 0), 0)
  await world.stop()
})

test('times that have passed, levels beside times, and names that only look alike are taken', async () => {
  const world = await new World().start()
  const peer = world.client('client')
  const now = world.runtime.clock.now()
  const taken: Record<string, string>[] = [
    { TIMER_DELAY_SEC: '0' },
    { TIMER_DELIVER_MS: String(now - 1) },
    { __STARTDELIVERTIME: String(now - 1) },
    { TIMER_DELIVER_MS: String(now + later), TIMER_OUT_MS: String(now) },
    { TIMER_DELIVER_MS: String(now + later), DELAY: '1' },
    { _SYS_MSG_PRIORITY_: '-1' },
    { TIMER_DELAY_OWN: '10', PRIORITY: '3', LITE_TOPIC: 'a', INNER_MULTI_DISPATCHX: 'x' },
  ]
  for (const properties of taken) {
    const reply = await peer.send('T', 'x', { properties })
    assert.equal(reply.code, 0, `${JSON.stringify(properties)} ${reply.remark}`)
  }
  await world.stop()
})

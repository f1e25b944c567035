import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { backlogSkip } from '../../src/consume/backlog.ts'
import { ConsumeStats } from '../../src/consume/consume-stats.ts'
import { type ConsumeContext, overBatch } from '../../src/consume/handler.ts'
import { Slots } from '../../src/consume/slots.ts'
import { Subscriptions } from '../../src/consume/subscriptions.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'

const messages = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ msgId: `${n}` })) as unknown as ReceivedMessage[]
const contextOf = (count: number) => ({ ackIndex: count - 1 }) as ConsumeContext

describe('a backlog', () => {
  const view = { storedAtMs: 1000, queueOffset: 50, maxOffset: 100, nowMs: 5000 }
  const none = { skipBacklogOlderThanMs: undefined, skipBacklogBeyond: undefined }

  test('is consumed where nothing else is said', () => {
    assert.equal(backlogSkip(view, none), undefined)
  })

  test('is skipped beyond a number, down to exactly that number', () => {
    assert.deepEqual(backlogSkip(view, { ...none, skipBacklogBeyond: 49 }), { why: 'count', to: 51 })
    assert.equal(backlogSkip(view, { ...none, skipBacklogBeyond: 50 }), undefined)
    assert.deepEqual(backlogSkip(view, { ...none, skipBacklogBeyond: 0 }), { why: 'count', to: 100 })
  })

  test('is skipped by age, when its first message is older', () => {
    assert.deepEqual(backlogSkip(view, { ...none, skipBacklogOlderThanMs: 3999 }), { why: 'age', sinceMs: 1001 })
    assert.equal(backlogSkip(view, { ...none, skipBacklogOlderThanMs: 4000 }), undefined)
  })

  test('that is too long and too old is skipped by its length first', () => {
    assert.equal(backlogSkip(view, { skipBacklogOlderThanMs: 1, skipBacklogBeyond: 1 })?.why, 'count')
  })
})

describe('a handler of single messages over a batch', () => {
  test('is done with all where it says nothing, or that it went well', async () => {
    const seen: string[] = []
    const answers = [undefined, 'CONSUME_SUCCESS', 'SUCCESS'] as const
    const handler = overBatch(message => {
      seen.push(message.msgId)
      return answers[Number(message.msgId)]
    })
    const context = contextOf(3)
    assert.equal(await handler(messages(3), context), undefined)
    assert.deepEqual([seen, context.ackIndex], [['0', '1', '2'], 2])
  })

  test('stops at the first that fails; those before it are done', async () => {
    for (const fail of ['throw', 'later'] as const) {
      const seen: string[] = []
      const handler = overBatch(({ msgId }) => {
        seen.push(msgId)
        if (msgId !== '2') return undefined
        if (fail === 'throw') throw new Error('down')
        return 'RECONSUME_LATER'
      })
      const context = contextOf(4)
      assert.equal(await handler(messages(4), context), 'CONSUME_SUCCESS')
      assert.deepEqual([seen, context.ackIndex], [['0', '1', '2'], 1])
    }
  })

  test('whose very first message fails says so itself', async () => {
    const later = overBatch(() => 'RECONSUME_LATER' as const)
    assert.equal(await later(messages(2), contextOf(2)), 'RECONSUME_LATER')
    const throwing = overBatch(async () => {
      throw new Error('down')
    })
    await assert.rejects(async () => throwing(messages(2), contextOf(2)), /down/)
  })
})

describe('slots', () => {
  test('are taken at once while there are some; who comes later waits in order', async () => {
    const slots = new Slots(2)
    assert.deepEqual([slots.take(), slots.take()], [undefined, undefined])
    const order: string[] = []
    const waits = ['a', 'b', 'c'].map(name => slots.take()?.then(() => order.push(name)))
    await Promise.resolve()
    assert.deepEqual(order, [])
    slots.give()
    await waits[0]
    slots.give()
    slots.give()
    await Promise.all(waits)
    assert.deepEqual(order, ['a', 'b', 'c'])
    slots.give()
    slots.give()
    assert.deepEqual([slots.take(), slots.take()], [undefined, undefined])
    assert.notEqual(slots.take(), undefined)
  })
})

describe('counts for operators', () => {
  test('are rates since the start within the first minute, then those of the last full one', () => {
    const clock = new SimClock()
    const stats = new ConsumeStats(clock)
    stats.pulled('T', { count: 100, costMs: 40 })
    stats.pulled('T', { count: 100, costMs: 60 })
    stats.consumed('T', { count: 150, costMs: 300, ok: true })
    stats.consumed('T', { count: 50, costMs: 100, ok: false })
    clock.advance(10_000)
    assert.deepEqual(stats.table().get('T'), {
      pullRT: 50,
      pullTPS: 20,
      consumeRT: 2,
      consumeOKTPS: 15,
      consumeFailedTPS: 5,
      consumeFailedMsgs: 50,
    })
    clock.advance(50_000)
    assert.equal(stats.table().get('T')?.pullTPS, 200 / 60)
    stats.pulled('U', { count: 60, costMs: 1 })
    assert.deepEqual([...stats.table().keys()], ['T'])
    clock.advance(60_000)
    assert.deepEqual(
      [...stats.table()].map(([topic, { pullTPS }]) => [topic, pullTPS]),
      [['U', 1]],
    )
    clock.advance(60_000)
    assert.equal(stats.table().size, 0)
  })

  test('of nothing are no divisions by zero', () => {
    const stats = new ConsumeStats(new SimClock())
    stats.consumed('T', { count: 0, costMs: 0, ok: true })
    for (const value of Object.values(stats.table().get('T')!)) assert.ok(Number.isFinite(value))
  })
})

describe('subscriptions', () => {
  test('keep expression, tags and version by topic; the last word counts', () => {
    const subscriptions = new Subscriptions()
    subscriptions.set('T', { expression: 'A || B', subVersion: 1 })
    subscriptions.set('T', { expression: 'C', subVersion: 2 })
    subscriptions.set('U', { expression: '*', subVersion: 3 })
    assert.deepEqual(subscriptions.topics(), ['T', 'U'])
    assert.deepEqual(
      subscriptions.list().map(({ topic, subString, tagsSet, subVersion }) => [topic, subString, tagsSet, subVersion]),
      [
        ['T', 'C', ['C'], 2],
        ['U', '*', [], 3],
      ],
    )
    subscriptions.touch('T', 9)
    subscriptions.touch('X', 9)
    assert.deepEqual([subscriptions.get('T')?.data.subVersion, subscriptions.get('X')], [9, undefined])
    subscriptions.delete('T')
    assert.deepEqual(subscriptions.topics(), ['U'])
  })

  test('other than by tag are left to the broker', () => {
    const subscriptions = new Subscriptions()
    subscriptions.set('T', { expression: 'a > 1', type: 'SQL92', subVersion: 1 })
    const found = subscriptions.get('T')!
    assert.deepEqual([found.data.expressionType, found.tags], ['SQL92', undefined])
  })

  test('with a topic or an expression that cannot be are refused', () => {
    const subscriptions = new Subscriptions()
    assert.throws(() => subscriptions.set('a b', { expression: '*', subVersion: 1 }), { code: 'ARGUMENT' })
    assert.throws(() => subscriptions.set('T', { expression: '||', subVersion: 1 }), {
      code: 'ARGUMENT',
      message: /"\|\|" is no tag expression/,
    })
    assert.deepEqual(subscriptions.topics(), [])
  })
})

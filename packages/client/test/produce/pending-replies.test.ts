import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { PropertyName, printProperties, SysFlag } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { PendingReplies } from '../../src/produce/pending-replies.ts'

const header = (id: string, sysFlag = 0) => ({
  producerGroup: 'pg',
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  unitMode: false,
  bornHost: '10.0.0.1:1',
  storeHost: '10.0.0.2:2',
  bornTimestamp: 0,
  storeTimestamp: 0,
  topic: 'c_REPLY_TOPIC',
  queueId: 0,
  flag: 0,
  sysFlag,
  properties: printProperties(new Map([[PropertyName.correlationId, id]])),
})

describe('who waits for a reply', () => {
  test('is told when it cannot be read, and has it when it can, compressed or not', async () => {
    const replies = new PendingReplies(new SimClock())
    const zlib = SysFlag.compressed
    for (const [sysFlag, bytes, expected] of [
      [0, Buffer.from('plain'), 'plain'],
      [zlib, deflateSync('small'), 'small'],
      [zlib, Buffer.from('noise'), undefined],
      [zlib, deflateSync('cut short').subarray(0, 8), undefined],
      [zlib, Buffer.alloc(0), undefined],
    ] as const) {
      const reply = replies.wait('id', 5000)
      assert.equal(replies.settle(header('id', sysFlag), bytes), true)
      if (expected === undefined) await assert.rejects(reply, { code: 'MESSAGE', message: /cannot be read/ })
      else assert.equal((await reply).text(), expected)
      assert.equal(replies.settle(header('id'), bytes), false)
    }
    replies.stop()
  })

  test('leaves no listener at its signal, however it ends', async () => {
    const clock = new SimClock()
    const replies = new PendingReplies(clock)
    const { signal } = new AbortController()
    const answered = replies.wait('a', 5000, signal)
    replies.settle(header('a'), Buffer.from('x'))
    await answered
    const unread = assert.rejects(replies.wait('b', 5000, signal))
    replies.settle(header('b', SysFlag.compressed), Buffer.from('x'))
    await unread
    void replies.wait('c', 5000, signal)
    replies.forget('c')
    const late = assert.rejects(replies.wait('d', 1000, signal), { code: 'TIMEOUT' })
    await clock.advanceAsync(3000)
    await late
    const closed = assert.rejects(replies.wait('e', 1000, signal), { code: 'STATE' })
    replies.stop()
    await closed
    assert.equal(getEventListeners(signal, 'abort').length, 0)
    assert.equal(clock.nextInMs, undefined)
  })
})

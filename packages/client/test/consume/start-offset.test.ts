import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ConsumeFromWhere } from '@skua-mq/protocol'
import { parseConsumeTimestamp, startOffset } from '../../src/consume/start-offset.ts'

const ends = { maxOffset: async () => 100, searchOffset: async (_queue: unknown, ms: number) => ms / 10 }

const rows: [ConsumeFromWhere, normal: number, retry: number][] = [
  ['CONSUME_FROM_LAST_OFFSET', 100, 0],
  ['CONSUME_FROM_LAST_OFFSET_AND_FROM_MIN_WHEN_BOOT_FIRST', 100, 0],
  ['CONSUME_FROM_MIN_OFFSET', 100, 0],
  ['CONSUME_FROM_MAX_OFFSET', 100, 0],
  ['CONSUME_FROM_FIRST_OFFSET', 0, 0],
  ['CONSUME_FROM_TIMESTAMP', 5, 100],
]

for (const [consumeFromWhere, normal, retry] of rows) {
  test(`${consumeFromWhere} begins at ${normal}, in a retry topic at ${retry}`, async () => {
    const rules = { consumeFromWhere, consumeTimestampMs: 50 }
    const at = (topic: string) => startOffset({ topic, brokerName: 'b', queueId: 0 }, rules, ends)
    assert.equal(await at('T'), normal)
    assert.equal(await at('%RETRY%g'), retry)
  })
}

test('consumeTimestamp is local time to the second', () => {
  assert.equal(parseConsumeTimestamp('20260102030405'), new Date(2026, 0, 2, 3, 4, 5).getTime())
  assert.equal(parseConsumeTimestamp('2026-01-02'), undefined)
})

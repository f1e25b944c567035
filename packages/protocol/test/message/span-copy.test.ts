import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SpanCopy } from '../../src/index.ts'

test('spans of every short length, from and to every alignment, and nothing around them', () => {
  const spans = new SpanCopy()
  const memory = new ArrayBuffer(2048)
  const sources = [Buffer.from(memory, 8, 700), new Uint8Array(memory, 900, 700), Buffer.alloc(700)]
  for (const source of sources) for (let i = 0; i < source.length; i++) source[i] = (i * 7 + 3) & 0xff
  for (let length = 0; length < 300; length += length < 140 ? 1 : 13) {
    const source = sources[length % 3]!
    const into = new Uint8Array(new ArrayBuffer(600), length % 5, 500).fill(0xee)
    const start = length % 11
    const at = length % 9
    assert.equal(spans.copy(into, at, source, start, start + length), at + length)
    const wanted = new Uint8Array(500).fill(0xee)
    for (let i = 0; i < length; i++) wanted[at + i] = source[start + i]!
    assert.deepEqual(into, wanted, `${length} bytes`)
  }
})

test('a span that does not fit is refused, whether it is short or long, and writes nothing behind the array', () => {
  const spans = new SpanCopy()
  const memory = Buffer.alloc(1000)
  const into = memory.subarray(100, 110)
  for (const length of [3, 64, 127, 128, 400]) {
    assert.throws(() => spans.copy(into, 8, Buffer.alloc(500, 1), 0, length), RangeError, `${length} bytes`)
    assert.throws(() => spans.copy(memory, 0, memory.subarray(1, 3), 0, length), RangeError)
  }
  assert.ok(memory.every(byte => byte === 0))
})

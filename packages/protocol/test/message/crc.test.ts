import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { bodyCrc, crc32, crc32InScript, javaHash, javaHashBytes } from '../../src/message/index.ts'

/** The definition, a bit at a time. */
function slowCrc(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
  }
  return ~crc >>> 0
}

test("the CRC is zlib's, and its highest bit is cut for a record", () => {
  assert.equal(bodyCrc(Buffer.from('hello')), 907060870)
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926)
  assert.equal(bodyCrc(Buffer.from('123456789')), 0x4bf43926)
  assert.equal(crc32(Buffer.alloc(0)), 0)
})

test('script and zlib agree on any range of any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(20), fc.nat(20), (bytes, cut, tail) => {
      const start = Math.min(cut, bytes.length)
      const end = Math.max(start, bytes.length - tail)
      const expected = slowCrc(bytes.subarray(start, end))
      assert.equal(crc32InScript(bytes, start, end), expected)
      assert.equal(crc32(bytes, start, end), expected)
    }),
  )
})

test("hashes are Java's, of text and of its bytes", () => {
  const known: [string, number][] = [
    ['TagA', 2598919],
    ['TagB', 2598920],
    ['order_cancel', 566128779],
    ['中文', 646394],
    ['', 0],
  ]
  for (const [text, hash] of known) assert.equal(javaHash(text), hash)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), text => {
      const bytes = Buffer.from(`ab${text}c`)
      assert.equal(javaHashBytes(bytes, 2, bytes.length - 1), javaHash(text))
      assert.equal(javaHashBytes(Uint8Array.from(bytes), 2, bytes.length - 1), javaHash(text))
    }),
  )
})

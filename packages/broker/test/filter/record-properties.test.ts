import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseProperties } from '@skua-mq/protocol'
import fc from 'fast-check'
import { RecordProperties } from '../../src/filter/record-properties.ts'

/** A record with nothing but properties: V1, two IPv4 hosts, topic T. */
function record(text: string): Uint8Array {
  const properties = Buffer.from(text)
  const bytes = Buffer.alloc(91 + 1 + properties.length)
  bytes.writeInt32BE(bytes.length, 0)
  bytes.writeInt32BE(0xdaa320a7 | 0, 4)
  bytes[88] = 1
  bytes.write('T', 89)
  bytes.writeInt16BE(properties.length, 90)
  properties.copy(bytes, 92)
  return bytes
}

test('finds what the map of all properties holds, wherever the record lies', () => {
  const piece = fc.constantFrom('a', 'b', 'ab', 'ä', '1', '\u0001', '\u0002', '')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), fc.nat(9), (pieces, shift) => {
      const text = pieces.join('')
      const bytes = record(text)
      const within = new Uint8Array(shift + bytes.length + 7).fill(2)
      within.set(bytes, shift)
      const properties = new RecordProperties()
      assert.equal(properties.read(within, shift, shift + bytes.length), true)
      const all = parseProperties(text)
      // Who looks for many has all of them noted: the answers are the same.
      for (let n = 0; n < 6; n++)
        for (const name of ['a', 'b', 'ab', 'ä', '1', 'aab'])
          assert.equal(properties.find(name), all.get(name), JSON.stringify(text))
    }),
    { numRuns: 2000 },
  )
})

test('of a name given twice the last value counts', () => {
  const properties = new RecordProperties()
  const bytes = record('a\u0001first\u0002b\u0001x\u0002a\u0001last')
  properties.read(bytes, 0, bytes.length)
  assert.equal(properties.find('a'), 'last')
})

test('bytes that are no record are told', () => {
  const bytes = record('a\u0001b')
  const properties = new RecordProperties()
  for (let end = 0; end < bytes.length; end++) assert.equal(properties.read(bytes, 0, end), false)
})

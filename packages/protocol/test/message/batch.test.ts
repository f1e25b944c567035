import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { decodeBatch, encodeBatch, forEachBatched, printProperties } from '../../src/message/index.ts'

const recorded49 =
  '0000002e0000000000000000000000000000000568656c6c6f0013574149540174727565025441475301546167410000002100000000000000000000000000000002776f0009574149540174727565'
const recorded5 =
  '0000002f0000000000000000000000000000000568656c6c6f001457414954017472756502544147530154616741020000002200000000000000000000000000000002776f000a57414954017472756502'

const messages = (closed: boolean) => [
  {
    flag: 0,
    body: Buffer.from('hello'),
    properties: Buffer.from(
      printProperties(
        [
          ['WAIT', 'true'],
          ['TAGS', 'TagA'],
        ],
        { closed },
      ),
    ),
  },
  { flag: 0, body: Buffer.from('wo'), properties: Buffer.from(printProperties([['WAIT', 'true']], { closed })) },
]

test('a batch is written as both Java clients write it', () => {
  assert.equal(encodeBatch(messages(false)).toString('hex'), recorded49)
  assert.equal(encodeBatch(messages(true)).toString('hex'), recorded5)
})

test("Java's batches are read, whatever their size, magic and CRC say", () => {
  for (const hex of [recorded49, recorded5]) {
    const bytes = Buffer.from(hex, 'hex')
    bytes.fill(0x77, 0, 12)
    const found = decodeBatch(bytes)
    assert.ok(Array.isArray(found))
    assert.deepEqual(
      found.map(message => Buffer.from(message.body).toString()),
      ['hello', 'wo'],
    )
  }
})

test('a batch that ends anywhere but after a message is refused, and no message of it is visited', () => {
  const bytes = Buffer.from(recorded49, 'hex')
  for (let end = 1; end < bytes.length; end++) {
    if (end === 0x2e) continue
    let visited = 0
    const result = forEachBatched(bytes, { start: 0, end }, () => visited++)
    assert.ok(typeof result === 'object' && result.position <= end && result.remark !== '', `end ${end}`)
    assert.equal(visited, 0)
  }
  assert.equal(
    forEachBatched(bytes, { start: 0, end: 0 }, () => assert.fail()),
    0,
  )
})

test('negative lengths are refused', () => {
  const bytes = Buffer.from(recorded49, 'hex')
  bytes.writeInt32BE(-1, 16)
  assert.deepEqual(decodeBatch(bytes), { position: 16, remark: 'a body of -1 bytes does not fit the batch' })
  const other = Buffer.from(recorded49, 'hex')
  other.writeInt16BE(-5, 25)
  assert.deepEqual(decodeBatch(other), { position: 25, remark: 'properties of -5 bytes do not fit the batch' })
})

test('any batch reads as it was written, inside of other bytes, too', () => {
  const message = fc.record({
    flag: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    body: fc.uint8Array({ maxLength: 60 }),
    properties: fc.uint8Array({ maxLength: 60 }),
  })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.nat(20), (sent, start) => {
      const batch = encodeBatch(sent)
      const bytes = Buffer.concat([Buffer.alloc(start, 1), batch, Buffer.alloc(5, 1)])
      const found: typeof sent = []
      const count = forEachBatched(bytes, { start, end: start + batch.length }, span =>
        found.push({
          flag: span.flag,
          body: Uint8Array.from(bytes.subarray(span.bodyStart, span.bodyEnd)),
          properties: Uint8Array.from(bytes.subarray(span.propertiesStart, span.propertiesEnd)),
        }),
      )
      assert.equal(count, sent.length)
      assert.deepEqual(
        found,
        sent.map(one => ({ ...one, body: Uint8Array.from(one.body), properties: Uint8Array.from(one.properties) })),
      )
    }),
  )
})

test('random bytes never throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), bytes => void decodeBatch(bytes)))
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blob, bool, float, int32, int64, one, optional, repeated, text, texts } from '../../src/proto/field.ts'
import { message } from '../../src/proto/message.ts'
import { ProtoError, ProtoReader } from '../../src/proto/reader.ts'
import { Duration, Message, MessageQueue } from '../../src/v2/shared.ts'

const Inner = message('Inner', { a: [1, one(int32)], b: [2, optional(text)] })
const All = message('All', {
  int: [1, one(int32)],
  long: [2, one(int64)],
  flag: [3, one(bool)],
  share: [4, one(float)],
  name: [5, one(text)],
  bytes: [6, one(blob)],
  inner: [7, optional(Inner)],
  inners: [8, repeated(Inner)],
  ints: [9, repeated(int32)],
  maybe: [10, optional(int64)],
  map: [200, texts],
})

const int = fc.integer()
const long = fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
const inner = fc.record({ a: int, b: fc.option(fc.string(), { nil: undefined }) }, { noNullPrototype: true })
const all = fc.record({
  ...{ int, long, flag: fc.boolean(), share: fc.float({ noNaN: true }), name: fc.string({ unit: 'binary' }) },
  bytes: fc.uint8Array({ maxLength: 300 }).map(bytes => Buffer.from(bytes)),
  inner: fc.option(inner, { nil: undefined }),
  inners: fc.array(inner, { maxLength: 5 }),
  ints: fc.array(int, { maxLength: 200 }),
  maybe: fc.option(long, { nil: undefined }),
  map: fc.array(fc.tuple(fc.string(), fc.string())).map(entries => new Map(entries)),
})

test('what is encoded decodes to itself', () => {
  fc.assert(
    fc.property(all, value => {
      // A float has one zero here.
      const share = value.share === 0 ? 0 : value.share
      assert.deepEqual({ ...All.decode(All.encode({ ...value, share })) }, { ...value, share })
    }),
  )
})

test('bytes as the specification of protocol buffers has them', () => {
  assert.equal(All.encode({ int: 150 }).toString('hex'), '089601')
  assert.equal(All.encode({ int: -1 }).toString('hex'), '08ffffffffffffffffff01')
  assert.equal(All.encode({ name: 'testing' }).toString('hex'), '2a0774657374696e67')
  assert.equal(All.encode({ inner: { a: 150 } }).toString('hex'), '3a03089601')
  assert.equal(All.encode({ ints: [3, 270, 86_942] }).toString('hex'), '4a06038e029ea705')
  assert.equal(All.encode({ int: 0, name: '', flag: false, bytes: Buffer.alloc(0) }).length, 0, 'zeros are not sent')
  assert.equal(All.encode({ maybe: 0 }).toString('hex'), '5000', 'but those that may be missing are')
})

test('numbers that were not packed are read, and so are fields of the newest clients that nobody knows', () => {
  assert.deepEqual(All.decode(Buffer.from('48034805', 'hex')).ints, [3, 5])
  const unknown = Buffer.concat([
    Buffer.from('f87f01', 'hex'),
    Buffer.from('f97f0102030405060708', 'hex'),
    Buffer.from('fa7f03616263', 'hex'),
    Buffer.from('fd7f01020304', 'hex'),
    Buffer.from('fb7f0801fc7f', 'hex'),
    All.encode({ int: 7 }),
  ])
  assert.equal(All.decode(unknown).int, 7)
})

test('a known field that comes as another kind is passed over', () => {
  assert.deepEqual({ ...Inner.decode(Buffer.from('0a0161120162', 'hex')) }, { a: 0, b: 'b' })
  assert.deepEqual({ ...Inner.decode(Buffer.from('0805101f', 'hex')) }, { a: 5, b: undefined })
})

test('64 bits: the largest, the smallest, and what is beyond 2^53', () => {
  assert.equal(All.decode(Buffer.from('10ffffffffffffffff7f', 'hex')).long, 2 ** 63)
  assert.equal(All.decode(Buffer.from('1080808080808080808001', 'hex')).long, -(2 ** 63))
  assert.equal(All.decode(Buffer.from('10ffffffffffffff0f', 'hex')).long, Number.MAX_SAFE_INTEGER)
})

test('every message that ends too early is refused, and none brings anything but a ProtoError', () => {
  const whole = Message.encode({
    topic: { name: 'T' },
    userProperties: new Map([['a', 'b']]),
    systemProperties: { tag: 'x', keys: ['1', '2'], messageId: 'id', bornTimestamp: { seconds: 5, nanos: 6 } },
    body: Buffer.from('body'),
  })
  for (let end = 0; end < whole.length; end++) {
    try {
      Message.decode(whole.subarray(0, end))
    } catch (error) {
      assert.ok(error instanceof ProtoError, String(error))
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), bytes => {
      for (const each of [All, Message, MessageQueue]) {
        try {
          each.decode(bytes)
        } catch (error) {
          assert.ok(error instanceof ProtoError, String(error))
        }
      }
    }),
  )
})

test('messages inside messages, and groups inside groups, have an end', () => {
  const groups = Buffer.alloc(100_000, 0x0b)
  assert.throws(() => Inner.decode(groups), ProtoError)
  assert.throws(() => new ProtoReader(Buffer.alloc(0), { at: 0, end: 0 }, 33), /deeper than 32/)
})

test('durations below zero and parts of seconds', () => {
  assert.deepEqual({ ...Duration.decode(Duration.encode({ seconds: -3, nanos: -5 })) }, { seconds: -3, nanos: -5 })
})
